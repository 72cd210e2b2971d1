"""Text of users at a terminal: escape sequences in a review, a label or a name stay text."""

from __future__ import annotations

import re
from typing import Any

#: Bytes of control characters that a terminal obeys: C0 but tab and newline, DEL, and C1 in UTF-8.
_CONTROLS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str, keep: str = "") -> str:
    """The text with what no terminal, font or XML file can take replaced by �.

    That is control characters (a terminal would obey them), halves of surrogate pairs and the two
    characters that XML forbids.

    Args:
        text: any text.
        keep: control characters that stay, such as newlines.
    """
    return _UNPRINTABLE.sub(lambda match: match[0] if match[0] in keep else "�", text)


class TerminalStream:
    """A binary stream to a terminal on which control characters become �.

    Args:
        raw: the stream; whole lines of UTF-8 are written to it.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def write(self, data: bytes) -> int:
        self._raw.write(_CONTROLS.sub("�".encode(), bytes(data)))
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
