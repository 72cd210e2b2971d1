"""Hashes of n-grams are the same numbers in PyTorch and in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from sentir.nn.ngrams import hash_bucket


@given(st.integers(0, 2**53), st.integers(1, 2**22))
def test_buckets_are_in_their_range_and_equal(key: int, buckets: int) -> None:
    bucket = int(hash_bucket(torch.tensor(key), buckets))
    assert 0 <= bucket < buckets
    assert hash_bucket(np.array([key]), buckets).tolist() == [bucket]


def test_neighbouring_keys_spread_over_the_buckets() -> None:
    """Also of a power of two, whose low bits alone decide."""
    for buckets in (2**12, 1000):
        rows = hash_bucket(np.arange(10 * buckets), buckets)
        assert len(np.unique(rows)) > 0.9 * buckets
