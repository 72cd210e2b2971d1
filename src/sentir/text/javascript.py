"""The word tokenizer in JavaScript (``tokenizer.js``), and the data it shares with Python's.

The course's page, an exported page and programs in Node use the same file. Patterns are written
twice, since the syntaxes differ; word lists, signs and entities come from here.
"""

from __future__ import annotations

import html
from html.entities import html5
from importlib import resources
from typing import Any

from sentir.config import CleanStep
from sentir.text.cleaning import BLANKS, C1_CONTROLS, INVISIBLE, QUOTES, STEPS, URL_TOKEN
from sentir.text.tokenizer import SPECIAL, UNK, Tokenizer
from sentir.text.treebank import ABBREVIATIONS, CLOSERS, MAX_PIECE_CHARACTERS, SYMBOLS

#: Numbers of characters that `html.unescape` may read as something else: control characters and
#: what is no character in any plane.
_SPECIAL_REFERENCES = (
    *range(0xA0),
    *range(0xFDD0, 0xFDF0),
    *(plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)),
)


def tokenizer_script() -> str:
    """The class ``Tokenizer`` as a script; a module needs an ``export`` after it."""
    return resources.files(__package__).joinpath("tokenizer.js").read_text(encoding="utf-8")


def tokenizer_rules() -> dict[str, Any]:
    """The lists and constants that ``Tokenizer`` takes first, as JSON can hold them."""
    references = {code: html.unescape(f"&#{code};") for code in _SPECIAL_REFERENCES}
    return {
        "abbreviations": sorted(ABBREVIATIONS),
        "closers": sorted(CLOSERS),
        "symbols": SYMBOLS,
        "invisible": INVISIBLE,
        "blanks": BLANKS,
        "c1_controls": C1_CONTROLS,
        "quotes": {sign: straight for straight, signs in QUOTES.items() for sign in signs},
        "entities": html5,
        "references": [pair for pair in references.items() if pair[1] != chr(pair[0])],
        "address": URL_TOKEN,
        "longest": MAX_PIECE_CHARACTERS,
        "unknown": UNK,
        "first": len(SPECIAL),
    }


def clean_steps(tokenizer: Tokenizer) -> list[CleanStep]:
    """The names of a tokenizer's cleaning steps in their order, which the class takes next."""
    return [name for name in STEPS if name in tokenizer.steps]


def words(tokenizer: Tokenizer) -> list[str]:
    """The words of a tokenizer's ids after the special ones, which ``Tokenizer`` takes last."""
    return list(tokenizer.vocabulary[len(SPECIAL) :])
