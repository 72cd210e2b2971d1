"""A stream of rows from JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sentir.errors import DataError
from sentir.io.json_documents import unique_object
from sentir.io.tables import Record, Report


def jsonl_records(
    lines: Iterator[tuple[int, str]], name: str, *, report: Report
) -> Iterator[tuple[int, Record]]:
    """One JSON object per line; blank lines are skipped."""
    for number, line in lines:
        if not line or line.isspace():
            continue
        try:
            record = json.loads(line)
            # The hook doubles the time. As many colons as keys leave no room for a key twice.
            if isinstance(record, dict) and line.count(":") != len(record):
                record = json.loads(line, object_pairs_hook=unique_object)
        except (ValueError, RecursionError) as error:
            what, todo = f"not JSON ({error})", "write one JSON object per line"
            report(DataError(what, where=f"{name}:{number}", todo=todo))
            continue
        if isinstance(record, dict):
            yield number, record
        else:
            what = f"JSON {type(record).__name__}, not an object"
            todo = 'write {"text": ..., "label": ...}'
            report(DataError(what, where=f"{name}:{number}", todo=todo))
