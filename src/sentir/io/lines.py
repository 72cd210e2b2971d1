"""The lines of a source, as bytes and decoded one by one."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import NoReturn

from sentir.errors import DataError
from sentir.io.streams import display_name, open_input

#: Longest line that is read unless the caller says otherwise (bytes).
MAX_LINE_BYTES = 1_000_000
_WIDE_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # first: it starts with the byte-order mark of UTF-16
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
#: Width of a character and place of its lowest byte.
_WIDE_PLACES = (
    ("UTF-32LE", 4, 0),
    ("UTF-32BE", 4, 3),
    ("UTF-16LE", 2, 0),
    ("UTF-16BE", 2, 1),
)
_WIDE_SAMPLE_BYTES = 1 << 12
#: High bytes of alphabets from Latin to Arabic are below it, and no byte of text is.
_SMALL_BYTE = 8
_ASCII = bytes(range(128))


def check_encoding(encoding: str) -> None:
    """Refuse an unknown encoding, and one that cannot be split into lines before decoding.

    Raises:
        DataError: the name is unknown, or the encoding is no superset of ASCII.
    """
    try:
        holds_ascii = _ASCII.decode(encoding) == _ASCII.decode("ascii")
    except LookupError:
        raise DataError(
            f"no encoding is called {encoding!r}",
            where="--encoding",
            todo="try utf-8, latin-1 or cp1252",
        ) from None
    except UnicodeError:
        holds_ascii = False
    if not holds_ascii:
        raise DataError(
            f"{encoding} cannot be read line by line",
            where="--encoding",
            todo=f"convert the file: iconv -f {encoding} -t utf-8",
        )


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
) -> Iterator[tuple[int, bytes]]:
    r"""The lines of a source, numbered from 1, without their ``\n``.

    A line over the limit is dropped block by block, so memory is bounded whatever the file.

    Args:
        source: a path, a URL or ``-``.
        max_line_bytes: longest line that is yielded (bytes).
        report: called with the error of a line that is too long, and of a damaged stream, where
            the lines end. It raises the error, or returns to continue.

    Raises:
        DataError: as `open_input`; and whatever `report` raises.
    """
    number, partial, too_long = 0, b"", False
    with open_input(source) as stream:
        while True:
            try:
                block = stream.read_block()
            except DataError as error:
                where = f"{stream.name}:{number + 1}"
                report(DataError(error.what, where=where, todo=error.todo))
                return  # the line that was being read is incomplete, so it is dropped
            if not block:
                break
            lines = (partial + block).split(b"\n")
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
        if partial:
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
) -> Iterator[tuple[int, str]]:
    r"""The decoded lines of a source, numbered from 1, without ``\n`` and UTF-8's byte-order mark.

    Args:
        source: a path, a URL or ``-``.
        encoding: one that `check_encoding` accepts.
        max_line_bytes: longest line that is yielded (bytes).
        report: called with the error of each line that cannot be read.
        keep_undecodable: yield a line that cannot be decoded as `UndecodableLine`, for a caller
            that needs it to find the ends of rows; otherwise it is left out.

    Raises:
        DataError: the file is in UTF-16 or UTF-32, or as `read_lines`.
    """
    name = display_name(source)
    for number, line in read_lines(source, max_line_bytes=max_line_bytes, report=report):
        if number == 1:
            line = check_first_line(line, name)
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode(encoding, errors="replace")) + 1
            report(
                DataError(
                    f"byte 0x{line[error.start]:02x} at column {column} is not {encoding}",
                    where=f"{name}:{number}",
                    todo=f"pass --encoding {_likely_encoding(line)} (or what it is), "
                    "or convert the file with iconv",
                )
            )
            if not keep_undecodable:
                continue
            text = UndecodableLine(line.decode(encoding, errors="replace"))
        yield number, text


def check_first_line(line: bytes, name: str) -> bytes:
    """The first line without UTF-8's byte-order mark.

    Raises:
        DataError: the file is in UTF-16 or UTF-32, with a byte-order mark or without.
    """
    encoding = next((wide for bom, wide in _WIDE_BOMS.items() if line.startswith(bom)), None)
    if encoding := encoding or _wide_encoding(line):
        raise DataError(
            f"the file is in {encoding}",
            where=name,
            todo=f"convert it: iconv -f {encoding} -t UTF-8 {name} > converted",
        )
    return line.removeprefix(codecs.BOM_UTF8)


def _wide_encoding(line: bytes) -> str | None:
    """UTF-16 or UTF-32 by its high bytes, which are small for most alphabets (0 for ASCII).

    The line may end in the middle of a character, as it was split at the byte of a line end.
    """
    start = line[:_WIDE_SAMPLE_BYTES]
    for encoding, width, place in _WIDE_PLACES:
        characters = len(start) // width
        small = [sum(map(_is_small, start[offset::width])) for offset in range(width)]
        low = small.pop(place)
        # Text has no such control characters; a stray NUL is not enough.
        if low == 0 and min(small) >= max(2, characters // 2):
            return encoding
    return None


def _is_small(byte: int) -> bool:
    return byte < _SMALL_BYTE


def _likely_encoding(line: bytes) -> str:
    """What a line that is no UTF-8 is likely to be in: cp1252 is Latin-1 and more, from Windows."""
    try:
        line.decode("cp1252")
    except UnicodeDecodeError:  # five bytes mean nothing in it
        return "latin-1"
    return "cp1252"
