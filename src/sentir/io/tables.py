"""A stream of rows from CSV and TSV.

It yields the line where a row starts, from 1, and the row as a dictionary. The error of one row
goes to ``report``, which raises it or returns to continue with the next row; the error of a whole
file is raised.
"""

from __future__ import annotations

import csv
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sentir.errors import DataError
from sentir.io.column_names import normalize_name
from sentir.io.columns import ColumnError
from sentir.io.dialect import (
    SAMPLE_CHARACTERS,
    SAMPLE_LINES,
    Dialect,
    Quoting,
    delimiter_line,
    detect_dialect,
    fits,
)
from sentir.io.lines import UndecodableLine
from sentir.io.table_form import TableForm

Report = Callable[[DataError], None]
Record = dict[str, Any]

#: Characters that broken records may read ahead per character of the file, and the number of
#: records of the full length that may do so before.
_REACH, _FIRST_RECORDS = 20, 8
_UNCLOSED = "unexpected end of data"  # the message of the csv module


class _LineFeeder:
    """Feeds lines to `csv.reader` one by one, and rewinds to the second line of a broken record.

    A quote that is never closed would swallow all lines after it. So a broken record loses its
    first line only; the lines after it are read again, as records of their own. How far a record
    may reach is bounded by what has been read, so that the time is linear in the file's size.
    """

    def __init__(self, lines: Iterator[tuple[int, str]], limit: int) -> None:
        self._lines, self._limit = lines, limit
        self._reach, self._size = _FIRST_RECORDS * limit, 0
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
        if self._size > min(self._limit, self._reach) and len(self._record) > 1:
            raise csv.Error(_UNCLOSED)
        return text + "\n"

    def begin(self) -> None:
        """Start a record; all lines of the one before it have been used."""
        self._reach = min(_FIRST_RECORDS * self._limit, self._reach + _REACH * self._size)
        self._record: list[tuple[int, str]] = []
        self._size = 0
        #: Whether a line of the record could not be decoded, which is reported already.
        self.undecodable = False

    @property
    def first_line(self) -> int:
        return self._record[0][0]

    @property
    def lines(self) -> int:
        return len(self._record)

    @property
    def record(self) -> list[str]:
        """The lines of the record, without their ends."""
        return [text.removesuffix("\r") for _, text in self._record]

    def rewind(self) -> None:
        """Give all lines of the record but the first back."""
        self._queue.extendleft(reversed(self._record[1:]))
        self._reach = max(0, self._reach - self._size)
        self._size = len(self._record[0][1]) + 1
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
    is_delimiter_known: bool = False,
    quoting: Quoting | None = None,
    columns: Sequence[str] = (),
    limit: int,
    on_header: Callable[[Sequence[str]], Iterable[str]],
    report: Report,
    form: TableForm,
) -> Iterator[tuple[int, Record]]:
    """The rows of CSV or TSV; blank lines and rows of delimiters are skipped.

    The first line is the header, unless `columns` is given. A line ``sep=;`` before it sets the
    delimiter. A header further down is that of the rows below it.

    Args:
        lines: numbered lines of text; a record with an `UndecodableLine` is left out.
        name: name of the file in errors.
        delimiters: possible delimiters; the one that fits the first lines best is taken.
        is_delimiter_known: whether a line ``sep=;`` does not override them.
        quoting: what quotes mean; None: what fits the first lines best.
        columns: names of all columns of a file without a header.
        limit: longest record (characters).
        on_header: called with the names of the columns, returns those that are needed; may raise.
        report: called with the error of a row with another number of fields than the header, or
            whose quotes do not match.
        form: gets the form of the table before its first row, if it has that of no other yet.

    Raises:
        DataError: the header is broken; whatever `on_header` raises.
    """
    # The csv module limits fields for the whole process (131,072); here the record is limited.
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    feed = _LineFeeder(lines, limit)
    while (first := feed.peek(1, 1)) and not first[0].strip():
        feed.skip_line()
    declaration = ""
    if first and (delimiter := delimiter_line(first[0])):
        feed.skip_line()
        declaration = first[0].removesuffix("\r").removeprefix("\ufeff")
        delimiters = delimiters if is_delimiter_known else delimiter
    # Without a choice one line is enough, and a pipe need not be waited for.
    is_known = len(delimiters) == 1 and quoting is not None
    sample = feed.peek(*(1, 1) if is_known else (SAMPLE_LINES, SAMPLE_CHARACTERS))
    dialect = detect_dialect(sample, delimiters=delimiters, quoting=quoting, count=len(columns))
    form.note_lines(sample, dialect, declaration, is_delimiter_known=len(delimiters) == 1)
    table = Table(name, on_header)
    if columns:
        table.begin(columns)
    split = _rows_of_quotes if dialect.spans_lines else _rows_of_lines
    rows = split(feed, dialect, len(columns), name)
    for number, row in rows:
        if isinstance(row, DataError):
            if not table.names:
                raise row
            report(row)
        elif not table.names:
            if any(map(str.strip, row)):
                _begin_at(table, row, number, rows)
                form.note_header(row)
        elif table.is_header(row):
            table.begin(row)
        elif (record := table.record(row)) is not None:
            yield number, record
        elif any(map(str.strip, row)):  # spreadsheets write rows of delimiters only
            expected = "--columns names" if columns else "the header has"
            report(
                DataError(
                    f"{len(row)} fields where {expected} {len(table.names)}",
                    where=f"{name}:{number}",
                    todo=_field_advice(row, dialect),
                )
            )


