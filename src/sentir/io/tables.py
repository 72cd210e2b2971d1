"""Rows of CSV, JSON lines and Parquet as they stand in the file, streamed.

Each reader yields a row's place (the line where it starts, or the row's number, from 1) and the
row as a dictionary. What is wrong with one row goes to ``meet``, which raises it or returns to go
on with the next; what is wrong with the whole file is raised.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sentir.errors import DataError
from sentir.io.compression import compression_of
from sentir.io.lines import Unreadable
from sentir.io.streams import display_name, open_raw

Report = Callable[[DataError], None]
Record = dict[str, Any]

_UNCLOSED = "unexpected end of data"  # as the csv module calls it


class _Feed:
    """Hands lines to `csv.reader` one by one, and takes back those of a record that broke.

    One quote that is never closed would swallow the rest of the file. A broken record costs its
    first line only: the lines after it are read again as records of their own.
    """

    def __init__(self, lines: Iterator[tuple[int, str]], limit: int) -> None:
        self._lines, self._limit = lines, limit
        self._again: deque[tuple[int, str]] = deque()
        self.begin()

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        number, text = self._again.popleft() if self._again else next(self._lines)
        if self._record and number != self._record[-1][0] + 1:
            self._again.appendleft((number, text))
            raise csv.Error("a line within it cannot be read")
        if isinstance(text, Unreadable):
            self.unreadable = True
        self._record.append((number, text))
        self._size += len(text)
        if self._size > self._limit and len(self._record) > 1:
            raise csv.Error(_UNCLOSED)
        return text + "\n"

    def begin(self) -> None:
        self._record: list[tuple[int, str]] = []
        self._size = 0
        #: Whether a line of the record could not be decoded, which has been reported.
        self.unreadable = False

    @property
    def first_line(self) -> int:
        return self._record[0][0]

    def take_back(self) -> None:
        self._again.extendleft(reversed(self._record[1:]))
        self.begin()

    def look(self) -> str:
        """The next line, left to be read; empty at the end."""
        if not self._again:
            self._again.extend([line] if (line := next(self._lines, None)) else [])
        return self._again[0][1] if self._again else ""


def csv_records(
    lines: Iterator[tuple[int, str]],
    name: str,
    *,
    delimiters: str,
    columns: Sequence[str] = (),
    limit: int,
    see_columns: Callable[[Sequence[str]], object],
    report: Report,
) -> Iterator[tuple[int, Record]]:
    """The rows under a header line, as RFC 4180 quotes them; blank lines are passed over.

    Where `columns` names them there is no such line, and the first is a row as all others.

    Args:
        lines: numbered lines of text; a record with an `Unreadable` one is left out.
        name: what to call the file in errors.
        delimiters: the characters that may part fields; the first line's most frequent one does.
        columns: the names of all columns; unset: those in the header.
        limit: longest record, with its line ends (characters).
        see_columns: called with the header; it may raise.
        meet: called with the error of a row that has another number of fields than the header, or
            whose quotes do not match.

    Raises:
        DataError: the header is broken or names a column twice; what `see_columns` raises.
    """
    # The csv module has one limit on fields for the whole process (131,072); ours is the record's.
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    feed = _Feed(lines, limit)
    delimiter = max(delimiters, key=feed.look().count)
    header = list(columns)
    if header:
        _check_header(header, name)
        see_columns(header)
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
            feed.take_back()
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
                see_columns(header)
            except DataError as error:
                todo = f"{error.todo}; if line {feed.first_line} is no header, give --columns"
                raise DataError(error.what, where=error.where, todo=todo) from None
        elif feed.unreadable:
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
    twice = next((column for column in header if column and header.count(column) > 1), None)
    if twice is not None:
        raise DataError(f"{twice!r} names two columns", where=name, todo="rename one")


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
    """One JSON object a line; blank lines are passed over.

    Raises:
        DataError: the file is one JSON array.
    """
    first = True
    for number, line in lines:
        if not line or line.isspace():
            continue
        if first and line.lstrip().startswith("["):
            todo = f"write an object a line: jq -c '.[]' {name} > reviews.jsonl"
            raise DataError("a JSON array, not JSON lines", where=f"{name}:{number}", todo=todo)
        first = False
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason, todo = f"not JSON ({error})", "write one JSON object on each line"
            report(DataError(reason, where=f"{name}:{number}", todo=todo))
            continue
        if isinstance(record, dict):
            yield number, record
        else:
            what = f"JSON {type(record).__name__}, not an object"
            todo = 'write {"text": ..., "label": ...}'
            report(DataError(what, where=f"{name}:{number}", todo=todo))


def parquet_records(
    source: str, *, choose: Callable[[Sequence[str]], Sequence[str]], report: Report
) -> Iterator[tuple[int, Record]]:
    """The rows of a Parquet file, some at a time.

    Args:
        source: a path or URL; Parquet is read from its end, so standard input will not do.
        choose: called with the names of all columns, it gives those to read; it may raise.
        meet: called with the error of a row group that is damaged, at which the rows end.

    Raises:
        DataError: standard input, not Parquet, Parquet compressed as a whole, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with _open_parquet(source) as raw:
        try:
            table = pq.ParquetFile(raw)
            names = choose(table.schema_arrow.names)
            for batch in table.iter_batches(batch_size=1024, columns=list(names)):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            broken = _damaged(source, number, error)
            if not number:
                raise broken from error
            report(broken)
        except ValueError as error:  # Python's times end at the microsecond
            raise DataError(
                f"a column has no equal in Python ({str(error).partition('. ')[0]})",
                where=source,
                todo="round its times to microseconds, or leave it out",
            ) from error


def parquet_schema(source: str) -> Any:
    """The columns of a Parquet file and their types, a `pyarrow.Schema`.

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
        if compression := compression_of(head):
            todo = "unpack it first: Parquet is compressed within"
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
        todo="fetch it again",
    )
