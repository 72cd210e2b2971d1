"""Streams of rows from CSV, JSON lines and Parquet.

Each reader yields the position of a row (the line where it starts, or its number in Parquet, from
1) and the row as a dictionary. The error of one row goes to ``report``, which raises it or returns
to continue with the next row; the error of a whole file is raised.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sentir.errors import DataError
from sentir.io.compression import detect_compression
from sentir.io.lines import UndecodableLine
from sentir.io.streams import display_name, open_raw

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

    def peek(self) -> str:
        """The next line without reading it; empty at the end."""
        if not self._queue:
            self._queue.extend([line] if (line := next(self._lines, None)) else [])
        return self._queue[0][1] if self._queue else ""


def csv_records(
    lines: Iterator[tuple[int, str]],
    name: str,
    *,
    delimiters: str,
    columns: Sequence[str] = (),
    limit: int,
    on_header: Callable[[Sequence[str]], object],
    report: Report,
) -> Iterator[tuple[int, Record]]:
    """The rows of CSV with quotes as in RFC 4180; blank lines are skipped.

    The first line is the header, unless `columns` is given.

    Args:
        lines: numbered lines of text; a record with an `UndecodableLine` is left out.
        name: name of the file in errors.
        delimiters: possible delimiters; the most frequent one in the first line is taken.
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
    delimiter = max(delimiters, key=feed.peek().count)
    header = list(columns)
    if header:
        _check_header(header, name)
        on_header(header)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.begin()
        try:
            row = next(reader, None)
        except csv.Error as error:
            broken = _broken_record(error, f"{name}:{feed.first_line}")
            if not header:
                raise broken from None
            report(broken)
            feed.rewind()
            reader = csv.reader(feed, delimiter=delimiter, strict=True)
            continue
        if row is None:
            return
        if not row:
            continue
        if not header:
            header = row
            _check_header(header, name)
            try:
                on_header(header)
            except DataError as error:
                todo = f"{error.todo}; if line {feed.first_line} is no header, give --columns"
                raise DataError(error.what, where=error.where, todo=todo) from None
        elif feed.undecodable:
            continue
        elif len(row) != len(header):
            report(
                DataError(
                    f"{len(row)} fields where {'--columns names' if columns else 'the header has'} "
                    f"{len(header)}",
                    where=f"{name}:{feed.first_line}",
                    todo=f"quote a field that holds {delimiter!r}",
                )
            )
        else:
            yield feed.first_line, dict(zip(header, row, strict=True))


def _check_header(header: list[str], name: str) -> None:
    duplicate = next((column for column in header if column and header.count(column) > 1), None)
    if duplicate is not None:
        raise DataError(f"{duplicate!r} names two columns", where=name, todo="rename one")


def _broken_record(error: csv.Error, where: str) -> DataError:
    if str(error) == _UNCLOSED:
        what, todo = "a quote opens in this row and is never closed", 'close it; write " as ""'
    elif "new-line" in str(error):
        what, todo = "a carriage return within a field", "quote the field"
    else:
        what, todo = f"the row is broken ({error})", 'quote the field, and write " in it as ""'
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


def parquet_records(
    source: str, *, select_columns: Callable[[Sequence[str]], Sequence[str]], report: Report
) -> Iterator[tuple[int, Record]]:
    """The rows of a Parquet file, read in batches.

    Args:
        source: a path or URL; not standard input, as Parquet is read from its end.
        select_columns: called with the names of all columns, returns those to read; may raise.
        report: called with the error of a damaged row group, where the rows end.

    Raises:
        DataError: standard input, no Parquet, compressed as a whole, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with _open_parquet(source) as raw:
        try:
            table = pq.ParquetFile(raw)
            names = select_columns(table.schema_arrow.names)
            for batch in table.iter_batches(batch_size=1024, columns=list(names)):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            broken = _damaged(source, number, error)
            if not number:
                raise broken from error
            report(broken)
        except ValueError as error:  # nanoseconds, which Python's datetime lacks
            raise DataError(
                f"a column has values that Python cannot hold ({str(error).partition('. ')[0]})",
                where=source,
                todo="round its times to microseconds, or remove the column",
            ) from error


def parquet_schema(source: str) -> Any:
    """The `pyarrow.Schema` of a Parquet file.

    Raises:
        DataError: as `parquet_records`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _open_parquet(source) as raw:
        try:
            return pq.read_schema(raw)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source, 0, error) from error


@contextmanager
def _open_parquet(source: str) -> Iterator[Any]:
    if source == "-":
        raise DataError(
            "Parquet cannot be read from a pipe", where=display_name(source), todo="name the file"
        )
    with open_raw(source) as raw:
        head = raw.read(6)
        if compression := detect_compression(head):
            todo = "decompress it first: Parquet is compressed inside"
            raise DataError(f"Parquet in a {compression} file", where=source, todo=todo)
        if not head.startswith(b"PAR1"):
            raise DataError("not a Parquet file", where=source, todo="pass its --format")
        raw.seek(0)
        yield raw


def _damaged(source: str, row: int, error: Exception) -> DataError:
    reason = str(error).partition("\n")[0]
    return DataError(
        f"the Parquet file is damaged after row {row:,} ({reason})",
        where=source,
        todo="download it again",
    )
