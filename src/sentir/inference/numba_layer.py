"""Recurrent layers as the kernels want them: without padding, sums side by side in tiles.

Shapes: N tokens of a batch, B texts, E features that are read, D directions, H hidden units, K
these rounded up to whole tiles, G sums (4 K), F features (D x H), R rows of what the sums get from
the input; Q what a token reads in 8 bits: the states below, if there are any, and before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor
from torch.nn import Module

from sentir.inference.packed import PackedBatch
from sentir.nn.cells import weights_of
from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.primitives import TILE_SUMS, Floats, Ints, pack_weights
from sentir.nn.kernels.rnn_inference import INT8_STEPS, quantize, quantized_step, run_rnn
from sentir.nn.recurrent import RecurrentLayer

#: Weights in 8 bits go up to this, for processors that add two products in 16 bits.
LARGEST_WEIGHT = 63


class _Sums(NamedTuple):
    """Which of a unit's four sums PyTorch's gates, in its order, add to; see `layer_kernel`."""

    input: list[int]
    memory: list[int]
    halved: list[int]


CELLS = {
    "lstm": _Sums(input=[0, 1, 2, 3], memory=[0, 1, 2, 3], halved=[0, 1, 3]),
    "gru": _Sums(input=[0, 1, 3], memory=[0, 1, 2], halved=[0, 1]),
}


class Layer:
    """A layer in float32, of one of the `CELLS`.

    Args:
        layer: whose weights it takes.
        cell: which of them.
        above: whether it reads the states of another, so that `states_above` is asked of it.
    """

    def __init__(self, layer: Module, cell: str, *, above: bool) -> None:
        assert isinstance(layer, RecurrentLayer)
        self._both = [
            weights_of(one) for one in (layer.forward_rnn, layer.backward_rnn) if one is not None
        ]
        self._gru, self._to = cell == "gru", CELLS[cell]
        self.hidden = layer.forward_rnn.hidden_size
        self.units = -(-self.hidden // TILE_UNITS) * TILE_UNITS
        self.bias_DG = np.stack(
            [
                self._sums(one.input_bias_G, self._to.input)[:, 0]
                + self._sums(one.hidden_bias_G, self._to.memory)[:, 0]
                for one in self._both
            ]
        )
        # As one matrix for both directions, so that one product serves them.
        self._input_EX = np.concatenate([self._input(one.input_GE) for one in self._both]).T
        self._prepare(above=above)

    def _prepare(self, *, above: bool) -> None:
        """Lay out the weights that a step takes, as it goes through them."""
        self._memory_DIJW = np.stack([self._tiles(one.hidden_GH) for one in self._both])

    def inputs(self, read_NE: Floats) -> Floats:
        """What the sums get from what is read, (N, D, G)."""
        found_NX: Floats = read_NE @ self._input_EX
        found_NX += self.bias_DG.reshape(-1)
        return found_NX.reshape(-1, *self.bias_DG.shape)

    def states(self, inputs_RDG: Floats, rows_N: Ints, texts: PackedBatch) -> Floats:
        """The states at all tokens, (N, F), given the row of what the sums get at each."""
        states_NDK = self._empty_states(len(rows_N))
        run_rnn(
            self._gru, inputs_RDG, rows_N, texts.starts_B, texts.lengths_B,
            self._memory_DIJW, states_NDK,
        )  # fmt: skip
        return self._filled(states_NDK)

    def states_of(self, read_NE: Floats, texts: PackedBatch) -> Floats:
        """The states at all tokens, (N, F), given what is read at each."""
        return self.states(self.inputs(read_NE), np.arange(len(read_NE)), texts)

    def states_above(self, below_NE: Floats, texts: PackedBatch) -> Floats:
        """The same, where it is the states of the layer below that are read."""
        return self.states_of(below_NE, texts)

    def _empty_states(self, count: int) -> Floats:
        return np.empty((count, len(self.bias_DG), self.units), np.float32)

    def _filled(self, states_NDK: Floats) -> Floats:
        """Without the units that only fill up a tile, (N, F)."""
        return states_NDK[:, :, : self.hidden].reshape(len(states_NDK), -1)

    def _sums(self, weight_HX: Tensor, to: list[int]) -> Floats:
        """What the gates' weights add to all sums, tile by tile, filled up with zeros, (G, X)."""
        gates_HX = array(weight_HX).reshape(len(to), self.hidden, -1)
        sums_4KX = np.zeros((4, self.units, gates_HX.shape[2]), np.float32)
        sums_4KX[to, : self.hidden] = gates_HX
        sums_4KX[self._to.halved] /= 2
        tiles_4IUX = sums_4KX.reshape(4, -1, TILE_UNITS, sums_4KX.shape[2])
        return tiles_4IUX.swapaxes(0, 1).reshape(4 * self.units, -1)

    def _input(self, input_GE: Tensor) -> Floats:
        """What is read adds so much to the sums, (G, E)."""
        return self._sums(input_GE, self._to.input)

    def _memory(self, hidden_GH: Tensor) -> Floats:
        """What each unit's state adds to the sums, (K, G)."""
        memory_KG = np.zeros((self.units, 4 * self.units), np.float32)
        memory_KG[: self.hidden] = self._sums(hidden_GH, self._to.memory).T
        return memory_KG

    def _tiles(self, hidden_GH: Tensor) -> Floats:
        """The memory's weights as the kernel goes through them, (I, J, W)."""
        width = len(self._to.memory) * TILE_UNITS
        memory_KIW = self._memory(hidden_GH).reshape(self.units, -1, TILE_SUMS)[:, :, :width]
        return pack_weights(memory_KIW)


