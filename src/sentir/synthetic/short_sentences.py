"""Plain sentences, such as a reader types first: "The film was not good."

The made-up reviews of `sentir.synthetic.reviews` speak in longer turns and never say just that. So the
small network of the lesson's page learns from these too: a clause, a denied one, or two of opposite
polarity of which the one that is not conceded counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import NamedTuple

Draw = Callable[[], float]


class _Grammar(NamedTuple):
    """Alternatives, with ``|`` between.

    `words` holds pairs, what is bad and what is good, for the slots of the clauses; ``{n}`` is what
    they speak of. `joins` joins a conceded clause, ``{0}``, and the one that counts.
    """

    nouns: str
    words: Mapping[str, tuple[str, str]]
    says: str
    denies: str
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
        says="the {n} was {a}|the {n} is {a}|it was {a}|i found it {a}|i {v} it|i {v} the {n}"
        "|the {n} was really {a}|i found the {n} {a}|it is very {a}",
        denies="the {n} was not {a}|the {n} wasn't {a}|it was not {a}|it isn't {a}"
        "|the {n} is not {a}|i did not {b} it|i didn't {b} the {n}|i don't think that it was {a}"
        "|i would not call it {a}|i do not think the {n} was {a}|the {n} was never {a}",
        joins="{0}, but {1}|although {0}, {1}|{1}, although {0}|{0}; still, {1}|{0}. however, {1}",
    ),
    # Nouns carry their article, and an adjective agrees with it.
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
        says="{n} fue {a}|{n} es {a}|{n} era {a}|me pareció {a}|{n} me pareció {a}|es muy {a}"
        "|{n} fue muy {a}|{v} {n}|{g}|{n} {g}",
        denies="{n} no fue {a}|{n} no es {a}|{n} no era {a}|no me pareció {a}|no es {a}|no {g}"
        "|{n} no {g}|{n} nunca fue {a}|no creo que {n} fuera {a}|no diría que {n} es {a}",
        joins="{0}, pero {1}|aunque {0}, {1}|{1}, aunque {0}|{0}; sin embargo, {1}"
        "|{0}. aun así, {1}",
    ),
}


def short_sentences(count: int, *, language: str, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Plain sentences, one at a time, as ``(label, text)``; labels take turns.

    Args:
        count: how many.
        language: ``"en"`` or ``"es"``.
        seed: another one, other sentences.
    """
    draw = Random(seed).random
    for number in range(count):
        polarity = number % 2
        yield ("negative", "positive")[polarity], _sentence(_GRAMMARS[language], polarity, draw)


def _one(alternatives: str, draw: Draw) -> str:
    choices = alternatives.split("|")
    return choices[int(draw() * len(choices))]


def _sentence(grammar: _Grammar, polarity: int, draw: Draw) -> str:
    text = _clause(grammar, polarity, draw)
    if draw() < 0.5:
        conceded = _clause(grammar, 1 - polarity, draw)
        text = _one(grammar.joins, draw).format(conceded, text)
    return text[0].upper() + text[1:] + ("." if draw() < 0.7 else "" if draw() < 0.6 else "!")


def _clause(grammar: _Grammar, polarity: int, draw: Draw) -> str:
    """A clause of that polarity: half of them deny one of the other."""
    denied = draw() < 0.5
    meant = 1 - polarity if denied else polarity
    frame = _one(grammar.denies if denied else grammar.says, draw)
    noun = _one(grammar.nouns, draw)
    words = {slot: _one(pair[meant], draw) for slot, pair in grammar.words.items()}
    if noun.startswith("la ") and "{n}" in frame and words["a"].endswith("o"):
        words["a"] = words["a"][:-1] + "a"
    return frame.format(n=noun, **words)
