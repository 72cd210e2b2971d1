"""A product in 8 bits is the exact one of the integers."""

from __future__ import annotations

import numpy as np
import pytest

from sentir.inference.int8_product import MAX_INT8_WEIGHT, Int8Product

ZERO_POINT = 128


@pytest.mark.parametrize("count", [1, 3, 64])
@pytest.mark.parametrize("extreme", [False, True])
def test_the_product_is_exact(count: int, extreme: bool) -> None:
    """Also where sums of two products are the largest that 16 bits must hold."""
    random = np.random.default_rng(0)
    weights_QG = random.integers(-MAX_INT8_WEIGHT, MAX_INT8_WEIGHT + 1, (96, 128))
    rows_BQ = random.integers(0, 256, (count, 96))
    if extreme:
        weights_QG[:], rows_BQ[:] = MAX_INT8_WEIGHT, 255
        weights_QG[:, ::2] = -MAX_INT8_WEIGHT
    product = Int8Product(weights_QG.astype(np.int8), ZERO_POINT)
    sums_BG = product(rows_BQ.astype(np.uint8))
    assert sums_BG.dtype == np.int32
    assert np.array_equal(sums_BG, (rows_BQ - ZERO_POINT) @ weights_QG)
    if extreme:
        assert np.abs(sums_BG).max() == 96 * MAX_INT8_WEIGHT * (255 - ZERO_POINT)


def test_one_product_serves_batches_of_any_size() -> None:
    product = Int8Product(np.eye(4, dtype=np.int8), ZERO_POINT)
    for count in (5, 1, 8):
        rows_BQ = np.full((count, 4), ZERO_POINT + 2, np.uint8)
        assert product(rows_BQ).tolist() == [[2] * 4] * count
