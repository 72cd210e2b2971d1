"""Products of matrices in another number format than that of the weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def linear(x: Tensor, weight: Tensor, bias: Tensor | None, format: torch.dtype | None) -> Tensor:
    """`torch.nn.functional.linear`, its product in `format` and the rest in float32.

    Weights and inputs are rounded anew at each use, the sums are taken in float32, and the gradient
    reaches the weights as they are kept (Micikevicius et al. 2018). None: no rounding.
    """
    if format is None:
        return F.linear(x, weight, bias)
    product = F.linear(x.to(format), weight.to(format)).to(x.dtype)
    return product if bias is None else product + bias
