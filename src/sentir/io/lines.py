"""The lines of a source, as bytes and decoded one by one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import NoReturn

from sentir.errors import DataError, SentirWarning
from sentir.io.encodings import (
    UTF8_BOM,
    check_start,
    decoding_advice,
    has_cp1252_quotes,
    is_latin1,
    wide_encoding,
)
from sentir.io.streams import display_name, open_input

#: Longest line that is read unless the caller says otherwise (bytes).
MAX_LINE_BYTES = 1_000_000
#: What DOS and preallocated files end with.
_PADDING = b"\x1a\0"


class UndecodableLine(str):
    """A line that could not be decoded; U+FFFD stands for each wrong byte."""

    __slots__ = ()


def raise_at_once(error: DataError) -> NoReturn:
    """The default for `report`: raise the error."""
    raise error


def read_lines(
    source: str,
    *,
    max_line_bytes: int = MAX_LINE_BYTES,
    report: Callable[[DataError], None] = raise_at_once,
    on_start: Callable[[bytes], object] = lambda block: None,
) -> Iterator[tuple[int, bytes]]:
    r"""The lines of a source, numbered from 1, without their ``\n``.

    In a file without ``\n`` lines end with ``\r``, as on old Macs. A line over the limit is dropped
    block by block, so memory is bounded whatever the file.

    Args:
        source: a path, a URL or ``-``.
        max_line_bytes: longest line that is yielded (bytes).
        report: called with the error of a line that is too long, and of a damaged stream, where
            the lines end. It raises the error, or returns to continue.
        on_start: called with the first bytes of the source; it may raise.

    Raises:
        DataError: as `open_input`; and whatever `report` raises.
    """
    number, partial, too_long, line_end = 0, b"", False, b""
    with open_input(source) as stream:
        while True:
            try:
                block = stream.read_block()
            except DataError as error:
                report(error.at(f"{stream.name}:{number + 1}"))
                return  # the line that was being read is incomplete, so it is dropped
            if not block:
                break
            if not line_end:
                on_start(block)
                line_end = b"\r" if b"\n" not in block and b"\r" in block[:-1] else b"\n"
            lines = (partial + block).split(line_end)
            partial = lines.pop()
            for line in lines:
                number += 1
                if len(line) > max_line_bytes or too_long:
                    if not too_long:
                        report(_line_too_long(stream.name, number, max_line_bytes))
                    too_long = False
                else:
                    yield number, line
            if len(partial) > max_line_bytes and not too_long:
                report(_line_too_long(stream.name, number + 1, max_line_bytes))
                too_long = True
            if too_long:
                partial = b""
        if partial.strip(_PADDING):
            yield number + 1, partial


def _line_too_long(name: str, number: int, max_line_bytes: int) -> DataError:
    return DataError(
        f"a line of more than {max_line_bytes:,} bytes",
        where=f"{name}:{number}",
        todo="check the file's format, or raise --max-line-bytes",
    )


def text_lines(
    source: str,
    encoding: str,
    max_line_bytes: int,
    report: Callable[[DataError], None],
    *,
    keep_undecodable: bool = False,
    on_start: Callable[[bytes], object] = lambda block: None,
) -> Iterator[tuple[int, str]]:
    r"""The decoded lines of a source, numbered from 1, without ``\n`` and UTF-8's byte-order marks.

    Args:
        source: a path, a URL or ``-``.
        encoding: one that `check_encoding` accepts.
        max_line_bytes: longest line that is yielded (bytes).
        report: called with the error of each line that cannot be read.
        keep_undecodable: yield a line that cannot be decoded as `UndecodableLine`, for a caller
            that needs it to find the ends of rows; otherwise it is left out.
        on_start: called with the first bytes of the source.

    Raises:
        DataError: the file is in UTF-16 or UTF-32, or as `read_lines`.
    """
    name = display_name(source)
    may_be_cp1252 = is_latin1(encoding)

    def check(block: bytes) -> None:
        check_start(block, name)
        on_start(block)

    for number, line in read_lines(
        source, max_line_bytes=max_line_bytes, report=report, on_start=check
    ):
        while line.startswith(UTF8_BOM):  # also within a file: cat a.csv b.csv
            line = line.removeprefix(UTF8_BOM)
        if b"\0" in line and (wide := wide_encoding(line)):
            what = f"the line is in {wide[:6]}, and those above it are not"
            report(DataError(what, where=f"{name}:{number}", todo="convert that part of the file"))
            continue
        if may_be_cp1252 and has_cp1252_quotes(line):
            may_be_cp1252 = False
            warnings.warn(
                f"{name}:{number}: bytes 0x80 to 0x9f are control characters in {encoding}, and "
                "quotes, apostrophes and dashes in cp1252: pass --encoding cp1252 if it is from "
                "Windows",
                SentirWarning,
                stacklevel=2,
            )
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode(encoding, errors="replace")) + 1
            report(
                DataError(
                    f"byte 0x{line[error.start]:02x} at column {column} is not {encoding}",
                    where=f"{name}:{number}",
                    todo=decoding_advice(line),
                )
            )
            if not keep_undecodable:
                continue
            text = UndecodableLine(line.decode(encoding, errors="replace"))
        yield number, text
