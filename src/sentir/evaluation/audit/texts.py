"""Texts that are empty, very short, or look cut off."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from sentir.evaluation.audit.findings import Mark

#: Words below which a text is very short.
FEW_WORDS = 3
#: Texts of exactly the largest length (characters) from which that length is taken for a limit.
MIN_AT_LIMIT = 5
#: A last word that occurs nowhere else is a part of a word if one that begins with it occurs so
#: often.
MIN_WHOLE = 10
#: Shortest text whose end is judged (characters), and shortest part of a word.
MIN_LENGTH, MIN_PART = 40, 2

_WORD = re.compile(r"[^\W\d_]+")
_LAST_WORD = re.compile(r"[^\W\d_]+\Z")
_ELLIPSIS = re.compile(r"(?:\.{3,}|…)\Z")
_ENDED = re.compile(r"[.!?…]['\"”’»)\]]*\Z")


def find_bad_texts(texts: Sequence[str]) -> Iterator[Mark]:
    """Empty, very short and cut off texts.

    Three signs of a cut, with their scores: 1 for the largest length of all texts, which many have
    (a limit), without the end of a sentence; 0.7 for a last word that is only a part of a frequent
    one and occurs nowhere else; 0.3 for three dots, which people write too.
    """
    counts: Counter[str] = Counter()
    ends: list[tuple[int, str]] = []
    limit = max(map(len, texts), default=0)
    at_limit = sum(len(text) == limit for text in texts)
    for row, text in enumerate(texts):
        words = [word.lower() for word in _WORD.findall(text)]
        counts.update(words)
        text = text.rstrip()
        if not any(character.isalnum() for character in text) and not _is_sign(text):
            yield Mark(row, "empty", 1.0)
        elif len(text.split()) < FEW_WORDS and len(text) < MIN_LENGTH:
            yield Mark(row, "short", 1 - len(text.split()) / FEW_WORDS)
        elif len(text) < MIN_LENGTH:
            continue
        elif at_limit >= MIN_AT_LIMIT and len(texts[row]) == limit and not _ENDED.search(text):
            note = f"{limit:,} characters, the most, as {at_limit - 1:,} others"
            yield Mark(row, "cut", 1.0, note=note)
        elif _ELLIPSIS.search(text):
            yield Mark(row, "cut", 0.3, note="ends in three dots")
        elif last := _LAST_WORD.search(text):
            ends.append((row, last[0].lower()))
    alone = {end for _, end in ends if len(end) >= MIN_PART and counts[end] == 1}
    wholes: dict[str, str] = {}
    for word, count in counts.most_common():
        if count >= MIN_WHOLE:
            for size in range(MIN_PART, len(word)):
                if word[:size] in alone:
                    wholes.setdefault(word[:size], word)
    for row, end in ends:
        if end in wholes:
            yield Mark(row, "cut", 0.7, note=f"ends in {end!r}, as if for {wholes[end]!r}")


def _is_sign(text: str) -> bool:
    """Whether a text without letters says something: an emoji, a heart, a smiley."""
    return any(
        ord(character) > 0x2000 and character not in "…‘’“”–—" for character in text
    ) or bool(re.search(r"[:;=8][-o]?[()\[\]DPp/|]", text))
