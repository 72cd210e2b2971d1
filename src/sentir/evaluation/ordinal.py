"""Metrics of ordered classes, such as stars: a mistake counts by how far off it is.

The distance of two classes is the number of places between them. Shapes: C classes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


def mean_absolute_error(confusion_CC: Counts) -> float:
    """How many classes predictions are off, on average.

    Args:
        confusion_CC: counts, one row per true class, one column per predicted class; not all 0.
    """
    total = float((confusion_CC * _distances(len(confusion_CC))).sum())
    return total / float(confusion_CC.sum())


def quadratic_kappa(confusion_CC: Counts) -> float | None:
    """Agreement beyond chance, with mistakes weighted by their squared distance.

    1 is perfect, 0 is what the same predictions would reach in random order, below 0 is worse
    (Cohen 1968, *Weighted Kappa: Nominal Scale Agreement with Provision for Scaled Disagreement or
    Partial Credit*).

    Args:
        confusion_CC: counts, one row per true class, one column per predicted class; not all 0.

    Returns:
        The kappa; None where labels and predictions are all of one class, and chance is perfect.
    """
    squares_CC = _distances(len(confusion_CC)) ** 2
    true_C, predicted_C = confusion_CC.sum(axis=1), confusion_CC.sum(axis=0)
    total = float((squares_CC * np.outer(true_C, predicted_C)).sum())
    by_chance = total / float(confusion_CC.sum())
    observed = float((squares_CC * confusion_CC).sum())
    return 1 - observed / by_chance if by_chance else None


def _distances(classes: int) -> Counts:
    """How many places each class is from each other one, (C, C)."""
    places_C = np.arange(classes)
    distances_CC: Counts = np.abs(places_C[:, None] - places_C)
    return distances_CC
