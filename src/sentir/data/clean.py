"""Cleaning: the lesson's steps, each by its name.

The steps always run in the order of `STEPS`, whatever order a configuration lists them in: entities
must be characters before they are composed, addresses must be found before digits become zeros.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable

from sentir.config import CleanStep

#: What an address becomes: one token for all of them.
URL_TOKEN = "<url>"

_BREAK = re.compile(r"<(?:br|p|/p|div|/div|li|/li)\s*/?>", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
# An address has a scheme, begins with "www.", or is a bare host with a well-known ending. The
# lesson's pattern took any word with a full stop and three letters behind it ("end.The") and left
# the rest of the address standing. Closing punctuation belongs to the sentence, not to the address.
_URL = re.compile(
    r"""
    (?<![\w@.])
    (?: (?:https?|ftp)://[^\s<>"]+
      | www\.[^\s<>"]+
      | (?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|org|net|edu|gov|info|es|mx|ar|uk|de|fr)
        (?![\w@-]|\.\w) (?:[/?\#][^\s<>"]*)?
    )
    (?<![.,;:!?'")\]}>])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_QUOTES = str.maketrans(
    {"‘": "'", "’": "'", "‛": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "‟": '"'}
)


def _html(text: str) -> str:
    if "&" in text:
        text = html.unescape(text)
    return _BREAK.sub(" ", text) if "<" in text else text


def _url(text: str) -> str:
    return _URL.sub(URL_TOKEN, text) if "." in text or "://" in text else text


STEPS: dict[CleanStep, Callable[[str], str]] = {
    "html": _html,
    "nfc": lambda text: unicodedata.normalize("NFC", text),
    "quotes": lambda text: text.translate(_QUOTES),
    "url": _url,
    "lower": str.lower,
    "digits": lambda text: _DIGIT.sub("0", text),
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
