"""Mistakes are kept from the most confident on, in little memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentir.errors import DataError, UsageError
from sentir.evaluation.mistakes import Mistake, Mistakes

# Three right, one wrong (the last: a positive called negative).
FOUR = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
FOUR_LABELS = np.array([0, 1, 0, 1])


def test_mistakes_come_in_falling_confidence() -> None:
    mistakes = Mistakes(2)
    mistakes.add(FOUR, FOUR_LABELS, ["a", "b", "c", "d"])
    mistakes.add(FOUR, 1 - FOUR_LABELS, ["e", "f", "g", "h"])
    assert mistakes.worst() == [Mistake("e", 1, 0, 0.9), Mistake("f", 0, 1, 0.8)]


def test_ties_keep_the_order_of_arrival() -> None:
    mistakes = Mistakes(3)
    for text in "abcde":
        mistakes.add(np.array([[0.75, 0.25]]), np.array([1]), [text])
    assert [mistake.text for mistake in mistakes.worst()] == ["a", "b", "c"]


@given(st.lists(st.integers(51, 99), max_size=40), st.integers(0, 6), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_the_heap_finds_what_sorting_finds(percents: list[int], keep: int, batch: int) -> None:
    mistakes = Mistakes(keep)
    rows = np.array([[p / 100, 1 - p / 100] for p in percents]).reshape(-1, 2)
    for i in range(0, len(rows), batch):
        part = rows[i : i + batch]
        names = [str(j) for j in range(i, i + len(part))]
        mistakes.add(part, np.ones(len(part), dtype=int), names)
    expected = sorted(range(len(percents)), key=lambda i: (-percents[i], i))[:keep]
    assert [mistake.text for mistake in mistakes.worst()] == [str(i) for i in expected]


def test_mistakes_refuse_what_cannot_be() -> None:
    with pytest.raises(UsageError, match="keep = -1"):
        Mistakes(-1)
    with pytest.raises(UsageError, match="3 texts"):
        Mistakes().add(FOUR, FOUR_LABELS, ["a", "b", "c"])
    with pytest.raises(UsageError, match="a string"):
        Mistakes().add(FOUR, FOUR_LABELS, "abcd")
    with pytest.raises(DataError, match="not probabilities"):
        Mistakes().add(FOUR * 2, FOUR_LABELS, list("abcd"))
