"""What the kernels share, compiled by Numba: tanh, and the product of states and weights.

Shapes: N tokens, B texts, D directions, K numbers per token, J parts of `PART_ROWS` of them, W the
weights from such a part to the sums of a tile; I tiles, R rows of weights, one per number; C blocks
of `BLOCK_TEXTS` texts, X their sums (BLOCK_TEXTS x TILE_SUMS).

Numba recompiles a function when its file changes, but not when the functions that it calls change:
after a change here, delete the ``*.nbi`` files of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from sentir.nn.kernels.availability import TILE_UNITS

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])

#: A tile of units has four sums for each.
TILE_SUMS = 4 * TILE_UNITS
#: A weight is multiplied with `BLOCK_TEXTS` texts while it is in a register, and a sum gets
#: `PART_ROWS` products at a time: this reaches nine tenths of a core's peak with AVX-512, and as
#: much with AVX2.
BLOCK_TEXTS, PART_ROWS = 4, 4

#: Above it tanh is 1 to the last digit but one of float32.
MAX_TANH_INPUT = np.float32(8)
HALF, ONE = np.float32(0.5), np.float32(1)
# x P(x^2) / Q(x^2) is within 6e-9 of tanh up to `MAX_TANH_INPUT`, and in float32 within 4e-7
# everywhere: the best rational approximation of these degrees, found by the differential correction
# algorithm (Barrodale, Powell and Roberts 1972).
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


def compiled(function: Function) -> Function:
    """Compile a function at its first call and cache the result on disk, if that can be written.

    Sums may be reordered; Python's global lock is released; a division is not checked for zero,
    which would prevent vector instructions.
    """
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract", "reassoc", "arcp", "nsz", "nnan"},
    }
    try:
        kernel: Function = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither this file's folder nor the user's cache can be written
        kernel = numba.njit(**options)(function)
    return kernel


def pack_weights(weights_RIW: Floats) -> Floats:
    """Weights from rows to the sums of each tile, in the order of `add_product`, (I, J, W)."""
    _, tiles, sums = weights_RIW.shape
    return weights_RIW.swapaxes(0, 1).reshape(tiles, -1, PART_ROWS * sums)


@compiled
def tanh(x: np.float32) -> np.float32:
    """The hyperbolic tangent, as vector instructions."""
    x = min(max(x, -MAX_TANH_INPUT), MAX_TANH_INPUT)
    square = x * x
    numerator = (((P4 * square + P3) * square + P2) * square + P1) * square + P0
    denominator = (((Q4 * square + Q3) * square + Q2) * square + Q1) * square + ONE
    return x * numerator / denominator


@compiled
def add_product(
    states_NDK: Floats, token_B: Ints, direction: int, weights_JW: Floats, sums_CX: Floats
) -> None:
    """Add the product of states and weights to the first sums of a tile.

    Args:
        states_NDK: the states of all tokens.
        token_B: whose states are taken, one token per text.
        direction: which of the directions.
        weights_JW: the packed weights of a tile.
        sums_CX: changed in place.
    """
    blocks, count = len(token_B) // BLOCK_TEXTS, weights_JW.shape[1] // PART_ROWS
    for part in range(len(weights_JW)):
        w = weights_JW[part]
        rows = slice(part * PART_ROWS, part * PART_ROWS + PART_ROWS)
        for block in range(blocks):
            first = block * BLOCK_TEXTS
            a = states_NDK[token_B[first], direction, rows]
            b = states_NDK[token_B[first + 1], direction, rows]
            c = states_NDK[token_B[first + 2], direction, rows]
            d = states_NDK[token_B[first + 3], direction, rows]
            a0, a1, a2, a3 = a[0], a[1], a[2], a[3]
            b0, b1, b2, b3 = b[0], b[1], b[2], b[3]
            c0, c1, c2, c3 = c[0], c[1], c[2], c[3]
            d0, d1, d2, d3 = d[0], d[1], d[2], d[3]
            sums_X = sums_CX[block]
            for i in range(count):
                w0, w1, w2, w3 = w[i], w[count + i], w[2 * count + i], w[3 * count + i]
                sums_X[i] += w0 * a0 + w1 * a1 + w2 * a2 + w3 * a3
                sums_X[TILE_SUMS + i] += w0 * b0 + w1 * b1 + w2 * b2 + w3 * b3
                sums_X[2 * TILE_SUMS + i] += w0 * c0 + w1 * c1 + w2 * c2 + w3 * c3
                sums_X[3 * TILE_SUMS + i] += w0 * d0 + w1 * d1 + w2 * d2 + w3 * d3
        for text in range(blocks * BLOCK_TEXTS, len(token_B)):  # those that fill no block
            h = states_NDK[token_B[text], direction, rows]
            h0, h1, h2, h3 = h[0], h[1], h[2], h[3]
            sums_W = sums_CX[blocks, text % BLOCK_TEXTS * TILE_SUMS :]
            for i in range(count):
                sums_W[i] += (
                    w[i] * h0 + w[count + i] * h1 + w[2 * count + i] * h2 + w[3 * count + i] * h3
                )
