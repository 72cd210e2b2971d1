"""Lines of text: the lines of a source, decoded one by one."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator

from sentir.errors import DataError
from sentir.io.paths import read_lines
from sentir.io.streams import display_name

_WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16's, with which it begins
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_ASCII = bytes(range(128))


def check_encoding(encoding: str) -> None:
    """Refuse an encoding that does not exist, or that cannot be cut into lines before decoding.

    Raises:
        DataError: the name is unknown, or the encoding does not hold ASCII as it is.
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


class Unreadable(str):
    """A line that could not be decoded, with marks in place of the bytes that are wrong."""

    __slots__ = ()


def text_lines(
    source: str,
    encoding: str,
    max_line_bytes: int,
    report: Callable[[DataError], None],
    *,
    keep_unreadable: bool = False,
) -> Iterator[tuple[int, str]]:
    r"""The decoded lines of a source, numbered from 1, without ``\n`` and without UTF-8's mark.

    Args:
        source: a path, a URL or ``-``.
        encoding: one that `check_encoding` lets pass.
        max_line_bytes: longest line that is yielded (bytes).
        meet: called with the error of each line that cannot be read.
        keep_unreadable: yield lines that cannot be decoded as `Unreadable`, to one who has to know
            where a row ends; otherwise they are left out.

    Raises:
        DataError: the file is in UTF-16 or UTF-32, or as `read_lines`.
    """
    name = display_name(source)
    for number, line in read_lines(source, max_line_bytes=max_line_bytes, report=report):
        if number == 1:
            line = _without_mark(line, name)
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode(encoding, errors="replace")) + 1
            report(
                DataError(
                    f"byte 0x{line[error.start]:02x} at column {column} is not {encoding}",
                    where=f"{name}:{number}",
                    todo="pass --encoding latin-1 (or what it is), or convert the file with iconv",
                )
            )
            if not keep_unreadable:
                continue
            text = Unreadable(line.decode(encoding, errors="replace"))
        yield number, text


def _without_mark(line: bytes, name: str) -> bytes:
    for mark, encoding in _WIDE_MARKS.items():
        if line.startswith(mark):
            raise DataError(
                f"the file is in {encoding}",
                where=name,
                todo=f"convert it: iconv -f {encoding} -t UTF-8 {name} > converted",
            )
    return line.removeprefix(codecs.BOM_UTF8)
