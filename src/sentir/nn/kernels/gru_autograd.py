"""GRUs trained by the kernel of `sentir.nn.kernels.gru`: the same as ``torch.nn.GRU``, faster.

Shapes: T time, M time and one before the first, B texts, E inputs, H hidden units, G gates (3 H); U
words of the batch; I tiles of units, J parts of what a tile reads, W the weights between both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sentir.nn.cells import weights_of
from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.gru import TILE_GATES, gru_backward, gru_forward
from sentir.nn.kernels.parallel import run_in_parallel
from sentir.nn.kernels.primitives import pack_weights


def gru_states(directions: Sequence[tuple[nn.Module, Tensor, Tensor | None]]) -> tuple[Tensor, ...]:
    """The states of each GRU, (T, B, H).

    States and gradients are within 1e-5 of PyTorch's, relative to the largest of each.

    Args:
        directions: for each a ``torch.nn.GRU``, see `availability.can_train_with_numba`; its
            inputs, (T, B, E), and None; or the vectors of the batch's words, (U, E), and the word
            of each token, (T, B): so each word is multiplied once.
    """
    arguments: list[Tensor] = []
    for gru, x, rows_TB in directions:
        assert isinstance(gru, nn.GRU)
        weights, units = weights_of(gru), gru.hidden_size
        # The reset gate scales the last bias, so it cannot be added to that of the input.
        summed_G, scaled_H = torch.split(weights.hidden_bias_G, [2 * units, units])
        bias_G = weights.input_bias_G + F.pad(summed_G, (0, units))
        inputs = F.linear(
            x, _gates_by_tile(weights.input_GE), _gates_by_tile(bias_G[:, None])[:, 0]
        )
        inputs_TBG = inputs if rows_TB is None else F.embedding(rows_TB, inputs)
        arguments += [inputs_TBG, _gates_by_tile(weights.hidden_GH), scaled_H]
    states: tuple[Tensor, ...] = _GruFunction.apply(*arguments)  # type: ignore[no-untyped-call]
    return states


class _GruFunction(torch.autograd.Function):
    """From inputs_TBG, weights_GH and bias_H of each direction, gates by tile, to states_TBH."""

    @staticmethod
    def forward(ctx: Any, *arguments: Tensor) -> tuple[Tensor, ...]:
        def run(direction: Sequence[Tensor]) -> tuple[Tensor, ...]:
            inputs_TBG, weights_GH, bias_H = (part.detach().contiguous() for part in direction)
            time, texts, gates = inputs_TBG.shape
            units = gates // 3
            states_MBH = torch.empty(time + 1, texts, units)
            states_MBH[0] = 0
            gates_TBG, hidden_TBH = torch.empty_like(inputs_TBG), torch.empty(time, texts, units)
            weights_IJW = pack_weights(weights_GH.T.numpy().reshape(units, -1, TILE_GATES))
            gru_forward(
                inputs_TBG.numpy().reshape(-1, gates), weights_IJW, bias_H.numpy(),
                texts, states_MBH.numpy().reshape(-1, 1, units),
                gates_TBG.numpy().reshape(-1, gates), hidden_TBH.numpy().reshape(-1, units),
            )  # fmt: skip
            return states_MBH, gates_TBG, hidden_TBH, weights_GH

        jobs = [arguments[start : start + 3] for start in range(0, len(arguments), 3)]
        results = run_in_parallel(run, jobs)
        ctx.save_for_backward(*(tensor for tensors in results for tensor in tensors))
        return tuple(states_MBH[1:] for states_MBH, *_ in results)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *state_grads: Tensor) -> tuple[Tensor, ...]:
        def run(direction: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
            state_grads_TBH, states_MBH, gates_TBG, hidden_TBH, weights_GH = direction
            _, texts, gates = gates_TBG.shape
            units = gates // 3
            hidden_grads_TBG = torch.empty_like(gates_TBG)
            input_grads_TBG = torch.empty_like(gates_TBG)
            weights_IJW = pack_weights(weights_GH.numpy().reshape(gates, -1, TILE_UNITS))
            gru_backward(
                state_grads_TBH.contiguous().numpy().reshape(-1, units), weights_IJW, texts,
                states_MBH.numpy().reshape(-1, 1, units), gates_TBG.numpy().reshape(-1, gates),
                hidden_TBH.numpy().reshape(-1, units),
                hidden_grads_TBG.numpy().reshape(-1, 1, gates),
                input_grads_TBG.numpy().reshape(-1, gates),
            )  # fmt: skip
            return hidden_grads_TBG, input_grads_TBG

        saved = ctx.saved_tensors
        directions = [
            (state_grads_TBH, *saved[4 * index : 4 * index + 4])
            for index, state_grads_TBH in enumerate(state_grads)
        ]
        gradients: list[Tensor] = []
        for (_, states_MBH, *_), (hidden_grads_TBG, input_grads_TBG) in zip(
            directions, run_in_parallel(run, directions), strict=True
        ):
            gates, units = hidden_grads_TBG.shape[2], states_MBH.shape[2]
            weights_GH = hidden_grads_TBG.reshape(-1, gates).T @ states_MBH[:-1].reshape(-1, units)
            tiles_NIGU = hidden_grads_TBG.view(-1, units // TILE_UNITS, 3, TILE_UNITS)
            bias_H = tiles_NIGU[:, :, 2].sum(0).flatten()
            gradients += [input_grads_TBG, weights_GH, bias_H]
        return tuple(gradients)


def _gates_by_tile(weight_GX: Tensor) -> Tensor:
    """The same rows, reordered so that the gates of a tile's units are neighbours."""
    rows, columns = weight_GX.shape
    tiles_IGUX = weight_GX.view(3, -1, TILE_UNITS, columns).transpose(0, 1)
    return tiles_IGUX.reshape(rows, columns)
