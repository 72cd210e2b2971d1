"""What an attack counts, and where the counts are kept."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measurements import append_row, provenance

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "reliability.jsonl"
#: Failures of which the first words are kept.
SHOWN = 20


@dataclass
class Count:
    """How often something was tried, and how often the promise was broken.

    Attributes:
        attack: the kind of attack.
        target: what was attacked.
        tried: how often.
        failed: how often the promise did not hold.
        failures: the first of them, in words.
        outcomes: how the tries ended, where there are several right ways.
    """

    attack: str
    target: str
    tried: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def held(self, outcome: str = "") -> None:
        self.tried += 1
        if outcome:
            self.outcomes[outcome] += 1

    def fail(self, what: str) -> None:
        print(f"{self.attack}, {self.target}: {what}", file=sys.stderr, flush=True)
        self.tried += 1
        self.failed += 1
        if len(self.failures) < SHOWN:
            self.failures.append(without_places(what)[:1000])

    def to_dict(self) -> dict[str, Any]:
        row = {**vars(self), "outcomes": dict(self.outcomes)}
        return {name: value for name, value in row.items() if value or name in ("tried", "failed")}


def without_places(text: str) -> str:
    """The text without the folders of this machine."""
    text = text.replace(f"{RESULTS.parents[2]}/", "").replace(f"{sys.prefix}/", "")
    return re.sub(r"(?:/[\w.+-]+)+/(?=site-packages/|python3\.\d+/|sentir-[\w-]+/)", "", text)


class Deadline:
    """Until when an attack goes on; without seconds, until it has tried everything."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def is_over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end

    def seconds_left(self) -> float | None:
        return None if self._end is None else max(0.0, self._end - time.monotonic())


def memory_folder() -> str | None:
    """A folder that no disk slows down; None: that of temporary files."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def save(counts: list[Count], command: str, seconds: float, path: Path = RESULTS) -> None:
    """Append a line of results for each count of something that was tried."""
    for count in filter(lambda count: count.tried, counts):
        append_row(
            path,
            {**count.to_dict(), "seconds": round(seconds), "command": command, **provenance()},
        )
