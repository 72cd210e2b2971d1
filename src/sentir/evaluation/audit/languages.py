"""Texts in another language than most, by function words.

Grefenstette 1995, *Comparing Two Language Identification Schemes*: the short, frequent words of a
language tell it, from a sentence on. Only English and Spanish are known here; a long text with
nearly no function word of the language that most have is of another one, or is no prose. Words that
both languages share, such as "no" and "me", are in neither list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sentir.evaluation.audit.findings import Mark

FUNCTION_WORDS = {
    "English": frozenset(
        "the and of to is was it this that for with not but have are you my in on be as they at or "
        "from so had very all when if just what an which were there been would about get will "
        "more your than one can i we".split()
    ),
    "Spanish": frozenset(
        "el la los las de que y en un una por con para es se del al lo su pero muy como más este "
        "esta ha fue son mi ni sin está todo también sus le cuando porque yo nada si ya hay bien "
        "mas esto tiene".split()
    ),
}
#: Least words of a text, and least function words of the other language in it, to name it.
MIN_WORDS, MIN_HITS = 6, 3
#: Least words of a text to tell that it is in no known language, and the share of the usual rate of
#: function words below which it is.
MIN_UNKNOWN_WORDS, MAX_RATE = 20, 0.2
#: Share of the texts that are long enough that the main language must have.
MAIN_SHARE = 0.5

_WORD = re.compile(r"[^\W\d_]+")


def find_other_languages(texts: Sequence[str]) -> Iterator[Mark]:
    """Texts in another language than most; none if most are in neither English nor Spanish.

    The score is 1 less the rate of function words of the main language, as a share of the mean.
    """
    hits: dict[str, list[int]] = {name: [] for name in FUNCTION_WORDS}
    lengths = []
    for text in texts:
        words = _WORD.findall(text.lower())
        lengths.append(len(words))
        for name, known in FUNCTION_WORDS.items():
            hits[name].append(sum(map(known.__contains__, words)))
    long = [row for row, length in enumerate(lengths) if length >= MIN_WORDS]
    likely = {
        name: [
            row
            for row in long
            if counts[row] >= MIN_HITS
            and all(counts[row] > hits[other][row] for other in hits if other != name)
        ]
        for name, counts in hits.items()
    }
    main = max(likely, key=lambda name: len(likely[name]))
    if not long or len(likely[main]) <= MAIN_SHARE * len(long):
        return
    usual = sum(hits[main][row] for row in likely[main]) / sum(lengths[row] for row in likely[main])
    language_of = {row: name for name, rows in likely.items() for row in rows}
    for row in long:
        language = language_of.get(row)
        if language == main:
            continue
        rate = hits[main][row] / lengths[row] / usual
        if language is not None:
            yield Mark(row, "language", max(0.0, 1 - rate), note=language)
        elif lengths[row] >= MIN_UNKNOWN_WORDS and rate < MAX_RATE:
            yield Mark(row, "language", 1 - rate, note=f"nearly no {main} function words")
