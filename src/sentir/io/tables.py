"""Streams of rows from CSV, TSV and JSON lines.

Each reader yields the line where a row starts, from 1, and the row as a dictionary. The error of
one row goes to ``report``, which raises it or returns to continue with the next row; the error of a
whole file is raised.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sentir.errors import DataError
from sentir.io.dialect import (
    SAMPLE_CHARACTERS,
    SAMPLE_LINES,
    Dialect,
    Quoting,
    delimiter_line,
    detect_dialect,
)
from sentir.io.lines import UndecodableLine

Report = Callable[[DataError], None]
Record = dict[str, Any]

_UNCLOSED = "unexpected end of data"  # the message of the csv module


class _LineFeeder:
    """Feeds lines to `csv.reader` one by one, and rewinds to the second line of a broken record.

    A quote that is never closed would swallow all lines after it. So a broken record loses its
    first line only; the lines after it are read again, as records of their own.
    """

    def __init__(self, lines: Iterator[tuple[int, str]], limit: int) -> None:
        self._lines, self._limit = lines, limit
        self._queue: deque[tuple[int, str]] = deque()
        self.begin()

    def __iter__(self) -> _LineFeeder:
        return self

    def __next__(self) -> str:
        number, text = self._queue.popleft() if self._queue else next(self._lines)
        if self._record and number != self._record[-1][0] + 1:
            self._queue.appendleft((number, text))
            raise csv.Error("a line within it cannot be read")
        if isinstance(text, UndecodableLine):
            self.undecodable = True
        self._record.append((number, text))
        self._size += len(text)
        if self._size > self._limit and len(self._record) > 1:
            raise csv.Error(_UNCLOSED)
        return text + "\n"

    def begin(self) -> None:
        self._record: list[tuple[int, str]] = []
        self._size = 0
        #: Whether a line of the record could not be decoded, which is reported already.
        self.undecodable = False

    @property
    def first_line(self) -> int:
        return self._record[0][0]

    def rewind(self) -> None:
        self._queue.extendleft(reversed(self._record[1:]))
        self.begin()

    def peek(self, lines: int, characters: int) -> list[str]:
        """The next lines without reading them: at most so many, and no more after so much text."""
        while len(self._queue) < lines and sum(len(text) for _, text in self._queue) < characters:
            if (line := next(self._lines, None)) is None:
                break
            self._queue.append(line)
        return [text for _, text in self._queue]

    def skip_line(self) -> None:
        """Drop the next line, which was peeked at."""
        self._queue.popleft()


def csv_records(
    lines: Iterator[tuple[int, str]],
    name: str,
    *,
    delimiters: str,
    quoting: Quoting | None = None,
    columns: Sequence[str] = (),
    limit: int,
    on_header: Callable[[Sequence[str]], object],
    report: Report,
) -> Iterator[tuple[int, Record]]:
    """The rows of CSV or TSV; blank lines and repetitions of the header are skipped.

    The first line is the header, unless `columns` is given. A line ``sep=;`` before it sets the
    delimiter.

    Args:
        lines: numbered lines of text; a record with an `UndecodableLine` is left out.
        name: name of the file in errors.
        delimiters: possible delimiters; the one that fits the first lines best is taken.
        quoting: what quotes mean; None: what fits the first lines best.
        columns: names of all columns of a file without a header.
        limit: longest record (characters).
        on_header: called with the names of the columns; it may raise.
        report: called with the error of a row with another number of fields than the header, or
            whose quotes do not match.

    Raises:
        DataError: the header is broken or names a column twice; whatever `on_header` raises.
    """
    # The csv module limits fields for the whole process (131,072); here the record is limited.
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    feed = _LineFeeder(lines, limit)
    # Without a choice one line is enough, and a pipe need not be waited for.
    is_known = len(delimiters) == 1 and quoting is not None
    if (first := feed.peek(1, 1)) and (delimiter := delimiter_line(first[0])):
        feed.skip_line()
        delimiters = delimiter if len(delimiters) > 1 else delimiters
    sample = feed.peek(*(1, 1) if is_known else (SAMPLE_LINES, SAMPLE_CHARACTERS))
    dialect = detect_dialect(sample, delimiters=delimiters, quoting=quoting, count=len(columns))
    header = list(columns)
    if header:
        _check_header(header, name)
        on_header(header)
    split = _rows_of_quotes if dialect.spans_lines else _rows_of_lines
    for number, row in split(feed, dialect, len(header), name):
        if isinstance(row, DataError):
            if not header:
                raise row
            report(row)
        elif not header:
            header = row
            _check_header(header, name)
            try:
                on_header(header)
            except DataError as error:
                todo = f"{error.todo}; if line {number} is no header, give --columns"
                raise DataError(error.what, where=error.where, todo=todo) from None
        elif len(row) == len(header):
            if row != header and not (row[0][:1] == "\ufeff" and [row[0][1:], *row[1:]] == header):
                yield number, dict(zip(header, row, strict=True))
        elif any(row):  # spreadsheets write rows of delimiters only
            expected = "--columns names" if columns else "the header has"
            report(
                DataError(
                    f"{len(row)} fields where {expected} {len(header)}",
                    where=f"{name}:{number}",
                    todo=_field_advice(row, dialect),
                )
            )


_Rows = Iterator[tuple[int, "list[str] | DataError"]]


def _rows_of_quotes(feed: _LineFeeder, dialect: Dialect, count: int, name: str) -> _Rows:
    """Rows whose quoted fields may span lines."""
    reader = dialect.reader(feed)
    while True:
        feed.begin()
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield feed.first_line, _broken_record(error, f"{name}:{feed.first_line}")
            feed.rewind()
            reader = dialect.reader(feed)
            continue
        if row is None:
            return
        if row and not (count and feed.undecodable):
            yield feed.first_line, row
            count = count or len(row)


def _rows_of_lines(feed: _LineFeeder, dialect: Dialect, count: int, name: str) -> _Rows:
    """Rows that are one line each."""
    while True:
        feed.begin()
        try:
            line = next(feed).removesuffix("\n").removesuffix("\r")
        except StopIteration:
            return
        if not line or (count and feed.undecodable):
            continue
        row = dialect.split_line(line, count)
        if "\r" in line and row == dialect.split(line):
            what, todo = "a carriage return within a field", "quote the field"
            yield feed.first_line, DataError(what, where=f"{name}:{feed.first_line}", todo=todo)
            continue
        yield feed.first_line, row
        count = count or len(row)


def _field_advice(row: Sequence[str], dialect: Dialect) -> str:
    if any('"' in field for field in row) and not dialect.spans_lines:
        return f"pass --quoting standard if quoted fields hold {dialect.delimiter!r} or line ends"
    return f"quote a field that holds {dialect.delimiter!r}, or pass --delimiter or --quoting"


_QUOTE_ADVICE = 'quote the field, write " in it as "", or pass --quoting (none, backslash)'


def _check_header(header: list[str], name: str) -> None:
    duplicate = next((column for column in header if column and header.count(column) > 1), None)
    if duplicate is not None:
        raise DataError(f"{duplicate!r} names two columns", where=name, todo="rename one")


def _broken_record(error: csv.Error, where: str) -> DataError:
    if str(error) == _UNCLOSED:
        what = "a quote opens in this row and is never closed"
        todo = 'close it; write " as "", or pass --quoting none'
    elif "new-line" in str(error):
        what, todo = "a carriage return within a field", "quote the field"
    else:
        what, todo = f"the row is broken ({error})", _QUOTE_ADVICE
    return DataError(what, where=where, todo=todo)


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
            record = json.loads(line)
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
