"""Values as the text of a cell or a line, and what other programs would take them for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from sentir.io.fasttext import PREFIX
from sentir.io.jsonl import Number

#: What Excel, LibreOffice and Google Sheets take for a formula (OWASP, "CSV Injection"), with the
#: full-width forms of East Asian keyboards; a number is none.
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?%?")
#: Ends of lines and fields for some program: what `str.splitlines` and fastText split at.
_BREAKS = re.compile("[\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029\0]")
_LABEL_IN_TEXT = re.compile(rf"(?<!\S){PREFIX}")


def cell(value: Any) -> str:
    """A value as the text of a cell: nothing for None, JSON for lists, objects and booleans."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Number):
        return value.literal
    if isinstance(value, (bool, list, dict)):
        return to_json(value)
    return _plain(value)


def inert(text: str) -> str:
    """The text of a cell, with ``'`` before what a spreadsheet would take for a formula."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def one_line(value: Any) -> str:
    """A value without ends of lines or fields; probabilities with six digits."""
    text = f"{value:.6f}" if type(value) is float else cell(value)
    return _BREAKS.sub(" ", text)


def without_labels(text: str) -> str:
    """A text in which fastText sees no label: ``__label__x`` becomes ``__ label__x``."""
    return _LABEL_IN_TEXT.sub("__ label__", text)


def to_json(value: Any) -> str:
    """A value as JSON, which has no NaN nor infinity: they become null."""
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=_plain)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> str:
    """A value of Parquet that JSON lacks: a date, a decimal number, bytes."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
