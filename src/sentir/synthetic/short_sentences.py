"""Short synthetic sentences, such as "The film was not good."

The reviews of `sentir.synthetic.reviews` are longer and contain no such sentence, but readers of
the lesson's web page type them first. So its small network is trained on these too: a clause, a
negated clause, or two clauses of opposite polarity, of which the main one decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import NamedTuple

Draw = Callable[[], float]


class _Grammar(NamedTuple):
    """Alternatives, separated by ``|``.

    `words` maps each slot of a clause to its negative and positive words; ``{n}`` is the noun.
    `joins` joins a conceded clause ``{0}`` and the main clause ``{1}``.
    """

    nouns: str
    words: Mapping[str, tuple[str, str]]
    affirmed: str
    negated: str
    joins: str


_GRAMMARS = {
    "en": _Grammar(
        nouns="film|movie|book|novel|hotel|room|food|service|camera|phone|story|acting|plot|ending",
        words={
            "a": (
                "bad|awful|terrible|boring|horrible|dull|poor|disappointing|slow|ugly",
                "good|great|wonderful|excellent|brilliant|lovely|amazing|fantastic|superb|perfect",
            ),
            "v": ("hated|disliked", "loved|liked|enjoyed"),
            "b": ("hate", "love|like|enjoy"),
        },
        affirmed="the {n} was {a}|the {n} is {a}|it was {a}|i found it {a}|i {v} it|i {v} the {n}"
        "|the {n} was really {a}|i found the {n} {a}|it is very {a}",
        negated="the {n} was not {a}|the {n} wasn't {a}|it was not {a}|it isn't {a}"
        "|the {n} is not {a}|i did not {b} it|i didn't {b} the {n}|i don't think that it was {a}"
        "|i would not call it {a}|i do not think the {n} was {a}|the {n} was never {a}",
        joins="{0}, but {1}|although {0}, {1}|{1}, although {0}|{0}; still, {1}|{0}. however, {1}",
    ),
    # Nouns have their article, and the adjective agrees with it.
    "es": _Grammar(
        nouns="la película|el libro|la novela|el hotel|la habitación|la comida|el servicio"
        "|la cámara|el teléfono|la historia|el guion|el final|la trama|el restaurante",
        words={
            "a": (
                "malo|horrible|terrible|aburrido|pésimo|lento|decepcionante|feo|mediocre|soso",
                "bueno|maravilloso|excelente|genial|estupendo|precioso|brillante|fantástico"
                "|perfecto|bonito",
            ),
            "v": ("odié|detesté", "disfruté|adoré"),
            "g": (
                "me disgustó|me decepcionó|me aburrió",
                "me gustó|me encantó|me emocionó",
            ),
        },
        affirmed="{n} fue {a}|{n} es {a}|{n} era {a}|me pareció {a}|{n} me pareció {a}|es muy {a}"
        "|{n} fue muy {a}|{v} {n}|{g}|{n} {g}",
        negated="{n} no fue {a}|{n} no es {a}|{n} no era {a}|no me pareció {a}|no es {a}|no {g}"
        "|{n} no {g}|{n} nunca fue {a}|no creo que {n} fuera {a}|no diría que {n} es {a}",
        joins="{0}, pero {1}|aunque {0}, {1}|{1}, aunque {0}|{0}; sin embargo, {1}"
        "|{0}. aun así, {1}",
    ),
}


def short_sentences(count: int, *, language: str, seed: int = 0) -> Iterator[tuple[str, str]]:
    """A stream of short sentences ``(label, text)`` with alternating labels.

    Args:
        count: number of sentences.
        language: ``"en"`` or ``"es"``.
        seed: random seed.
    """
    draw = Random(seed).random
    for number in range(count):
        polarity = number % 2
        yield ("negative", "positive")[polarity], _sentence(_GRAMMARS[language], polarity, draw)


def _choose(alternatives: str, draw: Draw) -> str:
    choices = alternatives.split("|")
    return choices[int(draw() * len(choices))]


def _sentence(grammar: _Grammar, polarity: int, draw: Draw) -> str:
    text = _clause(grammar, polarity, draw)
    if draw() < 0.5:
        conceded = _clause(grammar, 1 - polarity, draw)
        text = _choose(grammar.joins, draw).format(conceded, text)
    return text[0].upper() + text[1:] + ("." if draw() < 0.7 else "" if draw() < 0.6 else "!")


def _clause(grammar: _Grammar, polarity: int, draw: Draw) -> str:
    """A clause of this polarity; half of them negate a clause of the other polarity."""
    is_negated = draw() < 0.5
    word_polarity = 1 - polarity if is_negated else polarity
    frame = _choose(grammar.negated if is_negated else grammar.affirmed, draw)
    noun = _choose(grammar.nouns, draw)
    words = {slot: _choose(pair[word_polarity], draw) for slot, pair in grammar.words.items()}
    if noun.startswith("la ") and "{n}" in frame and words["a"].endswith("o"):
        words["a"] = words["a"][:-1] + "a"
    return frame.format(n=noun, **words)
