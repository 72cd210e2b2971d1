"""Dropout whose mask is drawn eight random bits a number."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: How finely a share can be told with one random byte.
_STEPS = 256


class Dropout(nn.Module):
    """Zeroes a share of the numbers in training and scales up the others (Srivastava et al. 2014).

    On a CPU PyTorch draws its masks one number after the other, on one core: up to a sixth of a
    step. Here a byte is drawn for each number, so that the share is a multiple of 1/256, the
    nearest to `p`. The masks follow from PyTorch's generator, as its own do.

    Args:
        p: share of the numbers that are zeroed, from 0 to below 1.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        zeroed = min(max(round(self.p * _STEPS), 1), _STEPS - 1)
        seed = int(torch.randint(2**62, ()))
        eights = np.random.Generator(np.random.SFC64(seed)).integers(
            2**64, size=-(-x.numel() // 8), dtype=np.uint64
        )
        drawn = torch.from_numpy(eights.view(np.uint8)[: x.numel()]).view(x.shape)
        mask = drawn.ge(zeroed).to(x.dtype)
        return x * mask.mul_(_STEPS / (_STEPS - zeroed))

    def extra_repr(self) -> str:
        return f"p={self.p}"
