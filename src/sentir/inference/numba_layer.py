"""Recurrent layers in the form that the kernels of `sentir.nn.kernels.rnn_inference` take.

Shapes: N tokens of a batch without padding, B texts, E numbers per token that a layer reads, D
directions, H hidden units, K these rounded up to a multiple of `TILE_UNITS`, G the sums of a layer
(4 K), F features (D x H), R rows of input sums, Q numbers per token in int8 (the states of the
layer below, if it has one, and the previous state), T time. Of the weights: I tiles, U the units
of a tile, J parts of a tile's rows, W weights of such a part, X any number of columns, Y PyTorch's
gates.

The kernels compute four sums per unit, from which the gates and the candidate follow; the sums of a
tile of units are neighbours in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.inference.int8_product import MAX_INT8_WEIGHT, Int8Product
from sentir.inference.network import RnnWeights
from sentir.inference.packed import PackedBatch
from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.primitives import TILE_SUMS, Floats, Ints, pack_weights
from sentir.nn.kernels.rnn_inference import (
    INT8_STEPS,
    ZERO_POINT,
    quantize,
    quantized_step,
    run_rnn,
)


class _SumsOfGates(NamedTuple):
    """Which of a unit's four sums each of PyTorch's gates, in its order, adds to.

    Attributes:
        input: for the gates' input weights.
        hidden: for their recurrent weights.
        halved: the sums of sigmoids, see `run_rnn`.
    """

    input: list[int]
    hidden: list[int]
    halved: list[int]


#: The cells that the kernels compute.
CELLS = {
    "lstm": _SumsOfGates(input=[0, 1, 2, 3], hidden=[0, 1, 2, 3], halved=[0, 1, 3]),
    "gru": _SumsOfGates(input=[0, 1, 3], hidden=[0, 1, 2], halved=[0, 1]),
}


class NumbaLayer:
    """A layer in float32.

    Args:
        directions: the weights of each direction, the forward one first.
        cell: one of `CELLS`.
        is_upper: whether it reads the states of another layer, by `states_of_states`.
    """

    def __init__(self, directions: Sequence[RnnWeights], cell: str, *, is_upper: bool) -> None:
        self._weights_D = directions
        self._is_gru, self._gates = cell == "gru", CELLS[cell]
        self.hidden_size = directions[0].hidden_GH.shape[1]
        self.units = -(-self.hidden_size // TILE_UNITS) * TILE_UNITS
        self.bias_DG = np.stack(
            [
                self._sums_of(weights.input_bias_G, self._gates.input)[:, 0]
                + self._sums_of(weights.hidden_bias_G, self._gates.hidden)[:, 0]
                for weights in self._weights_D
            ]
        )
        self.sums_per_row = self.bias_DG.size
        # One matrix for both directions, so that one product serves them.
        self._input_EX = np.concatenate(
            [self._input_weights(weights.input_GE) for weights in self._weights_D]
        ).T
        self._pack(is_upper=is_upper)

    def _pack(self, *, is_upper: bool) -> None:
        """Pack the recurrent weights in the order in which a step reads them."""
        self._hidden_DIJW = np.stack(
            [self._packed(weights.hidden_GH) for weights in self._weights_D]
        )

    def input_sums(self, inputs_NE: Floats) -> Floats:
        """What the input and the biases add to the sums, (N, D, G)."""
        sums_NX: Floats = inputs_NE @ self._input_EX
        sums_NX += self.bias_DG.reshape(-1)
        return sums_NX.reshape(-1, *self.bias_DG.shape)

    def states(self, inputs_RDG: Floats, rows_N: Ints, texts: PackedBatch) -> Floats:
        """The states at all tokens, (N, F).

        Args:
            inputs_RDG: rows of `input_sums`.
            rows_N: the row of each token.
            texts: the batch.
        """
        states_NDK = self._empty_states(len(rows_N))
        run_rnn(
            self._is_gru, inputs_RDG, rows_N, texts.starts_B, texts.lengths_B,
            self._hidden_DIJW, states_NDK,
        )  # fmt: skip
        return self._without_fill(states_NDK)

    def states_of_input(self, inputs_NE: Floats, texts: PackedBatch) -> Floats:
        """The states at all tokens, (N, F), from what is read at each."""
        return self.states(self.input_sums(inputs_NE), np.arange(len(inputs_NE)), texts)

    def states_of_states(self, lower_NE: Floats, texts: PackedBatch) -> Floats:
        """The states at all tokens, (N, F), from the states of the layer below."""
        return self.states_of_input(lower_NE, texts)

    def _empty_states(self, count: int) -> Floats:
        return np.empty((count, len(self.bias_DG), self.units), np.float32)

    def _without_fill(self, states_NDK: Floats) -> Floats:
        """Without the units that only fill up the last tile, (N, F)."""
        return states_NDK[:, :, : self.hidden_size].reshape(len(states_NDK), -1)

    def _sums_of(self, weights: Floats, sums: list[int]) -> Floats:
        """The weights or biases of PyTorch's gates to all sums, tile by tile, (G, X).

        What only fills up the last tile is zero.
        """
        gates_YHX = weights.reshape(len(sums), self.hidden_size, -1)
        sums_4KX = np.zeros((4, self.units, gates_YHX.shape[2]), np.float32)
        sums_4KX[sums, : self.hidden_size] = gates_YHX
        sums_4KX[self._gates.halved] /= 2
        tiles_4IUX = sums_4KX.reshape(4, -1, TILE_UNITS, sums_4KX.shape[2])
        return tiles_4IUX.swapaxes(0, 1).reshape(4 * self.units, -1)

    def _input_weights(self, input_GE: Floats) -> Floats:
        """The weights from the input to the sums, (G, E)."""
        return self._sums_of(input_GE, self._gates.input)

    def _hidden_weights(self, hidden_GH: Floats) -> Floats:
        """The weights from the previous state to the sums, (K, G)."""
        weights_KG = np.zeros((self.units, 4 * self.units), np.float32)
        weights_KG[: self.hidden_size] = self._sums_of(hidden_GH, self._gates.hidden).T
        return weights_KG

    def _packed(self, hidden_GH: Floats) -> Floats:
        """The recurrent weights in the order in which the kernel reads them, (I, J, W)."""
        width = len(self._gates.hidden) * TILE_UNITS
        weights_KIW = self._hidden_weights(hidden_GH).reshape(self.units, -1, TILE_SUMS)
        return pack_weights(weights_KIW[:, :, :width])


class Int8Layer(NumbaLayer):
    """An LSTM layer with the products of states and weights in int8; all else is in float32.

    States lie between -1 and 1, so all of them are rounded to the same steps. Sums of integers do
    not depend on their order: the answers do not depend on which texts share a batch.
    """

    def _pack(self, *, is_upper: bool) -> None:
        weights_D = [self._hidden_weights(weights.hidden_GH) for weights in self._weights_D]
        if is_upper:
            weights_D = [
                np.concatenate([self._input_weights(weights.input_GE).T, hidden_KG])
                for weights, hidden_KG in zip(self._weights_D, weights_D, strict=True)
            ]
        self._int8_D = [_Int8Weights.of(weights_QG) for weights_QG in weights_D]
        self._products_D = [Int8Product(weights.int8_QG, ZERO_POINT) for weights in self._int8_D]

    def states(self, inputs_RDG: Floats, rows_N: Ints, texts: PackedBatch) -> Floats:
        nothing_N0 = np.empty((len(rows_N), 0), np.uint8)
        return self._states(nothing_N0, inputs_RDG, rows_N, texts)

    def states_of_states(self, lower_NE: Floats, texts: PackedBatch) -> Floats:
        int8_NE = np.empty(lower_NE.shape, np.uint8)
        quantize(lower_NE.reshape(-1), int8_NE.reshape(-1))
        rows_N = np.zeros(len(lower_NE), np.int64)
        return self._states(int8_NE, self.bias_DG[None], rows_N, texts)

    def _states(
        self, lower_NE: npt.NDArray[np.uint8], inputs_RDG: Floats, rows_N: Ints, texts: PackedBatch
    ) -> Floats:
        """Each step is one product, of the lower and the previous states, and one kernel."""
        starts_B, lengths_B, (count, width) = texts.starts_B, texts.lengths_B, lower_NE.shape
        states_NDK = self._empty_states(count)
        # The texts that still have tokens are always the first ones.
        ended_T = np.searchsorted(lengths_B[::-1], np.arange(lengths_B[0]), side="right")
        for direction, (weights, product) in enumerate(
            zip(self._int8_D, self._products_D, strict=True)
        ):
            step = 1 if direction == 0 else -1
            token_B = starts_B.copy() if direction == 0 else starts_B + lengths_B - 1
            read_BQ = np.full((len(lengths_B), width + self.units), ZERO_POINT, np.uint8)
            lower_BE, state_BK = np.split(read_BQ, [width], axis=1)
            cell_BK = np.zeros((len(lengths_B), self.units), np.float32)
            for reading in len(lengths_B) - ended_T:
                token_B = token_B[:reading]
                lower_BE[:reading] = lower_NE[token_B]
                quantized_step(
                    inputs_RDG, rows_N, token_B, direction, product(read_BQ[:reading]),
                    weights.scale_G, cell_BK, state_BK, states_NDK,
                )  # fmt: skip
                token_B += step
        return self._without_fill(states_NDK)


class _Int8Weights(NamedTuple):
    """Weights in int8, and the factor of each sum of their products with states in int8."""

    int8_QG: npt.NDArray[np.int8]
    scale_G: Floats

    @classmethod
    def of(cls, weights_QG: Floats) -> _Int8Weights:
        largest_G = np.maximum(np.abs(weights_QG).max(axis=0), np.float32(1e-12))
        int8_QG = np.rint(weights_QG * (MAX_INT8_WEIGHT / largest_G)).astype(np.int8)
        scale_G = largest_G / np.float32(MAX_INT8_WEIGHT * INT8_STEPS)
        return cls(int8_QG, scale_G)
