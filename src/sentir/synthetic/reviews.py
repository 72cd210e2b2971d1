"""Synthetic English and Spanish reviews that an LSTM can classify and a bag of words cannot.

A review consists of a verdict, decoys and fillers in any order. The verdict states or denies a
polar clause ("I can't say that the film was awful"), often with a concession of the other polarity.
Decoys are opinions, hopes and rumours of other people, of either polarity whatever the label.
Fillers (the parcel, the cast, the date) are neutral. Negations also occur in verdicts that affirm
("nobody can deny that ..."), so counting them does not help.

The sentences are in ``grammars.py``.

All random numbers come from ``random.Random(integer).random()``, the only part of that module whose
sequence Python guarantees across versions. The same language and seed always give the same reviews.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random
from typing import NamedTuple, TypeAlias

from sentir.errors import UsageError
from sentir.synthetic.grammars import ENGLISH, SPANISH

LANGUAGES = ("en", "es")
WORDS_MIN, WORDS_MAX = 15, 120
_SLOT = re.compile(r"\{(\w+)([!?]?)\}")
_PLAIN = str.maketrans("áéíóúñ", "aeioun")

# A pool is a list of alternatives: a text with %s in it, and the pools that fill each %s.
Pool: TypeAlias = "list[tuple[str, tuple[Pool, ...]]]"
Draw: TypeAlias = Callable[[], float]


class _Noun(NamedTuple):
    """The noun that a review is about: word without article, gender and number (0 or 1 each)."""

    word: str
    feminine: int
    plural: int


class _Topic(NamedTuple):
    """The pools for reviews of one item; a pair is (negative, positive)."""

    telling: tuple[Pool, Pool]
    decoys: tuple[Pool, Pool]
    fillers: Pool


def _noun(written: str) -> _Noun:
    """Parse a noun: ``"shoes*"`` is a plural; in Spanish the article gives gender and number."""
    article, _, word = written.partition(" ")
    if article in ("el", "la", "los", "las"):
        return _Noun(word, int(article in ("la", "las")), int(article in ("los", "las")))
    return _Noun(written.rstrip("*"), 0, int(written.endswith("*")))


def _agree(adjective: str, noun: _Noun) -> str:
    """Inflect a Spanish adjective (masculine singular) to the gender and number of the noun."""
    if adjective.endswith("o"):
        adjective = adjective[:-1] + "oa"[noun.feminine]
    elif adjective.endswith("dor") and noun.feminine:
        adjective += "a"
    if not noun.plural:
        return adjective
    if adjective.endswith("z"):
        return adjective[:-1] + "ces"
    return adjective + ("s" if adjective[-1] in "aeiou" else "es")


class _Grammar:
    """The rules of one language and domain, linked on demand into pools."""

    def __init__(self, rules: dict[str, list[str]], language: str) -> None:
        self.rules, self.language = rules, language
        self.pools: dict[tuple[str, _Noun, int, int], Pool] = {}

    def pool(self, name: str, noun: _Noun, polarity: int, mood: int = 0) -> Pool:
        """The alternatives of rule ``name`` about ``noun``; ``mood`` 1 is the subjunctive."""
        key = (name, noun, polarity, mood)
        if key not in self.pools:
            pool = self.pools[key] = []
            aspects = [_noun(aspect) for aspect in self.rules["aspect"]]
            if name == "C":  # a concession about an aspect
                pool += [
                    ("%s", (self.pool("concession", aspect, polarity, mood),)) for aspect in aspects
                ]
            elif name == "T":  # about an aspect, or as often about the item
                subjects = aspects + [noun] * len(aspects)
                pool += [("%s", (self.pool("S", subject, polarity, mood),)) for subject in subjects]
            else:
                pool += [
                    self.inflect(text, noun, polarity, mood)
                    for text in self.texts(name, noun, polarity)
                ]
        return self.pools[key]

    def texts(self, name: str, noun: _Noun, polarity: int) -> list[str]:
        """The alternatives of a rule as text; adjectives agree with the noun (``M`` with none)."""
        if name == "n":
            return [noun.word]
        if name in self.rules:
            return self.rules[name]
        written = self.rules[name[0].replace("M", "A") + "-+"[polarity]]
        if name in ("A1", "A2"):  # so that the two adjectives of a pair differ
            written = written[int(name[1]) - 1 :: 2]
        if name[0] == "A" and self.language == "es":
            return [_agree(adjective, noun) for adjective in written]
        return written

    def inflect(
        self, text: str, noun: _Noun, polarity: int, mood: int
    ) -> tuple[str, tuple[Pool, ...]]:
        """One alternative, inflected, with the pools that fill its slots."""

        def verb(match: re.Match[str]) -> str:
            forms = match[1].split("|")
            return forms[noun.plural + (2 * mood if len(forms) == 4 else 0)]

        text = re.sub(r"\(([^()]+)\)", verb, text)
        text = re.sub(
            r"\[([^]]+)\]", lambda m: m[1].split("|")[noun.feminine + 2 * noun.plural], text
        )
        slots = [
            self.pool(name, noun, polarity ^ (mark == "!"), int(mark == "?") or mood)
            for name, mark in _SLOT.findall(text)
        ]
        return _SLOT.sub("%s", text), tuple(slots)


def _domains(grammar: str) -> list[dict[str, list[str]]]:
    """The rules of each ``[domain]``, with the common rules (those before the first domain)."""
    common: dict[str, list[str]] = {}
    domains: list[dict[str, list[str]]] = []
    rules, name = common, ""
    for line in grammar.strip().splitlines():
        if line.startswith("["):
            rules = {symbol: list(texts) for symbol, texts in common.items()}
            domains.append(rules)
            continue
        if not line.startswith(" "):
            name, _, line = line.partition(": ")
        rules.setdefault(name, []).extend(line.strip().removeprefix("| ").split(" | "))
    return domains


@lru_cache(maxsize=len(LANGUAGES))
def _topics(language: str) -> tuple[_Topic, ...]:
    """One topic for each item of each domain of the language."""
    topics = []
    for rules in _domains(ENGLISH if language == "en" else SPANISH):
        grammar = _Grammar(rules, language)
        for item in map(_noun, rules["item"]):
            telling, decoys = (
                (grammar.pool(name, item, 0), grammar.pool(name, item, 1))
                for name in ("telling", "decoy")
            )
            topics.append(_Topic(telling, decoys, grammar.pool("filler", item, 0)))
    return tuple(topics)


def _fill(alternative: tuple[str, tuple[Pool, ...]], draw: Draw) -> str:
    text, slots = alternative
    return text % tuple([_say(slot, draw) for slot in slots]) if slots else text


def _say(pool: Pool, draw: Draw) -> str:
    return _fill(pool[int(draw() * len(pool))], draw)


def _sentence(text: str, draw: Draw, language: str) -> str:
    """Capitalised, with end punctuation; some sentences are exclaimed, in capitals or trail off."""
    if language == "es":
        text = text.replace(" de el ", " del ").replace(" a el ", " al ")
        text = text.replace(" y i", " e i").replace(" y hi", " e hi")
    text = text[0].upper() + text[1:]
    chance = draw()
    if chance < 0.8:
        return text + "."
    if chance < 0.88:
        return text + "..."
    if chance > 0.98:
        text = text.upper()
    return f"¡{text}!" if language == "es" else text + ("!!" if chance > 0.97 else "!")


def _mistype(word: str, draw: Draw) -> str:
    """Add a typing error: swap two letters, drop or double one, or drop the accents."""
    index = 1 + int(draw() * (len(word) - 2))
    error = int(draw() * 4)
    if error == 0:
        return word[:index] + word[index + 1] + word[index] + word[index + 2 :]
    if error == 1:
        return word[:index] + word[index + 1 :]
    if error == 2:
        return word[:index] + word[index] + word[index:]
    return word.translate(_PLAIN)


def _review(topic: _Topic, label: int, draw: Draw, language: str) -> str:
    """One verdict, 0 to 2 decoys and 0 to 4 fillers in any order, then typing errors."""
    parts = [_say(topic.telling[label], draw)]
    for pools, below in ((topic.decoys, 2.4), ((topic.fillers,), 4.4)):
        start = int(draw() * len(pools[0]))
        step = len(pools[0]) // 5  # at most 5 are drawn, so no two share a frame
        for number in range(int(draw() * below)):
            pool = pools[int(draw() * len(pools))]
            text = _fill(pool[(start + step * number) % len(pool)], draw)
            parts.insert(int(draw() * (len(parts) + 1)), text)
    breaks = " " if draw() < 0.93 else "<br /><br />"
    text = breaks.join([_sentence(part, draw, language) for part in parts])
    words = text.split(" ")
    for _ in range(int(draw() * len(words) * 0.06)):
        index = int(draw() * len(words))
        word = words[index]
        if len(word) > 3 and word.isalpha():
            words[index] = word.upper() if draw() < 0.1 else _mistype(word, draw)
    text = " ".join(words)
    return text.lower() if draw() < 0.06 else text


def _stream(count: int, language: str, seed: int) -> Iterator[tuple[str, str]]:
    topics = _topics(language)
    # Random() takes the absolute value of its seed, so the lowest bit holds the sign.
    draw = Random((2 * abs(seed) + (seed < 0)) * len(LANGUAGES) + LANGUAGES.index(language)).random
    label = 0
    for number in range(count):
        label = int(draw() * 2) if number % 2 == 0 else 1 - label
        text = ""
        while not WORDS_MIN <= text.count(" ") + 1 <= WORDS_MAX:
            text = _review(topics[int(draw() * len(topics))], label, draw, language)
        yield ("negative", "positive")[label], text


def sample_reviews(count: int, *, language: str = "en", seed: int = 0) -> Iterator[tuple[str, str]]:
    """A stream of synthetic reviews ``(label, text)``.

    Labels are ``"negative"`` and ``"positive"``, one of each in every pair of reviews. A text has
    15 to 120 words. With the same seed, a smaller `count` gives the first reviews of a larger one.

    Args:
        count: number of reviews, 1 or more.
        language: ``"en"`` or ``"es"``.
        seed: any integer; the reviews are the same on every platform.

    Raises:
        UsageError: the language is unknown, or `count` is less than 1.
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"language {language!r} has no grammar",
            where="sample_reviews",
            todo=f"use one of {', '.join(LANGUAGES)}",
        )
    if count < 1:
        raise UsageError(f"count is {count}", where="sample_reviews", todo="use 1 or more")
    return _stream(count, language, seed)
