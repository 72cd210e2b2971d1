"""Metrics of predictions.

Shapes: N examples, C classes.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sentir.class_order import are_ordered
from sentir.confidence import wilson_interval
from sentir.decision import DecisionRule, decision_scores
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.evaluation.ordinal import mean_absolute_error, quadratic_kappa

#: As in Guo et al. 2017.
RELIABILITY_BINS = 15
#: A certain mistake costs 27.6 nats, not infinity.
MIN_PROBABILITY = 1e-12
#: Rows in half precision add up to one no better than this.
SUM_TOLERANCE = 1e-3
#: The metrics of ordered classes.
ORDINAL = ("mean_absolute_error", "quadratic_kappa")
#: Share of the largest class, and recall of another one, at which accuracy misleads.
IMBALANCED_SHARE, LOW_RECALL = 0.8, 0.8


@dataclass(frozen=True, kw_only=True)
class ClassMetrics:
    """Metrics of one class; 0 where the denominator is 0 (never predicted, or no examples)."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Predictions with a confidence in (low, high]; the means are None where there are none."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The metrics of `measure`: shares from 0 to 1, the loss in nats."""

    examples: int
    loss: float
    accuracy: float
    macro_f1: float
    auc: float | None
    calibration_error: float
    classes: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]
    """One row per true class, one column per predicted class."""
    reliability: tuple[ReliabilityBin, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes, in their order."""
        return tuple(row.name for row in self.classes)

    @property
    def majority_share(self) -> float:
        """The share of the largest class: the accuracy of always predicting it."""
        return max(row.support for row in self.classes) / self.examples

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """Where the accuracy lies with 95 % confidence, as shares (`wilson_interval`)."""
        return wilson_interval(round(self.accuracy * self.examples), self.examples)

    @property
    def is_ordered(self) -> bool:
        """Whether the classes are ordered (`sentir.class_order.are_ordered`)."""
        return are_ordered(self.names)

    @property
    def mean_absolute_error(self) -> float | None:
        """How many classes predictions are off, on average; None if they are not ordered."""
        return mean_absolute_error(np.array(self.confusion)) if self.is_ordered else None

    @property
    def quadratic_kappa(self) -> float | None:
        """Quadratic weighted kappa; None if the classes are not ordered, or there is but one."""
        return quadratic_kappa(np.array(self.confusion)) if self.is_ordered else None

    def derived(self) -> dict[str, float | None]:
        """What follows from the other metrics and is not in `to_dict`."""
        ordinal = {name: getattr(self, name) for name in ORDINAL} if self.is_ordered else {}
        return {"majority_share": self.majority_share, **ordinal}

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it; `from_dict` reads it back."""
        plain = dataclasses.asdict(self)
        plain["classes"] = list(plain["classes"])
        plain["confusion"] = [list(row) for row in self.confusion]
        plain["reliability"] = list(plain["reliability"])
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Metrics:
        """The metrics that `to_dict` wrote.

        Raises:
            DataError: a metric is missing, or there is an unknown one.
        """
        try:
            return cls(
                **{
                    **data,
                    "classes": tuple(ClassMetrics(**row) for row in data["classes"]),
                    "confusion": tuple(tuple(row) for row in data["confusion"]),
                    "reliability": tuple(ReliabilityBin(**row) for row in data["reliability"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise DataError(
                f"not the metrics of this version ({error})", where="metrics", todo="measure again"
            ) from None


def measure(
    probabilities_NC: np.ndarray,
    labels_N: np.ndarray,
    names: Sequence[str],
    decision: DecisionRule | None = None,
) -> Metrics:
    """Compare predictions with labels.

    The macro F1 is the mean over the classes that occur in the labels or in the predictions; the
    area under the ROC curve is that of class 1 for two classes, the mean of one-versus-rest for
    more (both as in scikit-learn); the area is None where a class has no example. The
    expected calibration error is the mean distance between confidence and accuracy over 15 bins of
    equal width, weighted by their counts (Guo et al. 2017, On Calibration of Modern Neural
    Networks). Confidence is that in the likeliest class, whatever the decision rule names.

    Args:
        probabilities_NC: probabilities of the classes.
        labels_N: the index of the true class.
        names: the C names of the classes.
        decision: how a class is predicted; None: it is the likeliest.

    Raises:
        UsageError: the shapes do not fit each other.
        DataError: there are no examples, a probability is NaN or out of range, a row does not add
            up to one, or a label is not a class.
    """
    probabilities_NC, labels_N = validated(probabilities_NC, labels_N)
    examples, n_classes = probabilities_NC.shape
    if isinstance(names, str) or len(names) != n_classes:
        raise UsageError(
            f"{n_classes} columns of probabilities for the names {names!r}",
            where="measure",
            todo="give one name for each class",
        )
    if not examples:
        raise DataError("no examples", where="measure", todo="give at least one labelled review")

    predicted_N = decision_scores(probabilities_NC, decision).argmax(axis=1)
    likeliest_N = probabilities_NC.argmax(axis=1)
    own_N = probabilities_NC[np.arange(examples), labels_N]
    confusion_CC = np.bincount(labels_N * n_classes + predicted_N, minlength=n_classes**2).reshape(
        n_classes, n_classes
    )
    correct_C, support_C, predicted_C = (
        confusion_CC.diagonal(), confusion_CC.sum(axis=1), confusion_CC.sum(axis=0),
    )  # fmt: skip
    precision_C, recall_C = _ratios(correct_C, predicted_C), _ratios(correct_C, support_C)
    f1_C = _ratios(2 * correct_C, support_C + predicted_C)
    reliability = _reliability(probabilities_NC.max(axis=1), likeliest_N == labels_N)
    return Metrics(
        examples=examples,
        loss=float(-np.log(own_N.clip(MIN_PROBABILITY, 1.0)).mean()),
        accuracy=float((predicted_N == labels_N).mean()),
        macro_f1=float(f1_C[support_C + predicted_C > 0].mean()),
        auc=_auc(probabilities_NC, labels_N),
        calibration_error=_calibration_error(reliability, examples),
        classes=tuple(
            ClassMetrics(name=str(name), precision=precision, recall=recall, f1=f1, support=support)
            for name, precision, recall, f1, support in zip(
                names,
                *(column_C.tolist() for column_C in (precision_C, recall_C, f1_C, support_C)),
                strict=True,
            )
        ),
        confusion=tuple(tuple(row) for row in confusion_CC.tolist()),
        reliability=reliability,
    )


def validated(probabilities_NC: np.ndarray, labels_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 and int64, with their shapes and values validated.

    Raises:
        UsageError: the shapes do not fit each other, or labels are no integers.
        DataError: a label is not a class, or a row is no probabilities.
    """
    probabilities_NC, labels_N = np.asarray(probabilities_NC), np.asarray(labels_N)
    if (
        probabilities_NC.ndim != 2
        or probabilities_NC.shape[1] < 2
        or labels_N.shape != probabilities_NC.shape[:1]
    ):
        raise UsageError(
            f"shapes {probabilities_NC.shape} and {labels_N.shape}",
            where="probabilities and labels",
            todo="give (examples, classes of which there are two or more) and (examples,)",
        )
    if labels_N.size and not np.issubdtype(labels_N.dtype, np.integer):
        raise UsageError(
            f"labels of type {labels_N.dtype}", where="labels", todo="give numbers of classes"
        )
    n_classes = probabilities_NC.shape[1]
    # In float64: float32 loses the tail that the loss and the ROC curve depend on.
    probabilities_NC, labels_N = probabilities_NC.astype(np.float64), labels_N.astype(np.int64)
    invalid_N = (labels_N < 0) | (labels_N >= n_classes)
    if invalid_N.any():
        row = int(invalid_N.argmax())
        raise DataError(
            f"label {labels_N[row]} is not a class",
            where=f"row {row}",
            todo=f"give numbers from 0 to {n_classes - 1}",
        )
    # Written so that NaN, which fails every comparison, is invalid.
    valid_N = ((probabilities_NC >= 0) & (probabilities_NC <= 1 + SUM_TOLERANCE)).all(axis=1)
    valid_N &= np.abs(probabilities_NC.sum(axis=1) - 1) <= SUM_TOLERANCE
    if not valid_N.all():
        row = int(valid_N.argmin())
        values = ", ".join(f"{value:g}" for value in probabilities_NC[row])
        raise DataError(
            f"{values} are not probabilities that add up to 1",
            where=f"row {row}",
            todo="give the softmax of the logits",
        )
    return probabilities_NC, labels_N


