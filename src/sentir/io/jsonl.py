"""A stream of rows from JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sentir.errors import DataError
from sentir.io.tables import Record, Report


class Number(float):
    """A number whose digits or sign a float or an int would change: ``1e400``, ``0.10``, ``-0``.

    Attributes:
        literal: the number as it was written.
    """

    literal: str

    def __new__(cls, literal: str) -> Number:
        number = super().__new__(cls, literal)
        number.literal = literal
        return number


class JsonRecord(dict[str, Any]):
    """The values of a line, and the line itself: its numbers, escapes and double keys as written.

    Attributes:
        line: the JSON object.
    """

    line: str

    def __init__(self, values: Mapping[str, Any], line: str) -> None:
        super().__init__(values)
        self.line = line

    def extended(self, added: Mapping[str, Any]) -> JsonRecord:
        """The record with more values at its end."""
        start = self.line.rstrip().removesuffix("}").rstrip()
        end = json.dumps(added, ensure_ascii=False).removeprefix("{")
        return JsonRecord({**self, **added}, start + (", " if self else "") + end)


def _float(literal: str) -> float:
    number = float(literal)
    return number if repr(number) == literal else Number(literal)


def _int(literal: str) -> float:
    try:
        return int(literal) if literal != "-0" else Number(literal)
    except ValueError:  # more digits than Python converts
        return Number(literal)


def jsonl_records(
    lines: Iterator[tuple[int, str]], name: str, *, report: Report
) -> Iterator[tuple[int, Record]]:
    """One JSON object per line; blank lines are skipped.

    Raises:
        DataError: the file is one JSON array.
    """
    first = True
    for number, line in lines:
        if not line or line.isspace():
            continue
        if first and line.lstrip().startswith("["):
            todo = f"write one object per line: jq -c '.[]' {name} > reviews.jsonl"
            raise DataError("a JSON array, not JSON lines", where=f"{name}:{number}", todo=todo)
        first = False
        try:
            record = json.loads(line, parse_float=_float, parse_int=_int)
        except (ValueError, RecursionError) as error:
            what, todo = f"not JSON ({error})", "write one JSON object per line"
            report(DataError(what, where=f"{name}:{number}", todo=todo))
            continue
        if isinstance(record, dict):
            yield number, JsonRecord(record, line)
        else:
            what = f"JSON {type(record).__name__}, not an object"
            todo = 'write {"text": ..., "label": ...}'
            report(DataError(what, where=f"{name}:{number}", todo=todo))
