"""Cleaning: the lesson's steps, each by its name.

The steps always run in the order of `STEPS`, whatever order a configuration lists them in: entities
must be characters before they are composed, addresses must be found before digits become zeros.
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


#: What an address becomes: one token for all of them.
URL_TOKEN = "<url>"

_BREAK = re.compile(r"<(?:br|p|/p|div|/div|li|/li)\s*/?>", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
# An address has a scheme, begins with "www.", or is a bare host with a well-known ending. The
# lesson's pattern took any word with a full stop and three letters behind it ("end.The") and left
# the rest of the address standing. Closing punctuation belongs to the sentence, not to the address;
# "libro.Es" and "life.De Niro" are two words, though es and de are endings. The limits on a host's
# parts (63 is the real one) keep the time linear in the text.
_ENDINGS = "com|org|net|edu|gov|info"
_COUNTRIES = "es|mx|ar|uk|de|fr"
_URL = re.compile(
    rf"""
    (?<![\w@.])
    (?: (?:https?|ftp)://[^\s<>"]+
      | www\.[^\s<>"]+
      | (?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.){{1,8}}
        (?:{_ENDINGS}|(?-i:(?![A-Z][a-z]))(?:{_COUNTRIES}))
        (?![\w@-]|\.\w) (?:[/?\#][^\s<>"]*)?
    )
    (?<![.,;:!?'")\]}}>])
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Every address holds one of these, and few other pieces do.
_URL_SIGN = re.compile(rf"://|www\.|\.(?:{_ENDINGS}|{_COUNTRIES})(?![\w@-])", re.IGNORECASE)
# Composing takes time quadratic in a run of combining marks. A longer run is no language.
_MARKS = re.compile(r"([^\w\s\x00-\x7f]{100})[^\w\s\x00-\x7f]+")
QUOTES = {"'": "‘’‛´`", '"': "“”„‟"}


def _html(text: str) -> str:
    if "&" in text:
        with suppress(ValueError):  # a character's number of thousands of digits
            text = html.unescape(text)
    return _BREAK.sub(" ", text) if "<" in text else text


def _nfc(text: str) -> str:
    if text.isascii():
        return text
    if len(text) > 100:
        text = _MARKS.sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


def _quotes(text: str) -> str:
    # In a long text each of these searches is many times as fast as `str.translate`.
    for straight, typographic in QUOTES.items():
        for sign in typographic:
            text = text.replace(sign, straight)
    return text


def _url(text: str) -> str:
    # No address holds a blank: only pieces with a sign of one are looked at closely.
    parts: list[str] = []
    done = 0
    for sign in _URL_SIGN.finditer(text):
        if sign.start() >= done:
            begin = max(text.rfind(" ", done, sign.start()) + 1, done)
            end = text.find(" ", sign.end())
            end = len(text) if end < 0 else end
            parts += text[done:begin], _URL.sub(URL_TOKEN, text[begin:end])
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
    """One function that carries out the named steps, in the order of `STEPS`.

    Args:
        steps: names out of `STEPS`; html (breaks and entities), nfc (Unicode composition),
            quotes (typographic ones made straight), url (addresses become ``<url>``), lower,
            digits (each becomes ``0``).
    """
    wanted = set(steps)
    chosen = [step for name, step in STEPS.items() if name in wanted]

    def clean(text: str) -> str:
        for step in chosen:
            text = step(text)
        return text

    return clean
