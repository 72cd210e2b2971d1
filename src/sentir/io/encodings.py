"""Encodings of text files: which can be read, and which a file is likely to be in."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable

from sentir.errors import DataError

UTF8_BOM = codecs.BOM_UTF8
_WIDE_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # first: it starts with the byte-order mark of UTF-16
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
#: Longest byte-order mark of these (bytes).
WIDE_BOM_BYTES = 4
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
_SMALL_BYTES = bytes(range(_SMALL_BYTE))
_ASCII = bytes(range(128))
#: Bytes that stand for themselves in every encoding of files: ASCII, and what Python's codecs of
#: other kinds (``unicode_escape``, ``idna``) take for an escaped character.
_ASCII_TEXTS = (rb"\n \x41 \u0041", b"xn--bcher-kva", _ASCII)
_CP1252_QUOTES = re.compile(rb"[\x80\x82-\x8c\x8e\x91-\x9c\x9e\x9f]")


def check_encoding(encoding: str) -> None:
    """Refuse an unknown encoding, and one that cannot be split into lines before decoding.

    Raises:
        DataError: the name is unknown, or the encoding is no superset of ASCII.
    """
    try:
        holds_ascii = all(text.decode(encoding) == text.decode("ascii") for text in _ASCII_TEXTS)
    except UnicodeError:
        holds_ascii = False
    except (LookupError, ValueError):  # ValueError: NUL in the name
        raise DataError(
            f"no encoding is called {encoding!r}",
            where="--encoding",
            todo="try utf-8, latin-1 or cp1252",
        ) from None
    if not holds_ascii:
        is_wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
        hint = ", or leave the option out if it has a byte-order mark" if is_wide else ""
        raise DataError(
            f"{encoding} cannot be read line by line",
            where="--encoding",
            todo=f"convert the file to UTF-8 (iconv -f {encoding} -t utf-8){hint}",
        )


def marked_encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32 by its byte-order mark; None for other bytes."""
    return next((wide for bom, wide in _WIDE_BOMS.items() if start.startswith(bom)), None)


class Utf8Bytes:
    """The bytes of a stream in UTF-16 or UTF-32 as UTF-8, both with a byte-order mark.

    Args:
        read: returns the next bytes, as many as are available; none at the end.
        encoding: UTF-16 or UTF-32.
    """

    def __init__(self, read: Callable[[], bytes], encoding: str) -> None:
        self._read, self._decode = read, codecs.getincrementaldecoder(encoding)().decode
        self._mark = UTF8_BOM

    def read(self, size_bytes: int = -1) -> bytes:
        """The next bytes, whatever their number; none at the end.

        Raises:
            UnicodeDecodeError: they are no text of this encoding.
        """
        text = ""
        while not text:
            block = self._read()
            text = self._decode(block, not block)
            if not block:
                break
        data, self._mark = self._mark + text.encode(), b""
        return data

    def close(self) -> None:
        """The stream is closed by its owner."""


def check_start(start: bytes, name: str) -> None:
    """Refuse a file in UTF-16 or UTF-32 without a byte-order mark.

    Args:
        start: the first bytes of the file, as many as there are.
        name: name of the file in the error.

    Raises:
        DataError: the file is in UTF-16 or UTF-32.
    """
    if encoding := wide_encoding(start):
        raise DataError(
            f"the file is in {encoding}",
            where=name,
            todo=f"convert it: iconv -f {encoding} -t UTF-8 {name} > converted",
        )


def wide_encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32 by its bytes without a byte-order mark; None for other text.

    The bytes may end in the middle of a character.
    """
    start = start[:_WIDE_SAMPLE_BYTES]
    if len(start.translate(None, _SMALL_BYTES)) == len(start):  # nearly all files, at once
        return None
    for encoding, width, place in _WIDE_PLACES:
        characters = len(start) // width
        small = [sum(map(_is_small, start[offset::width])) for offset in range(width)]
        low = small.pop(place)
        # Text has no such control characters (but emoji a low byte); a stray NUL is not enough.
        if low <= characters // 8 and min(small) >= max(2, characters * 3 // 4):
            return encoding
    if b"\0" in start and _decode(start, "utf-8") is None:
        return next(
            filter(lambda encoding: _is_text(start, encoding), ["UTF-16LE", "UTF-16BE"]), None
        )
    return None


def _is_small(byte: int) -> bool:
    return byte < _SMALL_BYTE


def _is_text(start: bytes, encoding: str) -> bool:
    """Whether the bytes are lines of letters, such as Chinese, whose high bytes are not small."""
    text = _decode(start, encoding) or ""
    letters = sum(map(str.isalpha, text))
    return (
        "\n" in text
        and letters * 2 > len(text)
        and not any(
            unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")
            for character in text
            if character not in "\t\r\n"
        )
    )


def _decode(start: bytes, encoding: str) -> str | None:
    """The text, of which the last character may be incomplete; None if it is not so encoded."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError:
        return None


def is_latin1(encoding: str) -> bool:
    """Whether it is ISO 8859-1, for which files in cp1252 are often taken."""
    return codecs.lookup(encoding).name == "iso8859-1"


def has_cp1252_quotes(line: bytes) -> bool:
    """Whether a line has bytes that are quotes, dashes and the like in cp1252 alone."""
    return _CP1252_QUOTES.search(line) is not None and _decode(line, "cp1252") is not None


def decoding_advice(line: bytes) -> str:
    """What to do about a line that cannot be decoded."""
    text = line.decode("utf-8", errors="ignore")
    if sum(not character.isascii() for character in text) > len(line) - len(text.encode()):
        return "the rest of the line is UTF-8, so fix the row"
    if sum(byte > 127 for byte in line) > sum(map(str.isalpha, text)):  # no Latin alphabet
        return "pass its --encoding (cp1251, gb18030, shift_jis, ...), or convert it with iconv"
    encoding = "latin-1" if _decode(line, "cp1252") is None else "cp1252"
    return f"pass --encoding {encoding} (or what it is), or convert the file with iconv"
