"""Narrower number formats than that of the weights: of matrix products, and of tables."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def linear(x: Tensor, weight: Tensor, bias: Tensor | None, dtype: torch.dtype | None) -> Tensor:
    """`torch.nn.functional.linear`, its product in `dtype` and the rest in float32.

    Weights and inputs are rounded anew at each use, sums are accumulated in float32, and the
    gradient reaches the float32 weights (Micikevicius et al. 2018). None: no rounding.
    """
    if dtype is None:
        return F.linear(x, weight, bias)
    product = F.linear(x.to(dtype), weight.to(dtype)).to(x.dtype)
    return product if bias is None else product + bias


def round_to_half(values: Tensor) -> Tensor:
    """The nearest numbers that 16 bits hold (float16), in the format of `values`."""
    limit = torch.finfo(torch.float16).max
    return values.clamp(-limit, limit).to(torch.float16).to(values.dtype)
