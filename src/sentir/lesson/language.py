"""The languages of the lesson: texts, and how numbers are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from sentir.errors import UsageError

LANGUAGES = ("en", "es")
T = TypeVar("T")

_PERCENT = re.compile(r"(?<=\d)%")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+")
_FOUR_DIGITS = re.compile(r"(?<![\d,])(\d),(\d{3})(?!,?\d)")
_SPANISH_MARKS = str.maketrans({",": "\u202f", ".": ","})


def check_language(language: str) -> None:
    """Refuse a language that the lesson has no texts in.

    Raises:
        UsageError: it is one.
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"the lesson does not speak {language!r}", todo=f"use {' or '.join(LANGUAGES)}"
        )


def tr(texts: Mapping[str, T], language: str) -> T:
    """The text (or whatever the mapping holds) of a language.

    Raises:
        UsageError: the lesson has no texts in it.
    """
    check_language(language)
    return texts[language]


def localized(text: str, language: str) -> str:
    """The text with its numbers as the language writes them, from Python's form.

    English keeps ``12,345.5%``. Spanish has a decimal comma, a thin space between thousands (none
    in a number of four digits) and a no-break space before the percent sign. The text must have
    no other points or commas between digits, such as those of a version.
    """
    if language != "es":
        return text
    text = _PERCENT.sub("\u00a0%", text)
    text = _FOUR_DIGITS.sub(r"\1\2", text)
    return _NUMBER.sub(lambda match: match[0].translate(_SPANISH_MARKS), text)


def es(value: object, spec: str = "", *, math: bool = False) -> str:
    """A value formatted as in Spanish text; Spanish notebooks write their numbers with it.

    Args:
        value: a number, or text with numbers.
        spec: the format, as after the colon of an f-string.
        math: the text is part of a TeX formula, where a decimal comma stands in braces.
    """
    text = localized(format(value, spec), "es")
    return re.sub(r"(?<=\d),(?=\d)", "{,}", text).replace("%", r"\%") if math else text