def _ratios(numerators_C: np.ndarray, denominators_C: np.ndarray) -> np.ndarray:
    """The quotients; 0 where the denominator is 0."""
    ratios_C: np.ndarray = numerators_C / np.maximum(denominators_C, 1)
    return ratios_C


def _auc(probabilities_NC: np.ndarray, labels_N: np.ndarray) -> float | None:
    n_classes = probabilities_NC.shape[1]
    if (np.bincount(labels_N, minlength=n_classes) == 0).any():
        return None
    curves = [1] if n_classes == 2 else range(n_classes)
    return float(np.mean([area_under_roc(labels_N == c, probabilities_NC[:, c]) for c in curves]))


def area_under_roc(is_positive_N: np.ndarray, scores_N: np.ndarray) -> float:
    """The share of pairs of a positive and a negative that the scores order rightly.

    Ties count half (Mann-Whitney's U; Hanley and McNeil 1982, The Meaning and Use of the Area under
    a ROC Curve). There must be examples of both.
    """
    _, index_N, counts = np.unique(scores_N, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2  # of equal scores, from 1 on
    positives = int(is_positive_N.sum())
    negatives = len(is_positive_N) - positives
    rank_sum = float(mean_ranks[index_N[is_positive_N]].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def _reliability(confidence_N: np.ndarray, is_correct_N: np.ndarray) -> tuple[ReliabilityBin, ...]:
    bins = RELIABILITY_BINS
    bin_N = (np.ceil(confidence_N * bins).astype(np.int64) - 1).clip(0, bins - 1)
    counts = np.bincount(bin_N, minlength=bins).tolist()
    confidences = np.bincount(bin_N, weights=confidence_N, minlength=bins).tolist()
    correct = np.bincount(bin_N, weights=is_correct_N, minlength=bins).tolist()
    return tuple(
        ReliabilityBin(
            low=i / bins,
            high=(i + 1) / bins,
            count=count,
            confidence=min(confidence / count, 1.0) if count else None,
            accuracy=hits / count if count else None,
        )
        for i, (count, confidence, hits) in enumerate(
            zip(counts, confidences, correct, strict=True)
        )
    )


def _calibration_error(reliability: Sequence[ReliabilityBin], examples: int) -> float:
    return sum(
        row.count / examples * abs(row.accuracy - row.confidence)
        for row in reliability
        if row.accuracy is not None and row.confidence is not None
    )


def warn_of_imbalance(metrics: Metrics) -> None:
    """Warn where one class is so large that accuracy hides how badly another is found."""
    largest = max(metrics.classes, key=lambda row: row.support)
    others = [row for row in metrics.classes if row.support and row is not largest]
    weakest = min(others, key=lambda row: row.recall, default=largest)
    if metrics.majority_share > IMBALANCED_SHARE and others and weakest.recall < LOW_RECALL:
        warnings.warn(
            f"{metrics.majority_share:.0%} of the reviews are of one class, so always predicting "
            f"it has an accuracy of {metrics.majority_share:.1%}; of the class {weakest.name!r} "
            f"only {weakest.recall:.0%} are found: look at recall and F1, and try --optimise "
            f"macro-f1 or --optimise 'recall:{weakest.name}'",
            SentirWarning,
            stacklevel=2,
        )


def perplexity(loss: float) -> float:
    """The perplexity of a language model whose loss per word is that (nats)."""
    return math.exp(min(loss, 700.0))
