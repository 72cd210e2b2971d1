"""Cleaning steps by name.

They always run in the order of `STEPS`, in whichever order a configuration lists them: entities
must be characters before they are composed, and URLs must be found before digits become zeros.
A tokenizer keeps the names of its steps, so what a name means is never changed: bundles that were
trained with ``digits`` go on reading all digits as zeros.
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

Ranges = tuple[tuple[int, int], ...]


def character_class(ranges: Ranges) -> str:
    """Code points, as they are written between the brackets of a regular expression."""
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


#: Characters that are not seen, and would keep a word from being recognised: controls that are no
#: white space, and the default ignorable code points of Unicode 15 (DerivedCoreProperties.txt:
#: zero-width characters, soft hyphens, directions, variation selectors, tags). Skin tones are seen,
#: but change no opinion: an emoji with one is the emoji without.
INVISIBLE: Ranges = (
    (0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x7F), (0xAD, 0xAD), (0x34F, 0x34F),
    (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
    (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0x1F3FB, 0x1F3FF), (0xE0000, 0xE0FFF),
)  # fmt: skip
_INVISIBLE = re.compile(f"[{character_class(INVISIBLE)}]+")
#: Control characters that come from reading Windows-1252 as Latin-1, and what was written: dashes
#: and quotes, as HTML reads them too. U+0085 is white space.
C1_CONTROLS = {
    chr(byte): bytes([byte]).decode("cp1252", "ignore")
    for byte in range(0x80, 0xA0)
    if byte != 0x85
}
_C1_CONTROL = re.compile("[\x80-\x84\x86-\x9f]")
#: Characters that look like a space and are no white space: an empty Braille cell, Hangul fillers.
BLANKS = "\u2800\u3164\uffa0"

_BREAK = re.compile(r"<(?:br|p|/p|div|/div|li|/li)\s*/?>", re.IGNORECASE)
# Line breaks written as escapes, as in the files of Yelp's reviews. "on\top" and "c:\temp" hold no
# tab.
_ESCAPED_BREAK = re.compile(r"\\+(?:[nr]|t(?![a-z]))")
_ESCAPED_QUOTE = re.compile(r"\\+(?=[\"'])")
_DIGIT = re.compile(r"\d")
# A number with its decimals or minutes; "10/10" and "4-5" are two. The group is what a rating is
# written with: 0 to 10, 3.5 or 3,5. After a letter it is part of a name: "mp3".
_NUMBER = re.compile(
    r"((?<!\w)(?:10|[0-9])(?:[.,][0-9])?(?![.,:]?\d)) | \d+(?:[.,:]\d+)*", re.VERBOSE
)
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
#: Signs after a word that no step changes, and that are tokens of their own.
PLAIN_SIGNS = frozenset(".,;:!?)")
QUOTES = {"'": "‘’‛´`", '"': "“”„‟"}


def _html(text: str) -> str:
    if "&" in text:
        with suppress(ValueError):  # a character number of thousands of digits
            text = html.unescape(text)
    if "<" in text:
        text = _BREAK.sub(" ", text)
    if "\\" in text:
        text = _ESCAPED_QUOTE.sub("", _ESCAPED_BREAK.sub(" ", text))
    if not text.isascii():
        for blank in BLANKS:
            text = text.replace(blank, " ")
    return text


def _nfc(text: str) -> str:
    if text.isascii():
        return text if text.isprintable() else _INVISIBLE.sub("", text)
    text = _INVISIBLE.sub("", _C1_CONTROL.sub(lambda match: C1_CONTROLS[match[0]], text))
    if len(text) > 100:
        text = _LONG_MARKS.sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


def _quotes(text: str) -> str:
    if text.isascii():  # of which the grave accent is the only one
        return text.replace("`", "'")
    # Much faster in a long text than `str.translate`.
    for straight, typographic in QUOTES.items():
        for sign in typographic:
            text = text.replace(sign, straight)
    return text


def _url(text: str) -> str:
    if "." not in text and "://" not in text:
        return text
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


def _numbers(text: str) -> str:
    if text.isalpha() or not _DIGIT.search(text):
        return text
    return _NUMBER.sub(lambda match: match[1] or _DIGIT.sub("0", match[0]), text)


STEPS: dict[CleanStep, Callable[[str], str]] = {
    "html": _html,
    "nfc": _nfc,
    "quotes": _quotes,
    "url": _url,
    "lower": str.lower,
    "numbers": _numbers,
    "digits": lambda text: text if text.isalpha() else _DIGIT.sub("0", text),
}


def cleaner(steps: Iterable[CleanStep]) -> Callable[[str], str]:
    """One function that runs the named steps, in the order of `STEPS`.

    Args:
        steps: names from `STEPS`:

            - html: entities are decoded; tags and escapes of line breaks become spaces
            - nfc: Unicode composition; invisible characters are removed, and Windows-1252 that was
              read as Latin-1 is corrected
            - quotes: typographic quotes become straight
            - url: each URL becomes ``<url>``
            - lower: lower case
            - numbers: each digit becomes ``0``, but for numbers as ratings have them: 0 to 10,
              perhaps with a decimal, as in ``1 star``, ``3.5`` and ``10/10``
            - digits: each digit becomes ``0``
    """
    names = set(steps)
    chosen = [step for name, step in STEPS.items() if name in names]
    lowers = "lower" in names

    def clean(text: str) -> str:
        # Most pieces are an ASCII word, or one and a sign, of which no other step changes anything.
        if text.isascii() and (text.isalpha() or (text[:-1].isalpha() and text[-1] in PLAIN_SIGNS)):
            return text.lower() if lowers else text
        for step in chosen:
            text = step(text)
        return text

    return clean
