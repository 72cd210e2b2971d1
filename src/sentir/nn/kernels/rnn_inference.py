"""Recurrent layers and attention over many texts at once, compiled by Numba for one core.

Shapes: N all tokens of a batch, one text after the other without padding, B texts, D directions, K
hidden units rounded up to a multiple of `TILE_UNITS`, G sums for them (4 K), F features (D x K), R
rows of inputs; I tiles of `TILE_UNITS` units, whose sums are neighbours (`TILE_SUMS` of them), U
the units of a tile; J parts of `PART_ROWS` units that a tile reads, W the weights between both; C
blocks of `BLOCK_TEXTS` texts, X their sums of a tile (BLOCK_TEXTS x TILE_SUMS).

The readable twins are the steps of `sentir.nn.cells`. Here they are computed tile by tile: a tile's
weights and all texts' sums of it stay in the first cache, and the innermost loops have the form of
which the compiler makes vector instructions: neighbouring numbers, few arrays.

Both cells have four sums per unit. The LSTM's become its gates, and all of them get something from
the previous state. The GRU's first three do: its two gates, and what the candidate gets from the
previous state, which the reset gate scales; what the candidate gets from the input is the fourth.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.primitives import (
    BLOCK_TEXTS,
    HALF,
    TILE_SUMS,
    Floats,
    Ints,
    add_product,
    compiled,
    tanh,
)

#: Steps of a state in 8 bits from 0 to 1.
INT8_STEPS = np.float32(127)
#: A state of 0 in 8 bits, which have no sign: products of such with weights that have one are the
#: fast ones (VNNI).
ZERO_POINT = 128


@compiled
def run_rnn(
    gru: bool,
    inputs_RDG: Floats,
    rows_N: Ints,
    starts_B: Ints,
    lengths_B: Ints,
    weights_DIJW: Floats,
    states_NDK: Floats,
) -> None:
    """Compute the states after all tokens; the second direction reads each text from its end.

    The inputs and the recurrent weights are halved for the gates that are sigmoids, as
    sigmoid(x) = (1 + tanh(x / 2)) / 2.

    Args:
        gru: whether the cell is a GRU; else it is an LSTM.
        inputs_RDG: what the sums get from the input, with biases, tile by tile.
        rows_N: the row of `inputs_RDG` for each token.
        starts_B: each text's first token.
        lengths_B: the tokens of each text, at least 1, from the longest text to the shortest.
        weights_DIJW: the recurrent weights, to the first three (GRU) or four sums of a tile.
        states_NDK: filled with the states.
    """
    directions, tiles, _, _ = weights_DIJW.shape
    texts = len(lengths_B)
    sums_CX = np.empty((-(-texts // BLOCK_TEXTS), BLOCK_TEXTS * TILE_SUMS), np.float32)
    # What a cell carries to its next token: the LSTM its cell state, the GRU its hidden state.
    carried_BK = np.empty((texts, tiles * TILE_UNITS), np.float32)
    for direction in range(directions):
        carried_BK[:] = 0
        # The texts that still have tokens are always the first ones.
        reading = texts
        step = 1 if direction == 0 else -1
        token_B = starts_B.copy() if direction == 0 else starts_B + lengths_B - 1
        for time in range(lengths_B[0]):
            while lengths_B[reading - 1] <= time:
                reading -= 1
            previous_B = token_B[:reading] - step
            for tile in range(tiles):
                units = slice(tile * TILE_UNITS, tile * TILE_UNITS + TILE_UNITS)
                for text in range(reading):
                    input_W = inputs_RDG[rows_N[token_B[text]], direction, tile * TILE_SUMS :]
                    sums_W = sums_CX[text // BLOCK_TEXTS, text % BLOCK_TEXTS * TILE_SUMS :]
                    for i in range(TILE_SUMS):
                        sums_W[i] = input_W[i]
                if time:
                    add_product(
                        states_NDK, previous_B, direction, weights_DIJW[direction, tile], sums_CX
                    )
                for text in range(reading):
                    sums_W = sums_CX[text // BLOCK_TEXTS, text % BLOCK_TEXTS * TILE_SUMS :]
                    state_U = states_NDK[token_B[text], direction, units]
                    if gru:
                        gru_step(sums_W, carried_BK[text, units], state_U)
                    else:
                        lstm_step(sums_W, carried_BK[text, units], state_U)
            token_B[:reading] += step


@compiled
def lstm_step(sums_W: Floats, cell_U: Floats, state_U: Floats) -> None:
    """From the sums of a tile to its cell states, in place, and its hidden states."""
    for unit in range(TILE_UNITS):
        input_gate = HALF + HALF * tanh(sums_W[unit])
        forget = HALF + HALF * tanh(sums_W[TILE_UNITS + unit])
        candidate = tanh(sums_W[2 * TILE_UNITS + unit])
        output_gate = HALF + HALF * tanh(sums_W[3 * TILE_UNITS + unit])
        cell = forget * cell_U[unit] + input_gate * candidate
        cell_U[unit] = cell
        state_U[unit] = output_gate * tanh(cell)


@compiled
def gru_step(sums_W: Floats, previous_U: Floats, state_U: Floats) -> None:
    """From the sums of a tile to its states, which replace those in `previous_U` too."""
    for unit in range(TILE_UNITS):
        reset = HALF + HALF * tanh(sums_W[unit])
        update = HALF + HALF * tanh(sums_W[TILE_UNITS + unit])
        candidate = tanh(sums_W[3 * TILE_UNITS + unit] + reset * sums_W[2 * TILE_UNITS + unit])
        state = candidate + update * (previous_U[unit] - candidate)
        previous_U[unit] = state
        state_U[unit] = state


@compiled
def quantized_step(
    inputs_RDG: Floats,
    rows_N: Ints,
    token_B: Ints,
    direction: int,
    sums_BG: npt.NDArray[np.int32],
    scale_G: Floats,
    cell_BK: Floats,
    state_BK: npt.NDArray[np.uint8],
    states_NDK: Floats,
) -> None:
    """An LSTM's step in one token of each text, from integer sums to states in float32 and 8 bits.

    Args:
        inputs_RDG: what the gates get from the input, as in `run_rnn`.
        rows_N: the row of `inputs_RDG` for each token.
        token_B: the tokens.
        direction: which of the directions.
        sums_BG: what the gates get from the previous states, as integers.
        scale_G: the unit of `sums_BG`, for each gate.
        cell_BK: the cell states, changed in place.
        state_BK: filled with the states in 8 bits.
        states_NDK: filled with the states, at the tokens.
    """
    gates_W = np.empty(TILE_SUMS, np.float32)
    for text in range(len(token_B)):
        input_G, sums_G = inputs_RDG[rows_N[token_B[text]], direction], sums_BG[text]
        for tile in range(len(scale_G) // TILE_SUMS):
            first = tile * TILE_SUMS
            for gate in range(TILE_SUMS):
                i = first + gate
                gates_W[gate] = input_G[i] + scale_G[i] * np.float32(sums_G[i])
            units = slice(tile * TILE_UNITS, tile * TILE_UNITS + TILE_UNITS)
            state_U = states_NDK[token_B[text], direction, units]
            lstm_step(gates_W, cell_BK[text, units], state_U)
            quantize(state_U, state_BK[text, units])


@compiled
def quantize(state_K: Floats, int8_K: npt.NDArray[np.uint8]) -> None:
    """Round states, which are between -1 and 1, to 8 bits; 0 is `ZERO_POINT`."""
    for unit in range(len(state_K)):
        int8_K[unit] = np.int32(np.floor(state_K[unit] * INT8_STEPS + HALF)) + ZERO_POINT


@compiled
def attend(
    states_NF: Floats, starts_B: Ints, lengths_B: Ints, query_F: Floats, pooled_BF: Floats
) -> None:
    """Attention pooling: fill `pooled_BF` with the weighted mean of each text's states.

    The readable twin is `sentir.nn.pooling.Pooling`; `query_F` are the weights of its `score`.
    """
    features = len(query_F)
    weights_T = np.empty(lengths_B[0], np.float32)
    for text in range(len(lengths_B)):
        first, length = starts_B[text], lengths_B[text]
        largest = np.float32(-np.inf)
        for time in range(length):
            state_F, score = states_NF[first + time], np.float32(0)
            for feature in range(features):
                score += query_F[feature] * tanh(state_F[feature])
            weights_T[time] = score
            largest = max(largest, score)
        total = np.float32(0)
        for time in range(length):
            weights_T[time] = np.exp(weights_T[time] - largest)
            total += weights_T[time]
        pooled_F = pooled_BF[text]
        pooled_F[:] = 0
        for time in range(length):
            state_F, weight = states_NF[first + time], weights_T[time] / total
            for feature in range(features):
                pooled_F[feature] += weight * state_F[feature]
