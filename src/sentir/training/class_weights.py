"""Weights of classes, where some have far fewer reviews than others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def balanced(labels_N: npt.NDArray[np.integer], classes: int) -> Tensor:
    """Weights (C,) with which every class counts the same in all, and a review 1 on average.

    They are N / (C x reviews of the class), as in King and Zeng 2001 (*Logistic regression in rare
    events data*); a class that is not met has none.
    """
    counts_C = np.bincount(labels_N, minlength=classes)
    weights_C = len(labels_N) / (max(1, (counts_C > 0).sum()) * np.maximum(counts_C, 1))
    return torch.from_numpy(np.where(counts_C > 0, weights_C, 0.0))
