"""A QRNN layer in the form that the kernel `sentir.nn.kernels.qrnn.run_qrnn` takes.

Shapes: N tokens of a batch without padding, E numbers per token that a layer reads, D directions, H
hidden units, F features (D x H), G gates (3 H); R rows of sums, S the sums of a row and direction
(2 G): what a token adds to its own gates, then what it adds to those of the next token.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sentir.inference.network import QrnnWeights
from sentir.inference.packed import PackedBatch
from sentir.nn.kernels.primitives import Floats, Ints
from sentir.nn.kernels.qrnn import run_qrnn


class QrnnLayer:
    """A layer in float32, with the methods of `sentir.inference.numba_layer.NumbaLayer`.

    Args:
        directions: the weights of each direction, the forward one first.
    """

    def __init__(self, directions: Sequence[QrnnWeights]) -> None:
        self.hidden_size = len(directions[0].bias_G) // 3
        # Of the sums of the two gates that are sigmoids, see `run_qrnn`.
        halves_G = np.repeat(np.array([0.5, 1, 0.5], np.float32), self.hidden_size)
        self.bias_DS = np.stack(
            [np.concatenate([weights.bias_G * halves_G, 0 * halves_G]) for weights in directions]
        )
        self.sums_per_row = self.bias_DS.size
        self._input_EX = np.concatenate(
            [
                gates_GE * halves_G[:, None]
                for weights in directions
                for gates_GE in (weights.input_GE, weights.previous_GE)
            ]
        ).T

    def input_sums(self, inputs_NE: Floats) -> Floats:
        """What tokens or words add to the sums, (N, D, S)."""
        sums_NX: Floats = inputs_NE @ self._input_EX
        sums_NX += self.bias_DS.reshape(-1)
        return sums_NX.reshape(-1, *self.bias_DS.shape)

    def states(self, sums_RDS: Floats, rows_N: Ints, texts: PackedBatch) -> Floats:
        """The states at all tokens, (N, F).

        Args:
            sums_RDS: rows of `input_sums`.
            rows_N: the row of each token.
            texts: the batch.
        """
        states_NDH = np.empty((len(rows_N), len(self.bias_DS), self.hidden_size), np.float32)
        run_qrnn(sums_RDS, rows_N, texts.starts_B, texts.lengths_B, states_NDH)
        return states_NDH.reshape(len(rows_N), -1)

    def states_of_states(self, lower_NE: Floats, texts: PackedBatch) -> Floats:
        """The states at all tokens, (N, F), from the states of the layer below."""
        return self.states(self.input_sums(lower_NE), np.arange(len(lower_NE)), texts)

    states_of_input = states_of_states
