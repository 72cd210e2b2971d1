"""A GRU in training, one direction, forward and backward pass, compiled by Numba for one core.

Shapes: B texts, N tokens (T x B, those of a time together), M these and one time before the first;
K hidden units, a multiple of `TILE_UNITS`, G gates (3 K); I tiles of `TILE_UNITS` units, whose
gates are neighbours (`TILE_GATES` of them: reset, update, candidate), U the units of a tile; J
parts of `PART_ROWS` numbers, W the weights from a part to the sums of a tile; C blocks of texts, X
their sums.

The readable twin is `sentir.nn.cells.gru_step`. PyTorch's GRU makes a dozen passes over memory per
step, and as many in the backward pass; here what a step needs is still in the cache when it is
used.
"""

from __future__ import annotations

import numpy as np

from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.primitives import (
    BLOCK_TEXTS,
    HALF,
    ONE,
    TILE_SUMS,
    Floats,
    add_product,
    compiled,
    tanh,
)

#: Gates of a tile.
TILE_GATES = 3 * TILE_UNITS


@compiled
def gru_forward(
    inputs_NG: Floats,
    weights_IJW: Floats,
    bias_K: Floats,
    texts: int,
    states_M1K: Floats,
    gates_NG: Floats,
    candidate_hidden_NK: Floats,
) -> None:
    """Compute the states, and keep what `gru_backward` needs.

    Args:
        inputs_NG: what the gates get from the input, with all biases but `bias_K`.
        weights_IJW: the recurrent weights, from the units to the gates of a tile.
        bias_K: the bias that the reset gate scales: of the candidate, from the previous state.
        texts: B.
        states_M1K: its first time holds the state before the text; the others are filled.
        gates_NG: filled with the gates.
        candidate_hidden_NK: filled with what the candidate gets from the previous state, before the
            reset gate scales it.
    """
    sums_CX = np.empty((-(-texts // BLOCK_TEXTS), BLOCK_TEXTS * TILE_SUMS), np.float32)
    previous_B = np.arange(texts)
    for first in range(0, len(inputs_NG), texts):
        for tile in range(len(weights_IJW)):
            gates = slice(tile * TILE_GATES, tile * TILE_GATES + TILE_GATES)
            units = slice(tile * TILE_UNITS, tile * TILE_UNITS + TILE_UNITS)
            for text in range(texts):
                input_W = inputs_NG[first + text, gates]
                sums_W = sums_CX[text // BLOCK_TEXTS, text % BLOCK_TEXTS * TILE_SUMS :]
                for gate in range(2 * TILE_UNITS):
                    sums_W[gate] = input_W[gate]
                for unit in range(TILE_UNITS):
                    sums_W[2 * TILE_UNITS + unit] = bias_K[tile * TILE_UNITS + unit]
            add_product(states_M1K, previous_B, 0, weights_IJW[tile], sums_CX)
            for text in range(texts):
                row = first + text
                sums_W = sums_CX[text // BLOCK_TEXTS, text % BLOCK_TEXTS * TILE_SUMS :]
                input_W, gates_W, hidden_U = (
                    inputs_NG[row, gates],
                    gates_NG[row, gates],
                    candidate_hidden_NK[row, units],
                )
                previous_U = states_M1K[row, 0, units]
                state_U = states_M1K[row + texts, 0, units]
                for unit in range(TILE_UNITS):
                    reset = HALF + HALF * tanh(HALF * sums_W[unit])
                    update = HALF + HALF * tanh(HALF * sums_W[TILE_UNITS + unit])
                    hidden = sums_W[2 * TILE_UNITS + unit]
                    candidate = tanh(input_W[2 * TILE_UNITS + unit] + reset * hidden)
                    gates_W[unit] = reset
                    gates_W[TILE_UNITS + unit] = update
                    gates_W[2 * TILE_UNITS + unit] = candidate
                    hidden_U[unit] = hidden
                    state_U[unit] = candidate + update * (previous_U[unit] - candidate)
        previous_B += texts


@compiled
def gru_backward(
    state_grads_NK: Floats,
    weights_IJW: Floats,
    texts: int,
    states_M1K: Floats,
    gates_NG: Floats,
    candidate_hidden_NK: Floats,
    hidden_grads_N1G: Floats,
    input_grads_NG: Floats,
) -> None:
    """From the gradient of the states to that of what the gates get.

    Args:
        state_grads_NK: the gradient of the states, from their use outside the layer.
        weights_IJW: the recurrent weights, from the gates to the units of a tile.
        texts: B.
        states_M1K: as `gru_forward` left them, and the next two.
        gates_NG: the gates.
        candidate_hidden_NK: what the candidate gets from the previous state.
        hidden_grads_N1G: filled with the gradient of what the gates get from the previous state.
        input_grads_NG: filled with the gradient of what they get from the input.
    """
    tiles, last = len(weights_IJW), len(state_grads_NK) - texts
    # The gradient that a state gets from later times.
    later_grads_BK = np.zeros((texts, tiles * TILE_UNITS), np.float32)
    sums_CX = np.empty((-(-texts // BLOCK_TEXTS), BLOCK_TEXTS * TILE_SUMS), np.float32)
    token_B = np.arange(texts) + last
    for first in range(last, -1, -texts):
        for text in range(texts):
            row = first + text
            for tile in range(tiles):
                gates = slice(tile * TILE_GATES, tile * TILE_GATES + TILE_GATES)
                units = slice(tile * TILE_UNITS, tile * TILE_UNITS + TILE_UNITS)
                gates_W, hidden_grads_W, input_grads_W = (
                    gates_NG[row, gates],
                    hidden_grads_N1G[row, 0, gates],
                    input_grads_NG[row, gates],
                )
                previous_U, hidden_U = states_M1K[row, 0, units], candidate_hidden_NK[row, units]
                state_grads_U, later_U = state_grads_NK[row, units], later_grads_BK[text, units]
                for unit in range(TILE_UNITS):
                    reset, update = gates_W[unit], gates_W[TILE_UNITS + unit]
                    candidate = gates_W[2 * TILE_UNITS + unit]
                    grad = state_grads_U[unit] + later_U[unit]
                    candidate_grad = grad * (ONE - update) * (ONE - candidate * candidate)
                    update_grad = grad * (previous_U[unit] - candidate) * update * (ONE - update)
                    reset_grad = candidate_grad * hidden_U[unit] * reset * (ONE - reset)
                    hidden_grads_W[unit] = input_grads_W[unit] = reset_grad
                    hidden_grads_W[TILE_UNITS + unit] = update_grad
                    input_grads_W[TILE_UNITS + unit] = update_grad
                    hidden_grads_W[2 * TILE_UNITS + unit] = candidate_grad * reset
                    input_grads_W[2 * TILE_UNITS + unit] = candidate_grad
                    later_U[unit] = grad * update
        if not first:
            break  # the state before a text is constant
        for tile in range(tiles):
            units = slice(tile * TILE_UNITS, tile * TILE_UNITS + TILE_UNITS)
            for text in range(texts):
                sums_W = sums_CX[text // BLOCK_TEXTS, text % BLOCK_TEXTS * TILE_SUMS :]
                sums_W[:TILE_UNITS] = later_grads_BK[text, units]
            add_product(hidden_grads_N1G, token_B, 0, weights_IJW[tile], sums_CX)
            for text in range(texts):
                sums_W = sums_CX[text // BLOCK_TEXTS, text % BLOCK_TEXTS * TILE_SUMS :]
                later_grads_BK[text, units] = sums_W[:TILE_UNITS]
        token_B -= texts
