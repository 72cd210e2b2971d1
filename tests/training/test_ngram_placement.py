"""Each n-gram has a row of its own, and is found there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentir.nn.ngrams import FIRST_MULTIPLIER, PREVIOUS_MULTIPLIER, WORD_MULTIPLIER, table_rows
from sentir.training.ngram_placement import Placement, place_ngrams


def keys_of_trigrams(count: int) -> np.ndarray:
    """Keys of words that are drawn as in a language, few of them often."""
    random = np.random.default_rng(0)
    first_K, previous_K, word_K = np.minimum(random.zipf(1.3, (3, 4 * count)), 50_000)
    keys_K = (
        word_K * WORD_MULTIPLIER + previous_K * PREVIOUS_MULTIPLIER + first_K * FIRST_MULTIPLIER
    )
    return random.permutation(np.unique(keys_K))[:count]


def check(keys_K: np.ndarray, rows: int) -> Placement:
    placement = place_ngrams(keys_K, rows)
    is_placed_K = placement.rows_K >= 0
    placed_K = placement.rows_K[is_placed_K]
    assert len(np.unique(placed_K)) == len(placed_K)
    assert placement.displacements_M.min(initial=0) >= 0
    found_K = table_rows(keys_K[is_placed_K], placement.displacements_M, rows)
    assert np.array_equal(found_K, placed_K)
    return placement


@pytest.mark.parametrize("rows", [20_032, 40_000])
def test_all_but_a_few_are_placed_in_a_full_table(rows: int) -> None:
    placement = check(keys_of_trigrams(20_000), rows)
    assert (placement.rows_K < 0).sum() <= 2


@given(st.lists(st.integers(1, 2**53), unique=True, max_size=70), st.integers(0, 3))
def test_any_keys(keys: list[int], more: int) -> None:
    placement = check(np.array(keys, np.int64), max(1, len(keys) + more))
    assert (placement.rows_K >= 0).any() == bool(keys)


def test_of_two_that_cannot_be_told_apart_the_first_is_placed() -> None:
    """Same hash, same fingerprint modulo the displacements: one row for both."""
    keys_K = np.array([10, 10 + 64 * 65_537 * 7])
    placement = place_ngrams(keys_K, 1)
    assert placement.rows_K.tolist() == [0, -1]


def test_the_same_ngrams_have_the_same_rows() -> None:
    keys_K = keys_of_trigrams(1000)
    first, second = place_ngrams(keys_K, 1000), place_ngrams(keys_K, 1000)
    assert np.array_equal(first.rows_K, second.rows_K)
    assert np.array_equal(first.displacements_M, second.displacements_M)
