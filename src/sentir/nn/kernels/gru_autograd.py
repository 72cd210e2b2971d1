"""GRUs in training by a kernel of our own: the same as ``torch.nn.GRU``, faster.

Shapes: T time, B texts, E inputs, H hidden units, G gates (3 H); I tiles of units, J parts of what
a tile reads, W the weights between both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sentir.nn.cells import weights_of
from sentir.nn.kernels.availability import UNITS
from sentir.nn.kernels.gru import GATES, gru_backward, gru_forward
from sentir.nn.kernels.primitives import in_parts

Job = TypeVar("Job")
Made = TypeVar("Made")


def gru_states(directions: Sequence[tuple[nn.Module, Tensor]]) -> tuple[Tensor, ...]:
    """The states of each GRU, (T, B, H), given what it reads, (T, B, E).

    They are within 1e-5 of PyTorch's, and so are the gradients, as shares of their largest.
    """
    given: list[Tensor] = []
    for layer, x_TBE in directions:
        assert isinstance(layer, nn.GRU)
        weights, units = weights_of(layer), layer.hidden_size
        # What the reset gate scales has its bias to itself.
        mixed_G, alone_H = torch.split(weights.hidden_bias_G, [2 * units, units])
        bias_G = weights.input_bias_G + F.pad(mixed_G, (0, units))
        inputs_TBG = F.linear(x_TBE, _in_tiles(weights.input_GE), _in_tiles(bias_G[:, None])[:, 0])
        given += [inputs_TBG, _in_tiles(weights.hidden_GH), alone_H]
    found: tuple[Tensor, ...] = _States.apply(*given)  # type: ignore[no-untyped-call]
    return found


class _States(torch.autograd.Function):
    """For each direction from inputs_TBG, memory_GH and bias_H, gates in tiles, to states_TBH."""

    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> tuple[Tensor, ...]:
        def run(direction: Sequence[Tensor]) -> tuple[Tensor, ...]:
            inputs_TBG, memory_GH, bias_H = (one.detach().contiguous() for one in direction)
            time, texts, gates = inputs_TBG.shape
            units = gates // 3
            states_MBH = torch.empty(time + 1, texts, units)
            states_MBH[0] = 0
            gates_TBG, seen_TBH = torch.empty_like(inputs_TBG), torch.empty(time, texts, units)
            weights_IJW = in_parts(memory_GH.T.numpy().reshape(units, -1, GATES))
            gru_forward(
                inputs_TBG.numpy().reshape(-1, gates), weights_IJW, bias_H.numpy(),
                texts, states_MBH.numpy().reshape(-1, 1, units),
                gates_TBG.numpy().reshape(-1, gates), seen_TBH.numpy().reshape(-1, units),
            )  # fmt: skip
            return states_MBH, gates_TBG, seen_TBH, memory_GH

        made = _at_once(run, [given[at : at + 3] for at in range(0, len(given), 3)])
        ctx.save_for_backward(*(one for direction in made for one in direction))
        return tuple(states_MBH[1:] for states_MBH, *_ in made)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, ...]:
        def run(direction: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
            slopes_TBH, states_MBH, gates_TBG, seen_TBH, memory_GH = direction
            _, texts, gates = gates_TBG.shape
            units = gates // 3
            sums_TBG, inputs_TBG = torch.empty_like(gates_TBG), torch.empty_like(gates_TBG)
            weights_IJW = in_parts(memory_GH.numpy().reshape(gates, -1, UNITS))
            gru_backward(
                slopes_TBH.contiguous().numpy().reshape(-1, units), weights_IJW, texts,
                states_MBH.numpy().reshape(-1, 1, units), gates_TBG.numpy().reshape(-1, gates),
                seen_TBH.numpy().reshape(-1, units), sums_TBG.numpy().reshape(-1, 1, gates),
                inputs_TBG.numpy().reshape(-1, gates),
            )  # fmt: skip
            return sums_TBG, inputs_TBG

        saved, found = ctx.saved_tensors, []
        directions = [(slope, *saved[4 * at : 4 * at + 4]) for at, slope in enumerate(slopes)]
        for (sums_TBG, inputs_TBG), direction in zip(
            _at_once(run, directions), directions, strict=True
        ):
            states_MBH = direction[1]
            gates, units = sums_TBG.shape[2], states_MBH.shape[2]
            memory_GH = sums_TBG.reshape(-1, gates).T @ states_MBH[:-1].reshape(-1, units)
            bias_H = sums_TBG.view(-1, units // UNITS, 3, UNITS)[:, :, 2].sum(0).flatten()
            found += [inputs_TBG, memory_GH, bias_H]
        return tuple(found)


def _at_once(run: Callable[[Job], Made], jobs: Sequence[Job]) -> list[Made]:
    """Each on a core, if this process has more than one: the kernels let go of Python's lock."""
    if min(len(jobs), torch.get_num_threads()) == 1:
        return [run(job) for job in jobs]
    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(run, jobs))


def _in_tiles(weight_GX: Tensor) -> Tensor:
    """The same rows, so that the gates of a tile's units stand together."""
    rows, columns = weight_GX.shape
    tiles_IGUX = weight_GX.view(3, -1, UNITS, columns).transpose(0, 1)
    return tiles_IGUX.reshape(rows, columns)
