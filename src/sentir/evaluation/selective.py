"""Accuracy against coverage, and the threshold of confidence for a coverage.

See `sentir.confidence` for what selective classification is. Shapes: N examples, C classes, K
distinct confidences.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from sentir.confidence import Answered, ConfidenceThreshold
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.evaluation.metrics import validated

#: Coverage that equal confidences add to what was asked for, from which on it is warned of.
TOO_MUCH_COVERAGE = 0.02


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """What every threshold would give, from the fewest reviews answered to all.

    The curve of Geifman and El-Yaniv 2017; the accuracy is one minus the risk.

    Attributes:
        thresholds_K: the distinct confidences, falling.
        coverage_K: the share of reviews with at least that confidence, rising to 1.
        accuracy_K: the accuracy over these reviews.
    """

    thresholds_K: np.ndarray
    coverage_K: np.ndarray
    accuracy_K: np.ndarray

    @property
    def area(self) -> float:
        """The mean risk over all coverages (AURC), 0 to 1; less is better."""
        widths_K = np.diff(self.coverage_K, prepend=0.0)
        return float(((1 - self.accuracy_K) * widths_K).sum())

    def accuracy_at(self, coverage: float) -> float:
        """The accuracy over the surest reviews, at the first point with at least that coverage."""
        point = int(np.searchsorted(self.coverage_K, coverage - 1e-9))
        return float(self.accuracy_K[min(point, len(self.accuracy_K) - 1)])


def risk_coverage(probabilities_NC: np.ndarray, labels_N: np.ndarray) -> RiskCoverage:
    """The accuracy over the surest reviews, for every share of them.

    Reviews of equal confidence are answered together: there is one point per distinct one.

    Args:
        probabilities_NC: probabilities of the classes.
        labels_N: the index of the true class.

    Raises:
        UsageError, DataError: as `sentir.evaluation.metrics.measure`.
    """
    confidence_N, is_correct_N = _confidences(probabilities_NC, labels_N)
    order_N = np.argsort(-confidence_N, kind="stable")
    confidence_N, correct_N = confidence_N[order_N], np.cumsum(is_correct_N[order_N])
    last_K = np.flatnonzero(np.append(np.diff(confidence_N) != 0, True))
    return RiskCoverage(
        thresholds_K=confidence_N[last_K],
        coverage_K=(last_K + 1) / len(confidence_N),
        accuracy_K=correct_N[last_K] / (last_K + 1),
    )


def fit_threshold(
    probabilities_NC: np.ndarray, labels_N: np.ndarray, coverage: float
) -> ConfidenceThreshold:
    """The highest threshold whose expected coverage of reviews like these is at least `coverage`.

    Of N reviews and a further one like them, all ranks of the further one's confidence are equally
    likely. So it is below the k-th lowest of the N with a probability of at most k / (N + 1), and k
    is the largest number for which that leaves enough (as in split conformal prediction: Vovk et
    al. 2005, *Algorithmic Learning in a Random World*). The labels do not move the threshold;
    they say how accurate the answers are.

    Args:
        probabilities_NC: probabilities of reviews that the model has not learnt from.
        labels_N: the index of the true class.
        coverage: share of reviews to answer, above 0 and at most 1.

    Raises:
        UsageError: the coverage is out of range, or as `sentir.evaluation.metrics.measure`.
        DataError: as `sentir.evaluation.metrics.measure`.

    Warns:
        SentirWarning: there are too few reviews, or so many of equal confidence, that more are
            answered than was asked for.
    """
    check_coverage(coverage)
    confidence_N, is_correct_N = _confidences(probabilities_NC, labels_N)
    count = len(confidence_N)
    unsure = math.floor((count + 1) * (1 - coverage) + 1e-9)
    value = float(np.partition(confidence_N, unsure - 1)[unsure - 1]) if unsure else 0.0
    threshold = ConfidenceThreshold(
        value=value, coverage=coverage, validation=_answered(confidence_N, is_correct_N, value)
    )
    if not unsure and coverage < 1:
        warnings.warn(
            f"{count:,} reviews are too few for a coverage of {coverage:g}, so all reviews are "
            f"answered; give {math.ceil(1 / (1 - coverage) - 1e-9) - 1:,} or more",
            SentirWarning,
            stacklevel=2,
        )
    elif threshold.validation.coverage > coverage + TOO_MUCH_COVERAGE + 1 / count:
        warnings.warn(
            f"many reviews have the same confidence of {value:.4f}, so "
            f"{threshold.validation.coverage:.1%} are answered for a coverage of {coverage:g}",
            SentirWarning,
            stacklevel=2,
        )
    return threshold


def check_coverage(coverage: float) -> None:
    """Check that it is a share of reviews that can be answered.

    Raises:
        UsageError: it is not.
    """
    if not 0 < coverage <= 1:
        raise UsageError(
            f"a coverage of {coverage:g}", todo="give a share above 0 and at most 1, such as 0.9"
        )


def measure_answered(
    probabilities_NC: np.ndarray, labels_N: np.ndarray, threshold: ConfidenceThreshold
) -> Answered:
    """How many of the reviews are answered at a threshold, and how many correctly.

    Raises:
        UsageError, DataError: as `sentir.evaluation.metrics.measure`.
    """
    return _answered(*_confidences(probabilities_NC, labels_N), threshold.value)


def warn_of_coverage(answered: Answered, threshold: ConfidenceThreshold) -> None:
    """Warn where fewer reviews are answered than was promised, beyond chance."""
    promised = threshold.validation.coverage_interval[0]
    if answered.coverage_interval[1] < min(promised, threshold.coverage):
        warnings.warn(
            f"{answered.coverage:.1%} of the reviews are answered, and {threshold.coverage:.1%} "
            "were promised of reviews like those of validation: these are other ones (see sentir "
            "drift)",
            SentirWarning,
            stacklevel=2,
        )


def _answered(confidence_N: np.ndarray, is_correct_N: np.ndarray, value: float) -> Answered:
    is_answered_N = confidence_N >= value
    return Answered(
        examples=len(confidence_N),
        answered=int(is_answered_N.sum()),
        correct=int(is_correct_N[is_answered_N].sum()),
    )


def _confidences(
    probabilities_NC: np.ndarray, labels_N: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The probability of each likeliest class, at most 1, and whether it is the true one."""
    probabilities_NC, labels_N = validated(probabilities_NC, labels_N)
    if not len(labels_N):
        raise DataError("no examples", where="confidences", todo="give labelled reviews")
    confidence_N = probabilities_NC.max(axis=1).clip(0, 1)
    return confidence_N, probabilities_NC.argmax(axis=1) == labels_N
