"""A review's sentences, in English and Spanish.

A sentence ends at ``.``, ``!``, ``?`` or ``…``, with the closing quotes and brackets after it,
before white space; and at a line end or ``<br>``. A full stop ends none after an abbreviation or an
initial; three of them end one only before a capital letter.
"""

from __future__ import annotations

import re

#: After these, a full stop never ends a sentence: a name or a number follows.
_BEFORE_NAMES = {
    *("mr", "mrs", "ms", "dr", "drs", "prof", "st", "rev", "gen", "col", "sgt", "capt", "lt"),
    *("hon", "vs", "vol", "pp", "approx", "cf", "e.g", "i.e", "eg", "ie"),
    *(
        "sr",
        "sra",
        "srta",
        "sres",
        "dra",
        "dña",
        "ud",
        "uds",
        "núm",
        "nro",
        "pág",
        "págs",
        "p.ej",
        "ee",
    ),
}
#: After these it does before a capital letter only.
_ALSO_LAST = {
    *("etc", "inc", "ltd", "co", "corp", "jr", "a.m", "p.m", "u.s", "u.k", "ph.d"),
    *("ee.uu", "uu", "ej", "aprox", "av", "avda", "mín", "máx", "tel"),
}
#: Abbreviations of numbers that are words too, and end sentences as such.
_ONLY_BEFORE_DIGITS = {"no", "nos", "fig", "min", "max"}
#: Words of one letter, which are no initials.
_ONE_LETTER_WORDS = {*"aeiouy"}
_END = re.compile(
    r"""
    (?<! [.!?…] ) (?P<stop> [.!?…]++ ) ["'”’»)\]}]*+ \s+
    | (?: <br\s*/?> | [\r\n\u0085\u2028\u2029] ) \s*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LAST_WORD = re.compile(r"[\w.]*\w\Z")
_LETTER = re.compile(r"\w")


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, in their order; nothing but white space and ``<br>`` is lost.

    A part without a letter or digit (":-)") belongs to the sentence before it.
    """
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if end["stop"] and not _is_end(text, end):
            continue
        last = end.end() if end["stop"] else end.start()
        _add(sentences, text[start:last])
        start = end.end()
    _add(sentences, text[start:])
    return sentences


def _add(sentences: list[str], part: str) -> None:
    part = part.strip()
    if not part:
        return
    if sentences and not _LETTER.search(part):
        sentences[-1] = f"{sentences[-1]} {part}"
    else:
        sentences.append(part)


def _is_end(text: str, end: re.Match[str]) -> bool:
    """Whether a sentence ends where `_END` found that it may."""
    stop, following = end["stop"], text[end.end() : end.end() + 1]
    if stop != "." and set(stop) <= {".", "…"}:
        return not following.islower()
    if stop != ".":
        return True
    found = _LAST_WORD.search(text, max(0, end.start() - 20), end.start())
    word = found[0].lower() if found else ""
    if word in _ONLY_BEFORE_DIGITS:
        return not following.isdigit()
    if word in _BEFORE_NAMES or (
        len(word) == 1 and word.isalpha() and word not in _ONE_LETTER_WORDS
    ):
        return False
    return word not in _ALSO_LAST or not (following.islower() or following.isdigit())
