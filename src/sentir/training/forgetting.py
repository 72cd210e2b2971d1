"""A model that goes on learning is measured before and after, on the same reviews.

These are reviews of the new run, and test reviews of the old one (`sentir.data.old_reviews`).

Shapes: N reviews, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from sentir.bundle import Bundle
from sentir.data.dataset import EncodedCorpus, ReviewsInMemory
from sentir.decision import DecisionRule
from sentir.evaluation.forgetting import BeforeAndAfter
from sentir.evaluation.metrics import measure
from sentir.nn.restore import restore_classifier
from sentir.text.tokenizer import UNK
from sentir.training.classification import probabilities


def measure_both(
    bundle: Bundle,
    corpora: Mapping[str, EncodedCorpus],
    answers: Sequence[npt.NDArray[np.float64]],
    names: tuple[str, ...],
    *,
    decision: DecisionRule | None,
) -> tuple[BeforeAndAfter, ...]:
    """The old and the new model on the same reviews.

    Args:
        bundle: the old model.
        corpora: what to measure on, by its name; encoded for the new model.
        answers: the new model's probabilities (N, C) for each of them, of a model that has not
            learnt from these reviews.
        names: the classes of the new model, those of the old one first.
        decision: the new model's rule.
    """
    old = restore_classifier(bundle)
    words, old_length = len(bundle.tokenizer.vocabulary), bundle.config.text.max_length
    measured = []
    for (reviews, corpus), after_NC in zip(corpora.items(), answers, strict=True):
        before_NC = probabilities(old, KnownWords(corpus, words), old_length)
        old_classes = before_NC.shape[1]
        before = measure(
            np.pad(before_NC, ((0, 0), (0, len(names) - old_classes))),
            corpus.labels_N,
            names,
            bundle.decision if old_classes == len(names) else None,
        )
        after = measure(after_NC, corpus.labels_N, names, decision)
        measured.append(BeforeAndAfter(reviews=reviews, before=before, after=after))
    return tuple(measured)


class KnownWords(ReviewsInMemory):
    """Reviews as a model of fewer words reads them: the ids that it does not have are unknown.

    Args:
        corpus: reviews as ids of a vocabulary whose first words are the model's.
        words: the size of the model's vocabulary.
    """

    def __init__(self, corpus: EncodedCorpus, words: int) -> None:
        self._corpus, self._words = corpus, words
        self.targets, self.weights_N = corpus.targets, corpus.weights_N
        self.lengths_N, self.is_weighted = corpus.lengths_N, corpus.is_weighted

    def __len__(self) -> int:
        return len(self._corpus)

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        ids = self._corpus[row]
        known: npt.NDArray[np.int32] = np.where(ids < self._words, ids, UNK).astype(np.int32)
        return known
