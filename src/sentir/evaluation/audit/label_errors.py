"""Likely label errors by confident learning.

Northcutt, Jiang and Chuang 2021, *Confident Learning: Estimating Uncertainty in Dataset Labels*: a
model answers reviews that it has not learnt from. A class is confident for a review if its
probability reaches the mean that it has among the reviews labelled with it. A review whose
likeliest confident class is not its label is a likely label error; these are ranked by how much
likelier that class is than the label.

Shapes: N reviews, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from sentir.evaluation.audit.findings import Mark
from sentir.evaluation.baseline import fit_baseline

FOLDS = 5
#: Regularisation is stronger than the baseline's (20), which fits the wrong labels too.
INVERSE_REGULARISATION = 2.0


def out_of_fold(
    rows: Sequence[np.ndarray],
    labels_N: np.ndarray,
    hashes_N: np.ndarray,
    n_classes: int,
    *,
    folds: int = FOLDS,
    advance: Callable[[int], None] = lambda count: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Answers of TF-IDF with logistic regression, each by a model that has not seen the text.

    Args:
        rows: the ids of each review.
        labels_N: the class of each.
        hashes_N: of each text: copies are in the same fold.
        n_classes: C.
        folds: as many models are fitted.
        advance: called with how many more reviews were answered.

    Returns:
        Probabilities (N, C), and which reviews they judge (N,): those whose class was among the
        reviews that the model learnt from.
    """
    probabilities_NC = np.zeros((len(rows), n_classes))
    judged_N = np.zeros(len(rows), bool)
    fold_N = hashes_N % np.uint64(folds)
    for fold in range(folds):
        inside, others = np.flatnonzero(fold_N == fold), np.flatnonzero(fold_N != fold)
        learnt = np.unique(labels_N[others])
        if len(inside) and len(learnt) > 1:
            probabilities_NC[inside] = fit_baseline(
                [rows[row] for row in others.tolist()],
                labels_N[others],
                [rows[row] for row in inside.tolist()],
                n_classes,
                inverse_regularisation=INVERSE_REGULARISATION,
            )
            judged_N[inside] = np.isin(labels_N[inside], learnt)
        if len(inside):
            advance(len(inside))
    return probabilities_NC, judged_N


def find_label_errors(
    probabilities_NC: np.ndarray, labels_N: np.ndarray, names: Sequence[str]
) -> Iterator[Mark]:
    """The likely label errors, with the other class as suggestion; score: -1 to 1.

    Args:
        probabilities_NC: of answers to reviews that were not learnt from; N may be 0.
        labels_N: the class of each in the file.
        names: of the classes.
    """
    rows = np.arange(len(labels_N))
    given_N = probabilities_NC[rows, labels_N]
    totals_C = np.bincount(labels_N, given_N, minlength=len(names))
    counts_C = np.bincount(labels_N, minlength=len(names))
    mean_C = np.where(counts_C > 0, totals_C / np.maximum(counts_C, 1), np.inf)
    confident_NC = np.where(probabilities_NC >= mean_C, probabilities_NC, 0.0)
    other_N = confident_NC.argmax(axis=1)
    is_confident_N = confident_NC[rows, other_N] > 0
    for row in np.flatnonzero(is_confident_N & (other_N != labels_N)).tolist():
        other = int(other_N[row])
        probability = float(probabilities_NC[row, other])
        yield Mark(
            row,
            "label",
            probability - float(given_N[row]),
            names[other],
            f"{names[other]} {probability:.0%}",
        )
