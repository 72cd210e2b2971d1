"""Recurrent layers as the kernels want them: without padding, gates side by side in tiles.

Shapes: N tokens of a batch, B texts, E features that are read, D directions, H hidden units, K
these rounded up to whole tiles, G gates (4 K), F features (D x H), R rows of what the gates get
from the input; Q what a token reads in 8 bits: the states below, if there are any, and before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor
from torch.nn import Module

from sentir.inference.lstm_kernel import (
    ROWS,
    STEPS,
    UNITS,
    WIDTH,
    Floats,
    Ints,
    lstm,
    quantize,
    quantized_step,
)
from sentir.inference.unpadded import Texts
from sentir.nn.cells import weights_of
from sentir.nn.classifier import RecurrentLayer

#: In PyTorch's order of gates; see `lstm_kernel.lstm`.
HALVED = np.array([0.5, 0.5, 1, 0.5], dtype=np.float32)
#: Weights in 8 bits go up to this, for processors that add two products in 16 bits.
LARGEST_WEIGHT = 63


class Layer:
    """A layer in float32."""

    def __init__(self, layer: Module) -> None:
        assert isinstance(layer, RecurrentLayer)
        self._both = [weights_of(one) for one in (layer.ahead, layer.back) if one is not None]
        self.hidden = layer.ahead.hidden_size
        self.units = -(-self.hidden // UNITS) * UNITS
        biases = [(one.input_bias_G + one.hidden_bias_G)[:, None] for one in self._both]
        self.bias_DG = np.stack([self._gates(bias_G1)[:, 0] for bias_G1 in biases])
        # As one matrix for both directions, so that one product serves them.
        self._input_EX = np.concatenate([self._gates(one.input_GE) for one in self._both]).T
        self._prepare()

    def _prepare(self) -> None:
        """Lay the memory's weights out as the kernel goes through them."""
        self._memory_DIJW = np.stack([self._tiles(one.hidden_GH) for one in self._both])

    def inputs(self, read_NE: Floats) -> Floats:
        """What the gates get from what is read, (N, D, G)."""
        found_NX: Floats = read_NE @ self._input_EX
        found_NX += self.bias_DG.reshape(-1)
        return found_NX.reshape(-1, *self.bias_DG.shape)

    def states(self, inputs_RDG: Floats, rows_N: Ints, texts: Texts) -> Floats:
        """The states at all tokens, (N, F), given the row of what the gates get at each."""
        states_NDK = self._empty_states(len(rows_N))
        lstm(inputs_RDG, rows_N, texts.starts_B, texts.lengths_B, self._memory_DIJW, states_NDK)
        return self._filled(states_NDK)

    def states_of(self, read_NE: Floats, texts: Texts) -> Floats:
        """The states at all tokens, (N, F), given what is read at each."""
        return self.states(self.inputs(read_NE), np.arange(len(read_NE)), texts)

    def states_above(self, below_NE: Floats, texts: Texts) -> Floats:
        """The same, where it is the states of the layer below that are read."""
        return self.states_of(below_NE, texts)

    def _empty_states(self, count: int) -> Floats:
        return np.empty((count, len(self.bias_DG), self.units), np.float32)

    def _filled(self, states_NDK: Floats) -> Floats:
        """Without the units that only fill up a tile, (N, F)."""
        return states_NDK[:, :, : self.hidden].reshape(len(states_NDK), -1)

    def _gates(self, weight_HX: Tensor) -> Floats:
        """All gates' weights, tile by tile, with units that stay zero to fill up; (G, X)."""
        weight_4HX = array(weight_HX).reshape(4, self.hidden, -1)
        filled_4KX = np.zeros((4, self.units, weight_4HX.shape[2]), np.float32)
        filled_4KX[:, : self.hidden] = weight_4HX * HALVED[:, None, None]
        tiles_4IUX = filled_4KX.reshape(4, -1, UNITS, filled_4KX.shape[2])
        return tiles_4IUX.swapaxes(0, 1).reshape(4 * self.units, -1)

    def _memory(self, hidden_GH: Tensor) -> Floats:
        """What each unit's state adds to the gates, (K, G)."""
        memory_KG = np.zeros((self.units, 4 * self.units), np.float32)
        memory_KG[: self.hidden] = self._gates(hidden_GH).T
        return memory_KG

    def _tiles(self, hidden_GH: Tensor) -> Floats:
        """The memory's weights as the kernel goes through them, (I, J, ROWS x WIDTH)."""
        memory_KIW = self._memory(hidden_GH).reshape(self.units, -1, WIDTH)
        return memory_KIW.swapaxes(0, 1).reshape(self.units // UNITS, -1, ROWS * WIDTH)


class QuantizedLayer(Layer):
    """A layer whose states meet its weights in 8 bits; all else is in float32.

    States are between -1 and 1, so all are rounded to the same steps, and sums of integers have no
    order: no answer depends on which texts share a batch.
    """

    def _prepare(self) -> None:
        self._memory_D = [_Eights.of(self._memory(one.hidden_GH)) for one in self._both]
        self._joint_D = [
            _Eights.of(np.concatenate([self._gates(one.input_GE).T, self._memory(one.hidden_GH)]))
            for one in self._both
        ]
        self._threads = ThreadpoolController()

    def states(self, inputs_RDG: Floats, rows_N: Ints, texts: Texts) -> Floats:
        nothing_N0 = np.empty((len(rows_N), 0), np.int8)
        return self._states(self._memory_D, nothing_N0, inputs_RDG, rows_N, texts)

    def states_above(self, below_NE: Floats, texts: Texts) -> Floats:
        eights_NE = np.empty(below_NE.shape, np.int8)
        quantize(below_NE.reshape(-1), eights_NE.reshape(-1))
        rows_N = np.zeros(len(below_NE), np.int64)
        return self._states(self._joint_D, eights_NE, self.bias_DG[None], rows_N, texts)

    def _states(
        self,
        weights_D: list[_Eights],
        below_NE: npt.NDArray[np.int8],
        inputs_RDG: Floats,
        rows_N: Ints,
        texts: Texts,
    ) -> Floats:
        """A step is one product, of what is below and of the states before, and one kernel."""
        starts_B, lengths_B, (count, width) = texts.starts_B, texts.lengths_B, below_NE.shape
        states_NDK = self._empty_states(count)
        # The texts that still have tokens are always the first ones.
        ended_T = np.searchsorted(lengths_B[::-1], np.arange(lengths_B[0]), side="right")
        # One core a batch, whatever the other products of this process have.
        with self._threads.limit(limits=1, user_api="openmp"):
            for direction, weights in enumerate(weights_D):
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
        return cls(torch.from_numpy(eights_QG), largest_G / np.float32(LARGEST_WEIGHT * STEPS))


def array(weight: Tensor) -> Floats:
    """A tensor's numbers in float32."""
    found: Floats = weight.detach().float().cpu().numpy()
    return found
