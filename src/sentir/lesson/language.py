"""The languages in which the lesson speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from sentir.errors import UsageError

LANGUAGES = ("en", "es")
T = TypeVar("T")


def tr(texts: Mapping[str, T], language: str) -> T:
    """What stands there in that language.

    Raises:
        UsageError: the lesson does not speak it.
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"the lesson does not speak {language!r}", todo=f"use {' or '.join(LANGUAGES)}"
        )
    return texts[language]
