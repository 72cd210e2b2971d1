"""Dropout whose mask takes eight random bits per number."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Values of one random byte.
_LEVELS = 256


class Dropout(nn.Module):
    """Zeroes a share of the numbers in training and scales up the others (Srivastava et al. 2014).

    On a CPU PyTorch draws its masks one number after the other, on one core: up to a sixth of the
    time of a step. Here a byte is bytes_ for each number, so the share is the multiple of 1/256
    nearest to `p`. The masks are seeded by PyTorch's generator.

    Args:
        p: share of the numbers that are zeroed, from 0 to below 1.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """A tensor of the same shape."""
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        zeroed = min(max(round(self.p * _LEVELS), 1), _LEVELS - 1)
        seed = int(torch.randint(2**62, ()))
        words = np.random.Generator(np.random.SFC64(seed)).integers(
            2**64, size=-(-x.numel() // 8), dtype=np.uint64
        )
        bytes_ = torch.from_numpy(words.view(np.uint8)[: x.numel()]).view(x.shape)
        mask = bytes_.ge(zeroed).to(x.dtype)
        return x * mask.mul_(_LEVELS / (_LEVELS - zeroed))

    def extra_repr(self) -> str:
        return f"p={self.p}"