def _begin_at(table: Table, header: Sequence[str], number: int, rows: _Rows) -> None:
    """Take the names of a header; an error shows a value of the first row after it."""
    try:
        table.begin(header)
    except DataError as error:
        if isinstance(error, ColumnError) and isinstance(row := next(rows, (0, []))[1], list):
            error = error.with_sample(dict(zip(map(str.strip, header), row, strict=False)))
        todo = f"{error.todo}; if line {number} is no header, give --columns"
        if len(header) == 1:
            todo += "; if another character separates the columns, give --delimiter"
        raise DataError(error.what, where=error.where, todo=todo) from None


class Table:
    """The columns of a table, which a header in its middle may change (``cat a.csv b.csv``).

    Args:
        name: name of the file in errors.
        on_header: called with the names of the columns, returns those that are needed; may raise.
    """

    def __init__(self, name: str, on_header: Callable[[Sequence[str]], Iterable[str]]) -> None:
        self._name, self._on_header = name, on_header
        self.names: list[str] = []
        self._plain_names: list[str] = []

    def begin(self, header: Sequence[str]) -> None:
        """Take the names of a header; of two columns of one name, the second gets a number."""
        header = [name.removeprefix("\ufeff").strip() for name in header]
        plain_names = list(map(normalize_name, header))
        while plain_names and not plain_names[-1]:
            plain_names.pop()
        if plain_names == self._plain_names and plain_names:
            return
        needed = self._on_header(header)
        self._needed = {*map(normalize_name, needed)} - {""}
        self._first_needed = min(map(header.index, needed), default=0)
        self._longest_name = 2 * max(map(len, header)) + 8
        self.names, self._plain_names = unique_names(header), plain_names
        #: Number of columns up to the last one with a name.
        self._named = max((i + 1 for i, name in enumerate(header) if name), default=0)

    def is_header(self, row: Sequence[str]) -> bool:
        """Whether the row holds the names of the columns that are needed."""
        if len(row) <= self._first_needed or len(row[self._first_needed]) > self._longest_name:
            return False  # most rows: the text is longer than a name
        if len(row) == 1:
            return [row[0].removeprefix("\ufeff").strip()] == self.names
        return bool(self._needed) and self._needed <= {*map(normalize_name, row)}

    def record(self, row: Sequence[str]) -> Record | None:
        """The row by its columns; None if it has another number of fields.

        Empty fields may follow it, as spreadsheets write them, and columns without a name may lack.
        """
        count = len(self.names)
        if len(row) == count:
            return dict(zip(self.names, row, strict=True))
        if self._named <= len(row) < count or fits(row, count):
            return dict(itertools.zip_longest(self.names, row[:count], fillvalue=""))
        return None


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, each one that has been used with a number: ``x``, ``x.2``, ``x.3``."""
    unique: list[str] = []
    used, count = set(names), dict.fromkeys(names, 0)
    for name in names:
        count[name] += 1
        new = name
        while count[name] > 1 and new in used:
            new = f"{name}.{count[name]}"
            count[name] += new in used
        used.add(new)
        unique.append(new)
    return unique


_Rows = Iterator[tuple[int, "list[str] | DataError"]]


def _rows_of_quotes(feed: _LineFeeder, dialect: Dialect, count: int, name: str) -> _Rows:
    """Rows whose quoted fields may span lines."""
    reader = dialect.reader(feed)
    may_join_rows = bool(dialect.row_values)
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
        if feed.lines > 1 and count and may_join_rows and dialect.joins_rows(feed.record, count):
            yield feed.first_line, _joined_rows(f"{name}:{feed.first_line}", feed.lines)
            feed.rewind()
            continue
        if row and not (count and feed.undecodable):
            yield feed.first_line, row
            count = count or len(row)


def _joined_rows(where: str, count: int) -> DataError:
    return DataError(
        f"a quote that opens in this row joins {count:,} lines, and each looks like a row",
        where=where,
        todo="pass --quoting none if quotes are text, or --quoting standard",
    )


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


def _broken_record(error: csv.Error, where: str) -> DataError:
    if str(error) == _UNCLOSED:
        what = "a quote opens in this row and is never closed"
        todo = 'close it; write " as "", or pass --quoting none'
    elif "new-line" in str(error):
        what, todo = "a carriage return within a field", "quote the field"
    else:
        what, todo = f"the row is broken ({error})", _QUOTE_ADVICE
    return DataError(what, where=where, todo=todo)
