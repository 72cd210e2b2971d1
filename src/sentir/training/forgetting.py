"""A model that goes on learning is measured before and after, on the same reviews.

These are reviews of the new run, and test reviews of the old one (`sentir.data.old_reviews`).

Shapes: N reviews, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from sentir.bundle import Bundle
from sentir.data.dataset import EncodedCorpus
from sentir.evaluation.forgetting import BeforeAndAfter
from sentir.evaluation.metrics import measure
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.restore import restore_classifier
from sentir.text.tokenizer import UNK
from sentir.training.classification import probabilities


def measure_both(
    bundle: Bundle,
    network: SentimentClassifier,
    corpora: Mapping[str, EncodedCorpus],
    names: tuple[str, ...],
    max_length: int,
) -> tuple[BeforeAndAfter, ...]:
    """The old and the new model on the same reviews.

    Args:
        bundle: the old model.
        network: the new one.
        corpora: what to measure on, by its name; encoded for the new model.
        names: the classes of the new model, those of the old one first.
        max_length: tokens that the new model reads of a review.
    """
    old = restore_classifier(bundle).to(network.head.weight.device)
    words, old_length = len(bundle.tokenizer.vocabulary), bundle.config.text.max_length
    measured = []
    for reviews, corpus in corpora.items():
        before_NC = probabilities(old, KnownWords(corpus, words), old_length)
        new_classes = len(names) - before_NC.shape[1]
        before_NC = np.pad(before_NC, ((0, 0), (0, new_classes)))
        after_NC = probabilities(network, corpus, max_length)
        before, after = (
            measure(part_NC, corpus.labels_N, names) for part_NC in (before_NC, after_NC)
        )
        measured.append(BeforeAndAfter(reviews=reviews, before=before, after=after))
    return tuple(measured)


class KnownWords:
    """Reviews as a model of fewer words reads them: the ids that it does not have are unknown.

    Args:
        corpus: reviews as ids of a vocabulary that begins with the model's.
        words: the size of the model's vocabulary.
    """

    def __init__(self, corpus: EncodedCorpus, words: int) -> None:
        self._corpus, self._words = corpus, words
        self.targets, self.weights_N = corpus.targets, corpus.weights_N
        self.lengths_N, self.is_weighted = corpus.lengths_N, corpus.is_weighted
        self.targets_of, self.weights_of = corpus.targets_of, corpus.weights_of
        self.lengths_of = corpus.lengths_of

    def __len__(self) -> int:
        return len(self._corpus)

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        ids = self._corpus[row]
        known: npt.NDArray[np.int32] = np.where(ids < self._words, ids, UNK).astype(np.int32)
        return known
