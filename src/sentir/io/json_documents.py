"""Rows of JSON that is not one object per line: arrays, objects over several lines, pandas' forms.

A document is read piece by piece, so that memory does not grow with it. Only columns that are
written one after the other (`to_json` of pandas without options) are held in memory.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from sentir.errors import DataError
from sentir.io.encodings import UTF8_BOM, decoding_advice
from sentir.io.nested import flatten
from sentir.io.streams import Input
from sentir.io.tables import Record, Report

_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
#: What of a literal may be cut off by the end of a block: ``-Infinity``, ``\ud83d``.
_LONGEST_LITERAL = 16
_ROW_ADVICE = 'write {"text": ..., "label": ...}'


class RepeatedKeyError(ValueError):
    """An object has a key twice."""


def unique_object(pairs: list[tuple[str, Any]]) -> Record:
    """The object of these pairs, for the `json` module, which would keep the last one silently.

    Raises:
        RepeatedKeyError: a key is there twice.
    """
    record = dict(pairs)
    if len(record) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise RepeatedKeyError(f"the key {twice!r} is there twice")
    return record


def is_json_lines(stream: Input, limit: int, suits: Callable[[Sequence[str]], bool]) -> bool:
    """Whether a stream holds one object per line; it remains to be read.

    Args:
        stream: JSON of any form.
        limit: longest line (bytes).
        suits: as for `document_records`.
    """
    start = _start(stream, limit, lines=1)
    line, end, rest = start.partition(b"\n")
    if not line.startswith(b"{"):
        return not line.startswith(b"[")
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        if not line.rstrip().endswith(b"}"):  # an object over several lines
            return False
        document = None
    if end and document and _is_row(document, suits):
        return True  # without waiting for a second line, which a pipe may not have yet
    if not rest.strip():  # a single line may be a table
        rest = _start(stream, limit, lines=2).partition(b"\n")[2]
    return rest.lstrip().startswith(b"{") or (document is not None and bool(rest.strip()))


def _start(stream: Input, limit: int, *, lines: int) -> bytes:
    """The first lines, each up to the limit, without blank ones before them."""
    start, size = b"", 0
    while True:
        longer = stream.peek(size + 1)
        start = longer.removeprefix(UTF8_BOM).lstrip()
        is_end, size = len(longer) == size, len(longer)
        if is_end or start.count(b"\n") >= lines or size > lines * limit:
            return start


def document_records(
    stream: Input,
    encoding: str,
    *,
    columns: Sequence[str] = (),
    suits: Callable[[Sequence[str]], bool],
    limit: int,
    report: Report,
) -> Iterator[tuple[int, Record]]:
    """The rows of JSON documents.

    These are an array of objects; objects one after the other; an object with one array of
    objects; what `pandas.DataFrame.to_json` writes (records, split, index, columns, values,
    table); and an object of equally long arrays.

    Args:
        stream: decompressed bytes.
        encoding: of the text.
        columns: names of the columns of rows that are arrays.
        suits: called with names of columns, returns whether text and label are among them.
        limit: longest row (characters).
        report: called with the error of a row that is no object.

    Raises:
        DataError: it is no JSON, has text after its end, a value over the limit or a key twice, or
            no table is found in it.
    """
    scanner = _Scanner(stream, encoding, limit)
    rows: Iterator[Any]
    if scanner.peek() == "[":
        rows = scanner.array()
    else:
        rows = _object_rows(scanner, suits)
    number = 0
    for number, row in enumerate(rows, start=1):
        scanner.row = number
        if isinstance(row, list) and columns and len(row) == len(columns):
            yield number, dict(zip(columns, row, strict=True))
        elif isinstance(row, dict):
            yield number, row
        else:
            report(_no_object(row, columns, f"{stream.name}:{number}"))
    if scanner.peek():
        scanner.fail("text after the end of the JSON", "remove it, or write one object per line")


def _no_object(row: Any, columns: Sequence[str], where: str) -> DataError:
    if isinstance(row, list) and columns:
        what = f"{len(row)} values where --columns names {len(columns)}"
        return DataError(what, where=where, todo="name all columns")
    if isinstance(row, list):
        todo = "name them: --columns text,label"
        return DataError("a JSON array of values without names", where=where, todo=todo)
    return DataError(f"JSON {type(row).__name__}, not an object", where=where, todo=_ROW_ADVICE)


def _object_rows(scanner: _Scanner, suits: Callable[[Sequence[str]], bool]) -> Iterator[Any]:
    """The rows of objects one after the other, or of one object that is a table."""
    if (first := scanner.look_ahead()) is not None:
        document, end = first
        if not _holds_table(document) or scanner.has_more(end) or _is_row(document, suits):
            while scanner.peek() == "{":
                yield scanner.value()
            return
    yield from _TableRows(scanner, suits).rows()


def _holds_table(document: Record) -> bool:
    values = document.values()
    is_nested = bool(values) and all(isinstance(value, dict) for value in values)
    return is_nested or any(isinstance(value, list) for value in values)


def _is_row(document: Record, suits: Callable[[Sequence[str]], bool]) -> bool:
    return suits([name for name, value in flatten(document) if not isinstance(value, list)])


class _TableRows:
    """The rows of an object that is a table, whose form its first keys show."""

    def __init__(self, scanner: _Scanner, suits: Callable[[Sequence[str]], bool]) -> None:
        self._scanner, self._suits = scanner, suits
        self._names: list[str] | None = None
        self._columns: dict[str, list[Any]] = {}
        self._keys: list[str] = []
        self._tables: list[str] = []
        self._is_index: bool | None = None

    def rows(self) -> Iterator[Any]:
        scanner = self._scanner
        for key in scanner.object_keys():
            first = scanner.peek()
            if first == "[":
                yield from self._array(key)
            elif first != "{" or key == "schema":
                scanner.value()
            elif (row := self._object(key)) is not None:
                yield row
        if self._tables or self._is_index:
            return  # lists and objects beside the table tell about it
        if self._columns:
            yield from self._of_columns()
        else:
            scanner.fail("no table found in the JSON object", f"{_ROW_ADVICE} on each line")

    def _array(self, key: str) -> Iterator[Any]:
        """An array: names of columns, rows, or a column."""
        scanner = self._scanner
        if key == "columns":
            self._names = [str(name) for name in scanner.array()]
            return
        values = scanner.array()
        if key == "index":
            for _ in values:
                pass
            return
        names = self._names if key == "data" else None
        column: list[Any] = []
        for number, value in enumerate(values):
            if names is None and not isinstance(value, dict):
                column.append(value)
                continue
            if not number:
                self._begin_table(key)
            if names is not None and isinstance(value, list) and len(value) == len(names):
                value = dict(zip(names, value, strict=True))
            yield value
        if column:
            self._columns[key] = column

    def _begin_table(self, key: str) -> None:
        self._tables.append(key)
        if len(self._tables) > 1:
            names = " and ".join(map(repr, self._tables))
            self._scanner.fail(f"several tables ({names})", "write each into a file of its own")

    def _object(self, key: str) -> Record | None:
        """A row, under its index; or a column, whose values stand under the index."""
        scanner = self._scanner
        ahead = scanner.look_ahead()
        if self._is_index is None:
            names = [name for name, _ in flatten(ahead[0])] if ahead else []
            self._is_index = bool(names) and self._suits(names)
        if self._is_index:
            return scanner.value()  # type: ignore[no-any-return]
        values, keys = [], []
        for inner in scanner.object_keys():
            keys.append(inner)
            values.append(scanner.value())
        if self._columns and keys != self._keys:
            scanner.fail(f"column {key!r} has other rows than the first", "write JSON lines")
        self._keys = keys
        self._columns[key] = values
        return None

    def _of_columns(self) -> Iterator[Record]:
        lengths = {name: len(values) for name, values in self._columns.items()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
            self._scanner.fail(f"columns of different lengths ({shown})", "write JSON lines")
        for values in zip(*self._columns.values(), strict=True):
            yield dict(zip(self._columns, values, strict=True))


class _Scanner:
    """Reads JSON value by value.

    Args:
        stream: decompressed bytes.
        encoding: of the text.
        limit: longest value (characters).

    Attributes:
        row: number of the last row, for errors.
    """

    def __init__(self, stream: Input, encoding: str, limit: int) -> None:
        self._stream, self._encoding, self._limit = stream, encoding, limit
        self._decode = codecs.getincrementaldecoder(encoding)().decode
        self._parse = json.JSONDecoder(object_pairs_hook=unique_object).raw_decode
        self._text, self._at, self._is_end = "", 0, False
        self.row = 0

    def fail(self, what: str, todo: str) -> NoReturn:
        """Raise the error of what follows the last row."""
        raise DataError(what, where=f"{self._stream.name}:{self.row + 1}", todo=todo)

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def value(self) -> Any:
        """The next value."""
        value, self._at = self._next()
        return value

    def look_ahead(self) -> tuple[Any, int] | None:
        """The next value, which remains to be read, and its end; None if it is over the limit."""
        try:
            return self._next()
        except _TooLongError:
            return None

    def has_more(self, end: int) -> bool:
        """Whether anything follows a value that was looked at."""
        size = end - self._at
        while not self._text[self._at + size :].strip():
            if not self._fill():
                return False
        return True

    def array(self) -> Iterator[Any]:
        """The values of an array."""
        self._take("[")
        if self.peek() != "]":
            yield self.value()
            while self.peek() == ",":
                self._take(",")
                yield self.value()
        self._take("]")

    def object_keys(self) -> Iterator[str]:
        """The keys of an object; the value of each is to be read before the next."""
        self._take("{")
        seen: set[str] = set()
        if self.peek() != "}":
            while True:
                key = self.value() if self.peek() == '"' else self._fail_syntax('"')
                if key in seen:
                    self.fail(f"the key {key!r} is there twice", "remove one")
                seen.add(key)
                self._take(":")
                yield key
                if self.peek() != ",":
                    break
                self._take(",")
        self._take("}")

    def _take(self, character: str) -> None:
        if self.peek() != character:
            self._fail_syntax(character)
        self._at += 1

    def _fail_syntax(self, expected: str) -> NoReturn:
        found = repr(self.peek()) if self.peek() else "the end of the file"
        self.fail(f"not JSON ({expected!r} expected, and it is {found})", "check the file")

    def _next(self) -> tuple[Any, int]:
        self.peek()
        while True:
            try:
                value, end = self._parse(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated") or (
                    error.pos + _LONGEST_LITERAL >= len(self._text)
                )
                if is_cut and not self._is_end and len(self._text) - self._at <= self._limit:
                    self._fill()
                    continue
                if is_cut and not self._is_end:
                    raise self._too_long() from None
                if error.msg.startswith("Unterminated") or error.pos >= len(self._text):
                    self.fail("not JSON: the file ends within a value", "download it again")
                self.fail(f"not JSON ({error.msg})", "check the row")
            except RepeatedKeyError as error:
                self.fail(str(error), "remove one")
            except (ValueError, RecursionError) as error:  # an integer of 5,000 digits
                self.fail(f"JSON that cannot be read ({error})", "check the row")
            if end == len(self._text) and not self._is_end:  # a number may go on
                self._fill()
                continue
            if end - self._at > self._limit:
                raise self._too_long()
            return value, end

    def _too_long(self) -> _TooLongError:
        where = f"{self._stream.name}:{self.row + 1}"
        todo = "check the file's format, or raise --max-line-bytes"
        return _TooLongError(f"a value of more than {self._limit:,} bytes", where=where, todo=todo)

    def _fill(self) -> bool:
        """Read on, as much again as is there; False at the end."""
        old = self._text[self._at :]
        new: list[str] = []
        size = 0
        while size <= len(old) and not self._is_end:
            block = self._stream.read_block()
            self._is_end = not block
            try:
                new.append(self._decode(block, self._is_end))
            except UnicodeDecodeError as error:
                line = error.object[max(0, error.start - 200) : error.start + 200]
                self.fail(
                    f"byte 0x{error.object[error.start]:02x} is not {self._encoding}",
                    decoding_advice(line),
                )
            size += len(new[-1])
        self._text, self._at = old + "".join(new), 0
        return size > 0


class _TooLongError(DataError):
    """A value over the limit."""
