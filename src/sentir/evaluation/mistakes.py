"""The most confident mistakes of a stream of predictions.

Shapes: B examples of one batch, C classes.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sentir.decision import DecisionRule, decision_scores
from sentir.errors import UsageError
from sentir.evaluation.metrics import validated
from sentir.evaluation.occlusion import WordEffect


@dataclass(frozen=True)
class Mistake:
    """A misclassified review; label and prediction are class indices.

    The words are those of the largest effect on the prediction, the largest first, if they were
    measured.
    """

    text: str
    label: int
    predicted: int
    confidence: float
    words: Sequence[WordEffect] = ()


class Mistakes:
    """The most confident mistakes of a stream of predictions, in memory for `keep` of them.

    Args:
        keep: how many to hold.

    Raises:
        UsageError: keep is negative.
    """

    def __init__(self, keep: int = 20) -> None:
        if keep < 0:
            raise UsageError(f"keep = {keep}", where="Mistakes", todo="keep none (0) or more")
        self.keep = keep
        # A min-heap on (confidence, -arrival): its root is the next one to drop, the latest
        # of the least confident. No two arrivals are equal, so texts are never compared.
        self._heap: list[tuple[float, int, Mistake]] = []
        self._arrivals = 0

    def add(
        self,
        probabilities_BC: np.ndarray,
        labels_B: np.ndarray,
        texts: Sequence[str],
        decision: DecisionRule | None = None,
    ) -> None:
        """Add a batch of predictions, by the decision rule if there is one.

        Raises:
            UsageError: the shapes do not fit each other, or texts is a string.
            DataError: a probability or a label cannot be, as in `measure`.
        """
        probabilities_BC, labels_B = validated(probabilities_BC, labels_B)
        if isinstance(texts, str) or len(texts) != len(labels_B):
            raise UsageError(
                "a string" if isinstance(texts, str) else f"{len(texts)} texts",
                where="Mistakes.add",
                todo=f"give a list of {len(labels_B)} texts, one for each label",
            )
        predicted_B = decision_scores(probabilities_BC, decision).argmax(axis=1)
        confidence_B = probabilities_BC[np.arange(len(predicted_B)), predicted_B]
        for row in np.flatnonzero(predicted_B != labels_B).tolist():
            self._arrivals += 1
            confidence = float(confidence_B[row])
            if len(self._heap) == self.keep and (not self._heap or confidence <= self._heap[0][0]):
                continue
            mistake = Mistake(texts[row], int(labels_B[row]), int(predicted_B[row]), confidence)
            heapq.heappush(self._heap, (confidence, -self._arrivals, mistake))
            if len(self._heap) > self.keep:
                heapq.heappop(self._heap)

    def worst(self) -> list[Mistake]:
        """The mistakes, the most confident first, ties in the order of arrival."""
        return [
            mistake
            for _, _, mistake in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)
        ]
