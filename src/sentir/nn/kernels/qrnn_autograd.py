"""QRNNs trained by the kernel of `sentir.nn.kernels.qrnn`: the same as `sentir.nn.qrnn`, faster.

Shapes: T time, B texts, D directions, H hidden units, F features (D x H), E inputs, G gates (3 H);
R rows that are read, of tokens or of words; S the sums of a row and direction (2 G).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from sentir.nn.cells import weights_of
from sentir.nn.kernels.parallel import run_in_parallel
from sentir.nn.kernels.qrnn import qrnn_backward, qrnn_forward
from sentir.nn.qrnn import QRNN


def qrnn_states(
    directions: Sequence[QRNN], x_RE: Tensor, rows_TB: Tensor, reversal_index_TB: Tensor
) -> Tensor:
    """The hidden states after each token, (T, B, F), the forward direction's first.

    States and gradients are within 1e-5 of those of `sentir.nn.qrnn`, relative to the largest of
    each.

    Args:
        directions: the layer of each direction, the forward one first; see
            `availability.can_train_with_numba`.
        x_RE: the vectors that are read.
        rows_TB: the row of `x_RE` of each token.
        reversal_index_TB: `sentir.nn.padding.reversal_index` of the batch.
    """
    weights_D = [weights_of(direction) for direction in directions]
    bias_D = [F.pad(weights.bias_G, (0, len(weights.bias_G))) for weights in weights_D]
    weights = [part for weights in weights_D for part in (weights.input_GE, weights.previous_GE)]
    sums_RX = F.linear(x_RE, torch.cat(weights), torch.cat(bias_D))
    sums_RDS = sums_RX.view(len(x_RE), len(directions), -1)
    states_TBF: Tensor = _QrnnFunction.apply(sums_RDS, rows_TB, reversal_index_TB)  # type: ignore[no-untyped-call]
    return states_TBF


class _QrnnFunction(torch.autograd.Function):
    """From sums_RDS, rows_TB and reversal_index_TB to the hidden states, (T, B, F)."""

    @staticmethod
    def forward(ctx: Any, sums_RDS: Tensor, rows_TB: Tensor, reversal_index_TB: Tensor) -> Tensor:
        (time, texts), (_, directions, sums) = rows_TB.shape, sums_RDS.shape
        states_TBDH, cells_TBDH = torch.empty(2, time, texts, directions, sums // 6)
        gates_TBDG = torch.empty(time, texts, directions, sums // 2)
        orders = _orders(reversal_index_TB)
        arrays = [tensor.numpy() for tensor in (states_TBDH, cells_TBDH, gates_TBDG)]
        sums_, rows = sums_RDS.detach().numpy(), rows_TB.contiguous().numpy()
        run_in_parallel(
            lambda direction: qrnn_forward(sums_, direction, rows, orders[direction], *arrays),
            range(directions),
        )
        ctx.save_for_backward(rows_TB, reversal_index_TB, cells_TBDH, gates_TBDG)
        ctx.rows = len(sums_RDS)
        states_TBF: Tensor = states_TBDH.view(time, texts, -1)
        return states_TBF

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, state_grads_TBF: Tensor) -> tuple[Tensor, None, None]:
        rows_TB, reversal_index_TB, cells_TBDH, gates_TBDG = ctx.saved_tensors
        directions, gates = gates_TBDG.shape[2:]
        sum_grads_RDS = torch.zeros(ctx.rows, directions, 2 * gates)
        orders = _orders(reversal_index_TB)
        state_grads = state_grads_TBF.contiguous().view_as(cells_TBDH).numpy()
        rows = rows_TB.contiguous().numpy()
        arrays = [tensor.numpy() for tensor in (cells_TBDH, gates_TBDG, sum_grads_RDS)]
        run_in_parallel(
            lambda direction: qrnn_backward(
                state_grads, direction, rows, orders[direction], *arrays
            ),
            range(directions),
        )
        return sum_grads_RDS, None, None


def _orders(reversal_index_TB: Tensor) -> list[Any]:
    """The order in which each direction reads the times of each text, (T, B)."""
    times_T1 = torch.arange(len(reversal_index_TB))[:, None]
    forward_TB = times_T1.expand_as(reversal_index_TB).contiguous()
    return [forward_TB.numpy(), reversal_index_TB.contiguous().numpy()]
