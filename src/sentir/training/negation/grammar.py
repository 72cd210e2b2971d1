"""The closed-class grammar of negation: what a language's entry holds.

A frame is a clause with slots. Its closed-class words say whether the clause keeps the polarity of
the word in the slot (``{t} is {a}``) or turns it (``{t} is not {a}``). The open-class words, whose
polarity depends on what is reviewed, are no part of it: they come from the training reviews
(`sentir.training.negation.polar_words`). ``{t}`` is a subject, ``{k}`` a neutral noun.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Probe(NamedTuple):
    """Closed-class words that tell a slot: one of `before` before the word, one of `after` after.

    Args:
        before: words, or pairs of words, any of which stands before.
        after: words, any of which stands after; none: whatever does.
    """

    before: Sequence[str]
    after: Sequence[str] = ()


class Frames(NamedTuple):
    """A slot: what tells it, the clauses that keep and that turn its word's polarity.

    Attributes:
        drawn: how often the slot is drawn, relative to others.
        is_exclusive: whether a word that is found much more often in another slot is none of it.
    """

    probe: Probe
    keep: Sequence[str]
    turn: Sequence[str]
    drawn: int = 1
    is_exclusive: bool = True


class Grammar(NamedTuple):
    """A language's.

    Attributes:
        function_words: which identify the language.
        negations: words that negate what follows.
        contrast: words that end the scope of a negation, besides punctuation.
        subjects: of a clause.
        neutral: what tells a neutral noun.
        slots: by the name that they have in frames.
        joins: of a clause of the other polarity, ``{0}``, and the main clause, ``{1}``.
        also: of two clauses of one polarity.
        openings: before a clause; they change nothing.
        closings: after a clause; they change nothing.
    """

    function_words: frozenset[str]
    negations: Sequence[str]
    contrast: Sequence[str]
    subjects: Sequence[str]
    neutral: Probe
    slots: Mapping[str, Frames]
    joins: Sequence[str]
    also: Sequence[str]
    openings: Sequence[str]
    closings: Sequence[str]


def lines(text: str) -> tuple[str, ...]:
    """The alternatives of a text, which ``|`` separates."""
    return tuple(" ".join(line.split()) for line in text.strip().split("|"))
