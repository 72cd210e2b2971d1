"""The kernels' tanh and product are those of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from sentir.nn.kernels.availability import TILE_UNITS
from sentir.nn.kernels.primitives import (
    BLOCK_TEXTS,
    MAX_TANH_INPUT,
    TILE_SUMS,
    add_product,
    pack_weights,
    tanh,
)


def test_tanh() -> None:
    numbers = np.concatenate(
        [np.linspace(-9, 9, 20_001), np.geomspace(1e-30, 1e3, 500), [0.0, np.inf, -np.inf]]
    ).astype(np.float32)
    expected = np.tanh(numbers.astype(np.float64))
    approximated = np.array([tanh(number) for number in numbers])
    assert np.abs(approximated - expected).max() < 4e-7
    assert np.abs(approximated).max() <= 1
    assert tanh(np.float32(0)) == 0
    assert tanh(MAX_TANH_INPUT) == tanh(np.float32(100))


@pytest.mark.parametrize("texts", [1, BLOCK_TEXTS - 1, BLOCK_TEXTS, 2 * BLOCK_TEXTS + 3])
@pytest.mark.parametrize("sums", [TILE_UNITS, 3 * TILE_UNITS, TILE_SUMS])
def test_the_product_of_states_and_weights(texts: int, sums: int) -> None:
    random = np.random.default_rng(0)
    tokens, directions, units, tiles = 20, 2, 8, 3
    states_NDK = random.standard_normal((tokens, directions, units)).astype(np.float32)
    weights_RIW = random.standard_normal((units, tiles, sums)).astype(np.float32)
    token_B = random.choice(tokens, texts, replace=False)
    blocks = -(-texts // BLOCK_TEXTS)
    before_CX = random.standard_normal((blocks, BLOCK_TEXTS * TILE_SUMS)).astype(np.float32)
    packed_IJW = pack_weights(weights_RIW)
    for tile in range(tiles):
        sums_CX = before_CX.copy()
        add_product(states_NDK, token_B, 1, packed_IJW[tile], sums_CX)
        added_BW = (sums_CX - before_CX).reshape(-1, TILE_SUMS)
        expected_BW = states_NDK[token_B, 1].astype(np.float64) @ weights_RIW[:, tile]
        np.testing.assert_allclose(added_BW[:texts, :sums], expected_BW, atol=2e-6)
        assert not added_BW[texts:].any()
        assert not added_BW[:, sums:].any()
