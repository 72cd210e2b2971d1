"""The validation split by thresholds of mixed hashes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sentir.config import TrainConfig
from sentir.data.split import held_out, mixed_hashes, threshold

hashes = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=60)


@given(hashes, st.integers(1, 7), st.floats(0.01, 0.99), st.integers(1, 40), st.integers(0, 2**63))
def test_parts_have_the_threshold_of_the_whole(
    hashes: list[int], size: int, fraction: float, most: int, seed: int
) -> None:
    train = TrainConfig(valid_fraction=fraction, max_valid_examples=most, seed=seed)
    mixed_N = mixed_hashes(np.array(hashes, np.uint64), seed)
    parts = [mixed_N[start : start + size] for start in range(0, len(mixed_N), size)]
    largest = threshold(parts, len(mixed_N), train)
    assert largest == threshold([mixed_N], len(mixed_N), train)
    count = min(round(len(mixed_N) * fraction), most)
    smallest = sorted(mixed_N.tolist())[:count]
    expected = [number in smallest for number in mixed_N.tolist()]
    assert held_out(mixed_N, largest).tolist() == expected


def test_another_seed_mixes_otherwise() -> None:
    hashes_N = np.arange(5, dtype=np.uint64)
    assert mixed_hashes(hashes_N, 0).tolist() != mixed_hashes(hashes_N, 1).tolist()
    assert mixed_hashes(hashes_N, 2**64 - 1).dtype == np.uint64
