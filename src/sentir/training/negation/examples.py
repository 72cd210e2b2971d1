"""What a network reads besides the reviews: sentences of known polarity, made from their words.

The words of a long review give its class away, so a network that learns from reviews alone has
little reason to read "not bad" other than "bad"; and the n-gram linear model, which it will be
combined with, misreads it. So sentences are made from the words of the reviews and the closed-class
grammar of their language, and added to the training reviews. Where the linear model is wrong about
one, its logit is added to the network's in the loss: the network learns to outweigh it (a residual
model: Clark et al. 2019, He et al. 2019). Reviews are learnt as ever.

Shapes: S examples, O outputs (1: there are two classes).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sentir.data.cache import cached
from sentir.data.dataset import Reviews, ReviewsInMemory
from sentir.nn.classifier import SentimentClassifier
from sentir.text.tokenizer import WordTokenizer
from sentir.training.negation.excerpts import find_excerpts
from sentir.training.negation.polar_words import Lexicon, find_lexicons
from sentir.training.negation.sentences import generate_sentences
from sentir.training.ngram_linear import LinearLogits, fit_linear_logits
from sentir.training.process_group import current

#: Shares of generated sentences, and of sentences of the reviews, in the examples.
GENERATED, EXCERPTS = 0.4, 0.6
#: What the linear model's logits are multiplied by: about its weight over the network's in the
#: combined model, which is known only after training.
LINEAR_WEIGHT = 1.25

_log = logging.getLogger(__name__)


class Examples(ReviewsInMemory):
    """Examples as ids (`Reviews`), and what the network's logits are added to in the loss.

    Attributes:
        linear_SO: the linear model's logits where it is wrong, else 0.
    """

    def __init__(
        self,
        texts: Sequence[npt.NDArray[np.int32]],
        targets: npt.NDArray[np.int64],
        linear_SO: npt.NDArray[np.float32],
    ) -> None:
        self._texts, self.targets, self.linear_SO = texts, targets, linear_SO
        self.lengths_N = np.array([len(ids) for ids in texts], dtype=np.int32)
        self.weights_N = np.ones(len(texts), dtype=np.float32)
        self.is_weighted = False

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        return self._texts[row]

    @classmethod
    def make(
        cls,
        train: Reviews,
        tokenizer: WordTokenizer,
        network: SentimentClassifier,
        *,
        count: int,
        max_length: int,
        seed: int,
    ) -> Examples:
        """At most `count` examples; none where no grammar fits the reviews."""
        lexicons = find_lexicons(train, tokenizer, max_length)
        linear = (
            fit_linear_logits(network, train, max_length)
            if lexicons and network.ngram_linear is not None
            else None
        )
        texts, labels = _texts(train, tokenizer, lexicons, linear, count, seed)
        targets = np.array(labels, dtype=np.int64)
        linear_SO = np.zeros((len(texts), 1))
        if linear is not None:
            linear_SO = LINEAR_WEIGHT * linear(_without_labels(texts))
            linear_SO *= (linear_SO > 0) != (targets == 1)[:, None]
        return cls(_arrays(texts), targets, linear_SO.astype(np.float32))

    def save(self, folder: Path) -> None:
        """Write them into a folder."""
        np.savez(
            folder / "examples.npz",
            flat=np.concatenate([np.empty(0, np.int32), *self._texts]),
            lengths=self.lengths_N, targets=self.targets, linear=self.linear_SO,
        )  # fmt: skip

    @classmethod
    def load(cls, folder: Path) -> Examples:
        """Read what `save` wrote."""
        with np.load(folder / "examples.npz", allow_pickle=False) as arrays:
            texts = np.split(arrays["flat"], np.cumsum(arrays["lengths"])[:-1])
            return cls(texts[: len(arrays["lengths"])], arrays["targets"], arrays["linear"])


def cached_examples(folder: Path, name: str, make: Callable[[], Examples]) -> Examples:
    """Examples that are made once and kept in `folder` under `name`: a resumed run reads them."""
    examples = current().lead(
        lambda: Examples.load(cached(folder, name, lambda new: make().save(new)))
    )
    _log.info("examples of negation: %s, made from the reviews", f"{len(examples):,}")
    return examples


def _arrays(texts: Sequence[Sequence[int]]) -> list[npt.NDArray[np.int32]]:
    return [np.array(ids, dtype=np.int32) for ids in texts]


def _without_labels(texts: Sequence[Sequence[int]]) -> Examples:
    size = len(texts)
    return Examples(_arrays(texts), np.zeros(size, np.int64), np.zeros((size, 1), np.float32))


def _texts(
    train: Reviews,
    tokenizer: WordTokenizer,
    lexicons: Sequence[Lexicon],
    linear: LinearLogits | None,
    count: int,
    seed: int,
) -> tuple[list[list[int]], list[int]]:
    """Examples of both kinds, as ids, and their classes."""
    texts: list[list[int]] = []
    labels: list[int] = []
    for lexicon in lexicons:
        share = round(GENERATED * count / len(lexicons))
        drawn = list(generate_sentences(lexicon, share, seed))
        texts += tokenizer.encode([text for _, text in drawn])
        labels += [label for label, _ in drawn]
    if linear is not None:

        def logits(sentences: list[list[int]]) -> npt.NDArray[np.floating]:
            return linear(_without_labels(sentences))[:, 0]

        own, own_labels = find_excerpts(
            train, lexicons, tokenizer, logits, round(EXCERPTS * count), seed
        )
        texts, labels = texts + own, labels + own_labels
    return texts, labels
