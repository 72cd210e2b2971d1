"""What the kernels have in common, compiled by Numba: the product of states and weights, and tanh.

Shapes: N tokens, B texts, D directions, K numbers that a token holds; I tiles, J parts of `ROWS` of
those numbers, W the weights from such a part to the sums of a tile; R rows of weights, one for each
number; C blocks of `TEXTS` texts, X their sums (TEXTS x WIDTH).

Numba keeps what it has compiled until the file of the function changes, not those of the functions
that it calls: after a change here, delete the ``*.nbi`` of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from sentir.nn.kernels.availability import UNITS

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Compiled = TypeVar("Compiled", bound=Callable[..., Any])

#: A tile of units has four sums for each.
WIDTH = 4 * UNITS
#: A weight meets `TEXTS` texts while it is in a register, and a sum gets `ROWS` products: so nine
#: tenths of a core's multiplications a second are reached with AVX-512, and no fewer with AVX2.
TEXTS, ROWS = 4, 4

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


def in_parts(weights_RIW: Floats) -> Floats:
    """Weights from rows to the sums of each tile, as `add_memory` goes through them, (I, J, W)."""
    _, tiles, width = weights_RIW.shape
    return weights_RIW.swapaxes(0, 1).reshape(tiles, -1, ROWS * width)


@compiled
def tanh(x: np.float32) -> np.float32:
    x = min(max(x, -FAR), FAR)
    square = x * x
    above = (((P4 * square + P3) * square + P2) * square + P1) * square + P0
    below = (((Q4 * square + Q3) * square + Q2) * square + Q1) * square + ONE
    return x * above / below


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
