"""A GRU layer in training, one direction, ahead and back, compiled by Numba: one core.

Shapes: B texts, N places of text (T x B, the texts of a time together), M those and a time before
the first; K hidden units, a multiple of `UNITS`, G gates (3 K); I tiles of `UNITS` units, whose
gates stand side by side (`GATES` of them: reset, update, candidate); J parts of `ROWS` numbers that
a tile reads, W the weights between both.

`sentir.nn.cells.gru_step` says what is computed. PyTorch's own GRU takes a dozen operations a step,
and as many back; here what a step needs is still in the cache when it is used.
"""

from __future__ import annotations

import numpy as np

from sentir.nn.kernels.availability import UNITS
from sentir.nn.kernels.primitives import HALF, ONE, TEXTS, WIDTH, Floats, add_memory, compiled, tanh

#: Of a tile.
GATES = 3 * UNITS


@compiled
def gru_forward(
    inputs_NG: Floats,
    memory_IJW: Floats,
    bias_K: Floats,
    texts: int,
    states_M1K: Floats,
    gates_NG: Floats,
    seen_NK: Floats,
) -> None:
    """Fill in the states, and what `back` needs of how they came to be.

    Args:
        inputs_NG: what the gates get from the input, and all biases but `bias_K`.
        memory_IJW: the memory's weights, from the units to the gates of a tile.
        bias_K: of what the candidate gets from the state before.
        texts: B.
        states_M1K: the first time of it is the state before the text.
        gates_NG: filled with the gates.
        seen_NK: filled with what the candidate gets from the state before, all of it.
    """
    sums_CX = np.empty((-(-texts // TEXTS), TEXTS * WIDTH), np.float32)
    before_B = np.arange(texts)
    for first in range(0, len(inputs_NG), texts):
        for tile in range(len(memory_IJW)):
            gates = slice(tile * GATES, tile * GATES + GATES)
            units = slice(tile * UNITS, tile * UNITS + UNITS)
            for text in range(texts):
                input_W = inputs_NG[first + text, gates]
                sums_W = sums_CX[text // TEXTS, text % TEXTS * WIDTH :]
                for at in range(2 * UNITS):
                    sums_W[at] = input_W[at]
                for unit in range(UNITS):
                    sums_W[2 * UNITS + unit] = bias_K[tile * UNITS + unit]
            add_memory(states_M1K, before_B, 0, memory_IJW[tile], sums_CX)
            for text in range(texts):
                row = first + text
                sums_W = sums_CX[text // TEXTS, text % TEXTS * WIDTH :]
                input_W, gates_W, seen_U = (
                    inputs_NG[row, gates],
                    gates_NG[row, gates],
                    seen_NK[row, units],
                )
                before_U, state_U = states_M1K[row, 0, units], states_M1K[row + texts, 0, units]
                for unit in range(UNITS):
                    see = HALF + HALF * tanh(HALF * sums_W[unit])
                    keep = HALF + HALF * tanh(HALF * sums_W[UNITS + unit])
                    seen = sums_W[2 * UNITS + unit]
                    new = tanh(input_W[2 * UNITS + unit] + see * seen)
                    gates_W[unit] = see
                    gates_W[UNITS + unit] = keep
                    gates_W[2 * UNITS + unit] = new
                    seen_U[unit] = seen
                    state_U[unit] = new + keep * (before_U[unit] - new)
        before_B += texts


@compiled
def gru_backward(
    slopes_NK: Floats,
    memory_IJW: Floats,
    texts: int,
    states_M1K: Floats,
    gates_NG: Floats,
    seen_NK: Floats,
    sums_N1G: Floats,
    inputs_NG: Floats,
) -> None:
    """From the gradient of the states to that of the inputs and of what the state before gave.

    Args:
        slopes_NK: the gradient of the states, of what is made of them elsewhere.
        memory_IJW: the memory's weights, from the gates to the units of a tile.
        texts: B.
        states_M1K: as `ahead` left them, and the next two.
        gates_NG: the gates.
        seen_NK: what the candidate gets from the state before.
        sums_N1G: filled with the gradient of what the gates get from the state before.
        inputs_NG: filled with the gradient of what they get from the input.
    """
    tiles, last = len(memory_IJW), len(slopes_NK) - texts
    # What a state gets from the times after it.
    later_BK = np.zeros((texts, tiles * UNITS), np.float32)
    sums_CX = np.empty((-(-texts // TEXTS), TEXTS * WIDTH), np.float32)
    at_B = np.arange(texts) + last
    for first in range(last, -1, -texts):
        for text in range(texts):
            row = first + text
            for tile in range(tiles):
                gates = slice(tile * GATES, tile * GATES + GATES)
                units = slice(tile * UNITS, tile * UNITS + UNITS)
                gates_W, sums_W, inputs_W = (
                    gates_NG[row, gates],
                    sums_N1G[row, 0, gates],
                    inputs_NG[row, gates],
                )
                before_U, seen_U = states_M1K[row, 0, units], seen_NK[row, units]
                slopes_U, later_U = slopes_NK[row, units], later_BK[text, units]
                for unit in range(UNITS):
                    see, keep = gates_W[unit], gates_W[UNITS + unit]
                    new = gates_W[2 * UNITS + unit]
                    slope = slopes_U[unit] + later_U[unit]
                    of_new = slope * (ONE - keep) * (ONE - new * new)
                    of_keep = slope * (before_U[unit] - new) * keep * (ONE - keep)
                    of_see = of_new * seen_U[unit] * see * (ONE - see)
                    sums_W[unit] = inputs_W[unit] = of_see
                    sums_W[UNITS + unit] = inputs_W[UNITS + unit] = of_keep
                    sums_W[2 * UNITS + unit] = of_new * see
                    inputs_W[2 * UNITS + unit] = of_new
                    later_U[unit] = slope * keep
        if not first:
            break  # nothing learns from the state before a text
        for tile in range(tiles):
            units = slice(tile * UNITS, tile * UNITS + UNITS)
            for text in range(texts):
                sums_CX[text // TEXTS, text % TEXTS * WIDTH :][:UNITS] = later_BK[text, units]
            add_memory(sums_N1G, at_B, 0, memory_IJW[tile], sums_CX)
            for text in range(texts):
                later_BK[text, units] = sums_CX[text // TEXTS, text % TEXTS * WIDTH :][:UNITS]
        at_B -= texts
