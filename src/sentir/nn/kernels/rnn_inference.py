"""A recurrent layer and attention over many texts at once, compiled by Numba: one core, no padding.

Shapes: N all tokens of a batch, one text after the other, B texts, D directions, K hidden units
rounded up to a multiple of `UNITS`, G sums for them (4 K), F features (D x K), R rows of inputs; I
tiles of `UNITS` units, whose sums stand side by side (`WIDTH` of them), J parts of `ROWS` units
that a tile reads, W the weights between both; C blocks of `TEXTS` texts, X their sums of a tile
(TEXTS x WIDTH).

`sentir.nn.cells` says what is computed. Here it is computed tile by tile: a tile's weights and all
texts' sums of it stay in the first cache, and the innermost loops have the form of which the
compiler makes vector instructions: neighbouring numbers, few arrays.

Both cells have four sums a unit. The LSTM's become its gates, and all get something from the state
before. The GRU's first three do: its gates, and what its candidate gets from the state, which the
reset gate scales; what that gets from the input is the fourth.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sentir.nn.kernels.availability import UNITS
from sentir.nn.kernels.primitives import (
    HALF,
    TEXTS,
    WIDTH,
    Floats,
    Ints,
    add_memory,
    compiled,
    tanh,
)

#: A state in 8 bits counts steps, so many of them up to 1.
STEPS = np.float32(127)


@compiled
def recur(
    gru: bool,
    inputs_RDG: Floats,
    rows_N: Ints,
    starts_B: Ints,
    lengths_B: Ints,
    memory_DIJW: Floats,
    states_NDK: Floats,
) -> None:
    """Fill `states_NDK` with the states at all tokens, the second direction read from the end.

    The inputs and the memory's weights are halved for the gates that are sigmoids, as
    sigmoid(x) = (1 + tanh(x / 2)) / 2.

    Args:
        gru: which cell, a GRU or an LSTM.
        inputs_RDG: what the sums get from the input, biases included, tile by tile.
        rows_N: the row of it for each token.
        starts_B: each text's first token.
        lengths_B: how many tokens it has, at least 1, from the longest text to the shortest.
        memory_DIJW: the memory's weights, to the first sums of a tile, as many as get something.
    """
    directions, tiles, _, _ = memory_DIJW.shape
    texts = len(lengths_B)
    sums_CX = np.empty((-(-texts // TEXTS), TEXTS * WIDTH), np.float32)
    # What a cell carries on to its next token: the LSTM its cell state, the GRU its only one.
    carried_BK = np.empty((texts, tiles * UNITS), np.float32)
    for direction in range(directions):
        carried_BK[:] = 0
        # The texts that still have tokens are always the first ones.
        reading = texts
        onward = 1 if direction == 0 else -1
        at_B = starts_B.copy() if direction == 0 else starts_B + lengths_B - 1
        for time in range(lengths_B[0]):
            while lengths_B[reading - 1] <= time:
                reading -= 1
            before_B = at_B[:reading] - onward
            for tile in range(tiles):
                units = slice(tile * UNITS, tile * UNITS + UNITS)
                for text in range(reading):
                    input_W = inputs_RDG[rows_N[at_B[text]], direction, tile * WIDTH :]
                    sums_W = sums_CX[text // TEXTS, text % TEXTS * WIDTH :]
                    for at in range(WIDTH):
                        sums_W[at] = input_W[at]
                if time:
                    add_memory(
                        states_NDK, before_B, direction, memory_DIJW[direction, tile], sums_CX
                    )
                for text in range(reading):
                    sums_W = sums_CX[text // TEXTS, text % TEXTS * WIDTH :]
                    state_U = states_NDK[at_B[text], direction, units]
                    if gru:
                        gru_step(sums_W, carried_BK[text, units], state_U)
                    else:
                        lstm_step(sums_W, carried_BK[text, units], state_U)
            at_B[:reading] += onward


@compiled
def lstm_step(sums_W: Floats, cell_U: Floats, state_U: Floats) -> None:
    """From the sums of a tile to its cells and its states of the next token."""
    for unit in range(UNITS):
        take = HALF + HALF * tanh(sums_W[unit])
        keep = HALF + HALF * tanh(sums_W[UNITS + unit])
        new = tanh(sums_W[2 * UNITS + unit])
        show = HALF + HALF * tanh(sums_W[3 * UNITS + unit])
        cell = keep * cell_U[unit] + take * new
        cell_U[unit] = cell
        state_U[unit] = show * tanh(cell)


@compiled
def gru_step(sums_W: Floats, before_U: Floats, state_U: Floats) -> None:
    """From the sums of a tile to its states of the next token, which are kept in `before_U` too."""
    for unit in range(UNITS):
        see = HALF + HALF * tanh(sums_W[unit])
        keep = HALF + HALF * tanh(sums_W[UNITS + unit])
        new = tanh(sums_W[3 * UNITS + unit] + see * sums_W[2 * UNITS + unit])
        state = new + keep * (before_U[unit] - new)
        before_U[unit] = state
        state_U[unit] = state


@compiled
def quantized_step(
    inputs_RDG: Floats,
    rows_N: Ints,
    at_B: Ints,
    direction: int,
    sums_BG: npt.NDArray[np.int32],
    scale_G: Floats,
    cell_BK: Floats,
    state_BK: npt.NDArray[np.int8],
    states_NDK: Floats,
) -> None:
    """A token of each text, an LSTM: from sums of integers to the states, in float32 and 8 bits.

    Args:
        inputs_RDG: what the gates get from the input, as `recur` has it.
        rows_N: the row of it for each token.
        at_B: the tokens.
        direction: which of the directions.
        sums_BG: what the gates get from the states before, to be multiplied by `scale_G`.
        scale_G: for each gate.
        cell_BK: the cells, which are changed.
        state_BK: filled with the states in 8 bits.
        states_NDK: filled with the states, at the tokens.
    """
    gates_W = np.empty(WIDTH, np.float32)
    for text in range(len(at_B)):
        input_G, sums_G = inputs_RDG[rows_N[at_B[text]], direction], sums_BG[text]
        for tile in range(len(scale_G) // WIDTH):
            first = tile * WIDTH
            for gate in range(WIDTH):
                at = first + gate
                gates_W[gate] = input_G[at] + scale_G[at] * np.float32(sums_G[at])
            units = slice(tile * UNITS, tile * UNITS + UNITS)
            state_U = states_NDK[at_B[text], direction, units]
            lstm_step(gates_W, cell_BK[text, units], state_U)
            quantize(state_U, state_BK[text, units])


@compiled
def quantize(state_K: Floats, eights_K: npt.NDArray[np.int8]) -> None:
    """Round states to 8 bits."""
    for unit in range(len(state_K)):
        eights_K[unit] = np.int8(np.floor(state_K[unit] * STEPS + HALF))


@compiled
def attend(
    states_NF: Floats, starts_B: Ints, lengths_B: Ints, query_F: Floats, pooled_BF: Floats
) -> None:
    """Fill `pooled_BF` with the mean of each text's states, weighted as the query says."""
    features = len(query_F)
    share_T = np.empty(lengths_B[0], np.float32)
    for text in range(len(lengths_B)):
        first, length = starts_B[text], lengths_B[text]
        largest = np.float32(-np.inf)
        for at in range(length):
            state_F, score = states_NF[first + at], np.float32(0)
            for feature in range(features):
                score += query_F[feature] * tanh(state_F[feature])
            share_T[at] = score
            largest = max(largest, score)
        total = np.float32(0)
        for at in range(length):
            share_T[at] = np.exp(share_T[at] - largest)
            total += share_T[at]
        pooled_F = pooled_BF[text]
        pooled_F[:] = 0
        for at in range(length):
            state_F, share = states_NF[first + at], share_T[at] / total
            for feature in range(features):
                pooled_F[feature] += share * state_F[feature]
