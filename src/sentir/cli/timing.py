"""How long work takes."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Repetitions; the fastest counts, as all that disturbs makes it slower.
TIMES = 5


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some runs, after one that warms up."""
    work()
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