class QuantizedLayer(Layer):
    """An LSTM layer whose states meet its weights in 8 bits; all else is in float32.

    States are between -1 and 1, so all are rounded to the same steps, and sums of integers have no
    order: no answer depends on which texts share a batch.
    """

    def _prepare(self, *, above: bool) -> None:
        read_D = [self._memory(one.hidden_GH) for one in self._both]
        if above:
            read_D = [
                np.concatenate([self._input(one.input_GE).T, memory_KG])
                for one, memory_KG in zip(self._both, read_D, strict=True)
            ]
        self._eights_D = [_Eights.of(read_QG) for read_QG in read_D]
        self._threads = ThreadpoolController()

    def states(self, inputs_RDG: Floats, rows_N: Ints, texts: PackedBatch) -> Floats:
        nothing_N0 = np.empty((len(rows_N), 0), np.int8)
        return self._states(nothing_N0, inputs_RDG, rows_N, texts)

    def states_above(self, below_NE: Floats, texts: PackedBatch) -> Floats:
        eights_NE = np.empty(below_NE.shape, np.int8)
        quantize(below_NE.reshape(-1), eights_NE.reshape(-1))
        rows_N = np.zeros(len(below_NE), np.int64)
        return self._states(eights_NE, self.bias_DG[None], rows_N, texts)

    def _states(
        self,
        below_NE: npt.NDArray[np.int8],
        inputs_RDG: Floats,
        rows_N: Ints,
        texts: PackedBatch,
    ) -> Floats:
        """A step is one product, of what is below and of the states before, and one kernel."""
        starts_B, lengths_B, (count, width) = texts.starts_B, texts.lengths_B, below_NE.shape
        states_NDK = self._empty_states(count)
        # The texts that still have tokens are always the first ones.
        ended_T = np.searchsorted(lengths_B[::-1], np.arange(lengths_B[0]), side="right")
        # One core a batch, whatever the other products of this process have.
        with self._threads.limit(limits=1, user_api="openmp"):
            for direction, weights in enumerate(self._eights_D):
                onward = 1 if direction == 0 else -1
                at_B = starts_B.copy() if direction == 0 else starts_B + lengths_B - 1
                read_BQ = torch.zeros((len(lengths_B), width + self.units), dtype=torch.int8)
                sums_BG = torch.empty((len(lengths_B), 4 * self.units), dtype=torch.int32)
                below_BE, state_BK = np.split(read_BQ.numpy(), [width], axis=1)
                cell_BK = np.zeros((len(lengths_B), self.units), np.float32)
                for reading in len(lengths_B) - ended_T:
                    at_B = at_B[:reading]
                    below_BE[:reading] = below_NE[at_B]
                    torch._int_mm(read_BQ[:reading], weights.eights_QG, out=sums_BG[:reading])
                    quantized_step(
                        inputs_RDG, rows_N, at_B, direction, sums_BG.numpy(), weights.scale_G,
                        cell_BK, state_BK, states_NDK,
                    )  # fmt: skip
                    at_B += onward
        return self._filled(states_NDK)


class _Eights(NamedTuple):
    """Weights in 8 bits, and what a sum of them times states in 8 bits is to be multiplied by."""

    eights_QG: Tensor
    scale_G: Floats

    @classmethod
    def of(cls, weights_QG: Floats) -> _Eights:
        largest_G = np.maximum(np.abs(weights_QG).max(axis=0), np.float32(1e-12))
        eights_QG = np.rint(weights_QG * (LARGEST_WEIGHT / largest_G)).astype(np.int8)
        return cls(torch.from_numpy(eights_QG), largest_G / np.float32(LARGEST_WEIGHT * INT8_STEPS))


def array(weight: Tensor) -> Floats:
    """A tensor's numbers in float32."""
    found: Floats = weight.detach().float().cpu().numpy()
    return found
