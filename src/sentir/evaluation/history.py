"""The history of a run: ``metrics.jsonl``, one line per step and per validation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sentir.errors import DataError


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of a ``metrics.jsonl``; a last line that a kill left incomplete is dropped.

    Raises:
        DataError: a line is damaged.
    """
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            row = json.loads(line)
            row["event"], row["step"] + 0
        except (ValueError, LookupError, TypeError, RecursionError):
            raise DataError(
                "damaged",
                where=f"{path}:{number}",
                todo="copy the run's folder again, or train again with --overwrite",
            ) from None
        rows.append(row)
    return rows
