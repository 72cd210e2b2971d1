"""Bursts end where the next item has not come, and lose none."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentir.inference.bursts import bursts


@settings(max_examples=30)
@given(st.lists(st.integers()), st.integers(1, 5))
def test_every_item_comes_once_and_in_order(items: list[int], ahead: int) -> None:
    assert [item for burst in bursts(items, ahead) for item in burst] == items


def test_a_burst_ends_where_the_source_pauses() -> None:
    source: queue.Queue[int | None] = queue.Queue()
    source.put(1)
    parts = bursts(iter(source.get, None), 10)
    assert [*next(parts)] == [1]  # and does not wait for the second
    source.put(2)
    assert [*next(parts)] == [2]
    source.put(None)
    assert [*next(parts, ())] == []


def test_an_error_is_raised_after_what_came_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    seen: list[int] = []

    def take() -> None:
        for burst in bursts(items(), 10):
            seen.extend(burst)

    with pytest.raises(ValueError, match="broken"):
        take()
    assert seen == [1]


def test_when_nobody_takes_more_the_thread_ends() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    before = threading.active_count()
    parts = bursts(endless(), 2)
    next(next(parts))
    parts.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
