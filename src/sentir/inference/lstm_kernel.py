"""An LSTM layer and attention over many texts at once, compiled by Numba: one core, no padding.

Shapes: N all tokens of a batch, one text after the other, B texts, D directions, K hidden units
rounded up to a multiple of `UNITS`, G gates (4 K) stacked as PyTorch does, F features (D x K),
R rows of inputs; of the memory's weights I tiles of `WIDTH` gates, J tiles of `ROWS` units, and W
the weights of both (ROWS x WIDTH).

`sentir.nn.cells.lstm_step` says what is computed. Here the memory's weights are gone through tile
by tile, each met by all texts while it is in the first cache, and the innermost loops have the form
of which the compiler makes vector instructions: neighbouring numbers, a fixed count, few arrays.
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

#: A tile of the memory's weights: with `ROWS` products added to a gate while it is in a register,
#: and tiles of this width, 90 % of a core's multiplications a second are reached.
ROWS, WIDTH = 8, 128
#: Hidden units fill whole tiles: four gates of this many.
UNITS = WIDTH // 4

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
def lstm(
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
        inputs_RDG: what the gates get from the input, biases included.
        rows_N: the row of it for each token.
        starts_B: each text's first token.
        lengths_B: how many tokens it has, at least 1, from the longest text to the shortest.
        memory_DIJW: the memory's weights, in tiles.
    """
    _, directions, units = states_NDK.shape
    texts = len(lengths_B)
    gates_BG = np.empty((texts, 4 * units), np.float32)
    cell_BK = np.empty((texts, units), np.float32)
    for direction in range(directions):
        cell_BK[:] = 0
        # The texts that still have tokens are always the first ones.
        reading = texts
        onward = 1 if direction == 0 else -1
        at_B = starts_B.copy() if direction == 0 else starts_B + lengths_B - 1
        for time in range(lengths_B[0]):
            while lengths_B[reading - 1] <= time:
                reading -= 1
            for text in range(reading):
                input_G, gates_G = inputs_RDG[rows_N[at_B[text]], direction], gates_BG[text]
                for gate in range(4 * units):
                    gates_G[gate] = input_G[gate]
            if time:
                before_B = at_B[:reading] - onward
                add_memory(states_NDK, before_B, direction, memory_DIJW, gates_BG)
            for text in range(reading):
                step(gates_BG[text], cell_BK[text], states_NDK[at_B[text], direction])
                at_B[text] += onward


@compiled
def add_memory(
    states_NDK: Floats, before_B: Ints, direction: int, memory_DIJW: Floats, gates_BG: Floats
) -> None:
    """Add to the gates what they get from the state before, at these tokens."""
    _, tiles, parts, _ = memory_DIJW.shape
    for tile in range(tiles):
        for part in range(parts):
            w = memory_DIJW[direction, tile, part]
            for text in range(len(before_B)):
                h = states_NDK[before_B[text], direction, part * ROWS : part * ROWS + ROWS]
                h0, h1, h2, h3, h4, h5, h6, h7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
                gates = gates_BG[text, tile * WIDTH : tile * WIDTH + WIDTH]
                for at in range(WIDTH):
                    gates[at] += (
                        w[at] * h0 + w[WIDTH + at] * h1
                        + w[2 * WIDTH + at] * h2 + w[3 * WIDTH + at] * h3
                        + w[4 * WIDTH + at] * h4 + w[5 * WIDTH + at] * h5
                        + w[6 * WIDTH + at] * h6 + w[7 * WIDTH + at] * h7
                    )  # fmt: skip


@compiled
def step(gates_G: Floats, cell_K: Floats, state_K: Floats) -> None:
    """From the gates' sums to the cell and the state of the next token."""
    units = len(cell_K)
    for unit in range(units):
        take = HALF + HALF * tanh(gates_G[unit])
        keep = HALF + HALF * tanh(gates_G[units + unit])
        new = tanh(gates_G[2 * units + unit])
        show = HALF + HALF * tanh(gates_G[3 * units + unit])
        cell = keep * cell_K[unit] + take * new
        cell_K[unit] = cell
        state_K[unit] = show * tanh(cell)


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
