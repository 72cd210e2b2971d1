"""How work is timed."""

from __future__ import annotations

from sentir.cli.timing import TIMES, fastest


def test_the_fastest_of_some_runs_counts_after_one_that_warms_up() -> None:
    calls: list[int] = []
    assert 0 <= fastest(lambda: calls.append(len(calls))) < 1
    assert len(calls) == TIMES + 1
