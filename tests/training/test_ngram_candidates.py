"""Lossy counting: exact while there is room, and within its bounds when there is not."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentir.training.ngram_candidates import LossyCounts

Texts = list[list[int]]
TEXTS = st.lists(st.lists(st.integers(1, 30), max_size=8), max_size=40)


def count(texts: Texts, labels: list[int]) -> LossyCounts:
    """The counts of a chunk; key k is that of a review that holds k."""
    keys = np.array([key for text in texts for key in text], np.int64)
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    return LossyCounts.of(keys, owners, np.eye(2, dtype=np.float32)[labels])


def exact(texts: Texts) -> Counter[int]:
    return Counter(key for text in texts for key in set(text))


@given(TEXTS, st.integers(1, 7))
def test_chunks_that_fit_are_counted_exactly(texts: Texts, size: int) -> None:
    labels = [len(text) % 2 for text in texts]
    chunks = [
        count(texts[first : first + size], labels[first : first + size])
        for first in range(0, len(texts), size)
    ]
    counts = reduce(add, chunks, LossyCounts.empty(2)).pruned(1000)
    assert dict(zip(counts.keys_K.tolist(), counts.reviews_K.tolist(), strict=True)) == exact(texts)
    assert (np.diff(counts.keys_K) > 0).all()
    assert not counts.missed_K.any()
    for label in (0, 1):
        own = exact([text for text in texts if len(text) % 2 == label])
        assert counts.weights_CK[label].tolist() == [own[key] for key in counts.keys_K.tolist()]


@given(TEXTS, TEXTS, st.integers(1, 5), st.integers(2, 12))
def test_what_more_reviews_hold_is_never_lost(
    texts: Texts, others: Texts, size: int, limit: int
) -> None:
    """Also where the tables of two processes are added up."""
    tables = []
    for part in (texts, others):
        table = LossyCounts.empty(2)
        for first in range(0, len(part), size):
            chunk = part[first : first + size]
            table = (table + count(chunk, [0] * len(chunk))).pruned(limit)
        tables.append(table)
    counts = (tables[0] + tables[1]).pruned(limit)
    assert len(counts.keys_K) <= limit
    held = exact(texts + others)
    places = {key: place for place, key in enumerate(counts.keys_K.tolist())}
    for key, reviews in held.items():
        if key not in places:
            assert reviews <= counts.missed
        else:
            least = counts.reviews_K[places[key]]
            assert least <= reviews <= least + counts.missed_K[places[key]]


def test_those_that_tell_most_are_chosen() -> None:
    """9 stands in praise alone, 8 in all reviews, 7 in a single one, and 5 in few."""
    texts = [[8, 9, 9], [8]] * 20 + [[8, 7], [8, 5], [8, 5]]
    counts = count(texts, [1, 0] * 20 + [1, 1, 1])
    assert counts.strongest(1, len(texts)).tolist() == [9]
    assert counts.strongest(10, len(texts)).tolist() == [5, 8, 9]


@pytest.mark.parametrize("classes", [2, 3])
def test_nothing_was_counted(classes: int) -> None:
    counts = LossyCounts.empty(classes) + LossyCounts.of(
        np.empty(0, np.int64), np.empty(0, np.int64), np.ones((3, classes), np.float32)
    )
    assert len(counts.pruned(2).strongest(10, 3)) == 0
