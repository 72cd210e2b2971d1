"""Where our own kernels can be used: they need Numba, which takes a second to load."""

from __future__ import annotations

import functools
import importlib.util

import torch
from torch import Tensor, nn

#: Hidden units fill whole tiles of this many.
UNITS = 32
#: Units beyond which PyTorch's own GRU learns as fast: its steps are large products then.
MAX_HIDDEN = 256


@functools.cache
def numba_is_installed() -> bool:
    """Whether the extra ``fused`` is there, that our kernels need."""
    return importlib.util.find_spec("numba") is not None


def can_train_with_numba(layer: nn.Module, x_TBE: Tensor) -> bool:
    """Whether `fused_gru.states` can take a layer's place: a GRU, not wide, learning on a CPU."""
    return (
        isinstance(layer, nn.GRU)
        and layer.hidden_size % UNITS == 0
        and layer.hidden_size <= MAX_HIDDEN
        and x_TBE.device.type == "cpu"
        and x_TBE.dtype == torch.float32
        and torch.is_grad_enabled()
        and numba_is_installed()
    )
