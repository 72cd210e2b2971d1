"""Class weights for unbalanced classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def balanced_class_weights(labels_N: npt.NDArray[np.integer], classes: int) -> Tensor:
    """Inverse-frequency weights (C,): every class has the same total, a review 1 on average.

    N / (C x reviews of the class), as in King and Zeng 2001 (*Logistic regression in rare events
    data*); a class without reviews has weight 0.
    """
    counts_C = np.bincount(labels_N, minlength=classes)
    weights_C = len(labels_N) / (max(1, (counts_C > 0).sum()) * np.maximum(counts_C, 1))
    return torch.from_numpy(np.where(counts_C > 0, weights_C, 0.0))
