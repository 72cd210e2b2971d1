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

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Compiled = TypeVar("Compiled", bound=Callable[..., Any])

#: Hidden units fill whole tiles of this many, with four sums each.
UNITS = 32
WIDTH = 4 * UNITS
#: A weight meets `TEXTS` texts while it is in a register, and a sum gets `ROWS` products: so nine
#: tenths of a core's multiplications a second are reached with AVX-512, and no fewer with AVX2.
TEXTS, ROWS = 4, 4

#: A state in 8 bits counts steps, so many of them up to 1.
STEPS = np.float32(127)

#: Beyond it tanh is 1 to the last digit but one of float32.
FAR = np.float32(8)
HALF, ONE = np.float32(0.5), np.float32(1)
# x P(x^2) / Q(x^2) is within 6e-9 of tanh up to `FAR`, and in float32 within 4e-7 everywhere: the
# best fraction of these degrees, found by the differential correction algorithm (Barrodale, Powell
# and Roberts 1972).
P0, P1, P2, P3, P4 = (
    np.float32(value)
    for value in (9.999999734071979e-1, 1.3439641323909e-1, 3.565893156990668e-3,
                  2.180272671282e-5, 1.5105191801132e-8)
)  # fmt: skip
Q1, Q2, Q3, Q4 = (
    np.float32(value)
    for value in (4.677296282986962e-1, 2.614258266817135e-2, 3.402054358191638e-4,
                  8.470827968367e-7)
)  # fmt: skip


def compiled(function: Compiled) -> Compiled:
    """Compile at the first call and keep the outcome on disk, where there is a place for it.

    Sums may be taken in any order; Python's lock is let go; a division is not checked for zero,
    as that keeps it from being made a vector instruction.
    """
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract", "reassoc", "arcp", "nsz", "nnan"},
    }
    try:
        made: Compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither the folder of this file nor the user's own can be written to
        made = numba.njit(**options)(function)
    return made


@compiled
def tanh(x: np.float32) -> np.float32:
    x = min(max(x, -FAR), FAR)
    square = x * x
    above = (((P4 * square + P3) * square + P2) * square + P1) * square + P0
    below = (((Q4 * square + Q3) * square + Q2) * square + Q1) * square + ONE
    return x * above / below


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
def add_memory(
    states_NDK: Floats, before_B: Ints, direction: int, memory_JW: Floats, sums_CX: Floats
) -> None:
    """Add to the first sums of a tile what they get from the state before, at these tokens."""
    blocks, count = len(before_B) // TEXTS, memory_JW.shape[1] // ROWS
    for part in range(len(memory_JW)):
        w = memory_JW[part]
        rows = slice(part * ROWS, part * ROWS + ROWS)
        for block in range(blocks):
            first = block * TEXTS
            a = states_NDK[before_B[first], direction, rows]
            b = states_NDK[before_B[first + 1], direction, rows]
            c = states_NDK[before_B[first + 2], direction, rows]
            d = states_NDK[before_B[first + 3], direction, rows]
            a0, a1, a2, a3 = a[0], a[1], a[2], a[3]
            b0, b1, b2, b3 = b[0], b[1], b[2], b[3]
            c0, c1, c2, c3 = c[0], c[1], c[2], c[3]
            d0, d1, d2, d3 = d[0], d[1], d[2], d[3]
            sums_X = sums_CX[block]
            for at in range(count):
                w0, w1, w2, w3 = w[at], w[count + at], w[2 * count + at], w[3 * count + at]
                sums_X[at] += w0 * a0 + w1 * a1 + w2 * a2 + w3 * a3
                sums_X[WIDTH + at] += w0 * b0 + w1 * b1 + w2 * b2 + w3 * b3
                sums_X[2 * WIDTH + at] += w0 * c0 + w1 * c1 + w2 * c2 + w3 * c3
                sums_X[3 * WIDTH + at] += w0 * d0 + w1 * d1 + w2 * d2 + w3 * d3
        for text in range(blocks * TEXTS, len(before_B)):  # those that fill no block
            h = states_NDK[before_B[text], direction, rows]
            h0, h1, h2, h3 = h[0], h[1], h[2], h[3]
            sums_W = sums_CX[blocks, text % TEXTS * WIDTH :]
            for at in range(count):
                sums_W[at] += (
                    w[at] * h0
                    + w[count + at] * h1
                    + w[2 * count + at] * h2
                    + w[3 * count + at] * h3
                )


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
