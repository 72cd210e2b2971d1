"""Cleaning steps by name.

They always run in the order of `STEPS`, in whichever order a configuration lists them: entities
must be characters before they are composed, and URLs must be found before digits become zeros.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentir.config import CleanStep


#: The one token that every URL becomes.
URL_TOKEN = "<url>"

_BREAK = re.compile(r"<(?:br|p|/p|div|/div|li|/li)\s*/?>", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
# A URL has a scheme, starts with "www.", or is a bare host with a well-known top-level domain. (The
# lesson's pattern matched any word followed by a full stop and three letters, "end.The", and only a
# part of a URL.) Closing punctuation belongs to the sentence, not to the URL. "libro.Es" and
# "life.De Niro" are two words, though es and de are domains. The limits on a host's labels (63 is
# the real one) keep the time linear in the text.
_GENERIC = "com|org|net|edu|gov|info"
_COUNTRIES = "es|mx|ar|uk|de|fr"
_URL = re.compile(
    rf"""
    (?<![\w@.])
    (?: (?:https?|ftp)://[^\s<>"]+
      | www\.[^\s<>"]+
      | (?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.){{1,8}}
        (?:{_GENERIC}|(?-i:(?![A-Z][a-z]))(?:{_COUNTRIES}))
        (?![\w@-]|\.\w) (?:[/?\#][^\s<>"]*)?
    )
    (?<![.,;:!?'")\]}}>])
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Every URL holds one of these, and few other pieces do.
_URL_HINT = re.compile(rf"://|www\.|\.(?:{_GENERIC}|{_COUNTRIES})(?![\w@-])", re.IGNORECASE)
# Composing takes time quadratic in a run of combining marks. A longer run is no language.
_LONG_MARKS = re.compile(r"([^\w\s\x00-\x7f]{100})[^\w\s\x00-\x7f]+")
QUOTES = {"'": "‘’‛´`", '"': "“”„‟"}


def _html(text: str) -> str:
    if "&" in text:
        with suppress(ValueError):  # a character number of thousands of digits
            text = html.unescape(text)
    return _BREAK.sub(" ", text) if "<" in text else text


def _nfc(text: str) -> str:
    if text.isascii():
        return text
    if len(text) > 100:
        text = _LONG_MARKS.sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


def _quotes(text: str) -> str:
    # Much faster in a long text than `str.translate`.
    for straight, typographic in QUOTES.items():
        for sign in typographic:
            text = text.replace(sign, straight)
    return text


def _url(text: str) -> str:
    # No URL holds a space: the slow pattern runs only on pieces with a hint of one.
    parts: list[str] = []
    done = 0
    for hint in _URL_HINT.finditer(text):
        if hint.start() >= done:
            start = max(text.rfind(" ", done, hint.start()) + 1, done)
            end = text.find(" ", hint.end())
            end = len(text) if end < 0 else end
            parts += text[done:start], _URL.sub(URL_TOKEN, text[start:end])
            done = end
    return "".join([*parts, text[done:]]) if parts else text


STEPS: dict[CleanStep, Callable[[str], str]] = {
    "html": _html,
    "nfc": _nfc,
    "quotes": lambda text: text if text.isalnum() else _quotes(text),
    "url": _url,
    "lower": str.lower,
    "digits": lambda text: text if text.isalpha() else _DIGIT.sub("0", text),
}


def cleaner(steps: Iterable[CleanStep]) -> Callable[[str], str]:
    """One function that runs the named steps, in the order of `STEPS`.

    Args:
        steps: names from `STEPS`: html (line breaks and entities), nfc (Unicode composition),
            quotes (typographic ones become straight), url (URLs become ``<url>``), lower, digits
            (each becomes ``0``).
    """
    names = set(steps)
    chosen = [step for name, step in STEPS.items() if name in names]

    def clean(text: str) -> str:
        for step in chosen:
            text = step(text)
        return text

    return clean
