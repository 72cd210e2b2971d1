"""Where the compiled kernels can be used; this loads neither Numba nor PyTorch."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from sentir.extras import is_installed

if TYPE_CHECKING:
    from torch import Tensor, nn

#: The kernels compute hidden units in tiles of this many.
TILE_UNITS = 32
#: Above this hidden size PyTorch's own GRU trains as fast: its steps are large matrix products.
MAX_HIDDEN = 256
#: Cells that the engine numba has kernels for, in float32 and in int8.
NUMBA_CELLS, NUMBA_INT8_CELLS = ("lstm", "gru", "qrnn"), ("lstm",)


@functools.cache
def numba_is_installed() -> bool:
    """Whether the extra ``numba`` is installed."""
    return is_installed("numba")


def computes_with_numba(x: Tensor) -> bool:
    """Whether the kernels can compute with these numbers: float32, on a CPU."""
    import torch

    return x.device.type == "cpu" and x.dtype == torch.float32 and numba_is_installed()


def can_train_with_numba(rnn: nn.Module, x_TBE: Tensor) -> bool:
    """Whether `gru_autograd.gru_states` can compute a module's states: a narrow GRU that is trained
    on a CPU in float32."""
    import torch
    from torch import nn

    return (
        isinstance(rnn, nn.GRU)
        and rnn.hidden_size % TILE_UNITS == 0
        and rnn.hidden_size <= MAX_HIDDEN
        and torch.is_grad_enabled()
        and computes_with_numba(x_TBE)
    )
