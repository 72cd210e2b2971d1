"""Hashes of n-grams are the same numbers in PyTorch and in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from sentir.nn import ngram_linear
from sentir.nn.ngrams import against_others, hash_bucket, ngram_keys, owned_rows, table_rows


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


@given(st.lists(st.integers(1, 2**20), min_size=1, max_size=8))
def test_keys_are_those_of_the_network(ids: list[int]) -> None:
    twins = ngram_linear.ngram_keys(torch.tensor(ids)[:, None])
    for length, (keys_T, twin_TB) in enumerate(
        zip(ngram_keys(np.array(ids)), twins, strict=True), start=2
    ):
        assert keys_T.tolist() == twin_TB[length - 1 :, 0].tolist()


def test_a_row_belongs_to_the_ngram_of_its_fingerprint() -> None:
    keys_K = np.array([10, 11, 2**31 + 12])
    fingerprints_P, displacements_M = np.zeros(100, np.int32), np.array([7], np.int32)
    rows = table_rows(keys_K, displacements_M, 100).tolist()
    for index in (0, 2):
        fingerprints_P[rows[index]] = int(ngram_linear.fingerprint(torch.tensor(keys_K[index])))
    expected = [rows[0], -1, rows[2]]
    assert owned_rows(keys_K, fingerprints_P, displacements_M).tolist() == expected


@given(
    st.lists(st.integers(0, 2**53), min_size=1, max_size=20),
    st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=9),
    st.integers(1, 2**31 - 1),
)
def test_displaced_rows_are_in_their_range_and_equal(
    keys: list[int], displacements: list[int], rows: int
) -> None:
    displacements_M = np.array(displacements, np.int32)
    rows_K = table_rows(np.array(keys), displacements_M, rows)
    assert rows_K.min() >= 0
    assert rows_K.max() < rows
    twin = table_rows(torch.tensor(keys), torch.from_numpy(displacements_M), rows)
    assert twin.tolist() == rows_K.tolist()
    alone = table_rows(np.array(keys), np.zeros(1, np.int32), rows)
    assert alone.tolist() == hash_bucket(np.array(keys), rows).tolist()


def test_a_class_against_the_others() -> None:
    one_KO, three_KO = np.array([[2.0]]), np.array([[1.0, 2.0, 6.0]])
    assert [against_others(one_KO, c)[0] for c in (0, 1)] == [-2, 2]
    assert [against_others(three_KO, c)[0] for c in (0, 1, 2)] == [-3, -1.5, 4.5]
