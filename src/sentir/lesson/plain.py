"""Plain sentences, such as a reader types first: "The film was not good."

The made-up reviews of `sentir.data.sample` speak in longer turns and never say just that. So the
small network of the lesson's page learns from these too: a clause, a denied one, or two of opposite
polarity of which the one that is not conceded counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

Draw = Callable[[], float]

#: Of each language: what is spoken of, adjectives (bad, good), clauses that say, clauses that deny,
#: and ways to join a conceded clause (0) and the one that counts (1). Spanish nouns carry their
#: article; ``{a}`` agrees with it. A verb's pair, ``{v}``, is what is felt: (bad, good).
_ENGLISH = {
    "noun": "film|movie|book|novel|hotel|room|food|service|camera|phone|story|acting|plot|ending",
    "adjective": (
        "bad|awful|terrible|boring|horrible|dull|poor|disappointing|slow|ugly",
        "good|great|wonderful|excellent|brilliant|lovely|amazing|fantastic|superb|perfect",
    ),
    "verb": ("hated|disliked", "loved|liked|enjoyed"),
    "says": "the {n} was {a}|the {n} is {a}|it was {a}|i found it {a}|i {v} it|i {v} the {n}"
    "|the {n} was really {a}|i found the {n} {a}|it is very {a}",
    "bare": ("hate", "love|like|enjoy"),
    "denies": "the {n} was not {a}|the {n} wasn't {a}|it was not {a}|it isn't {a}|the {n} is not {a}"
    "|i did not {b} it|i didn't {b} the {n}|i don't think that it was {a}|i would not call it {a}"
    "|i do not think the {n} was {a}|the {n} was never {a}",
    "joins": "{0}, but {1}|although {0}, {1}|{1}, although {0}|{0}; still, {1}|{0}. however, {1}",
}
_SPANISH = {
    "noun": "la película|el libro|la novela|el hotel|la habitación|la comida|el servicio|la cámara"
    "|el teléfono|la historia|el guion|el final|la trama|el restaurante",
    "adjective": (
        "malo|horrible|terrible|aburrido|pésimo|lento|decepcionante|feo|mediocre|soso",
        "bueno|maravilloso|excelente|genial|estupendo|precioso|brillante|fantástico|perfecto|bonito",
    ),
    "verb": ("odié|detesté", "disfruté|adoré"),
    "says": "{n} fue {a}|{n} es {a}|{n} era {a}|me pareció {a}|{n} me pareció {a}|es muy {a}"
    "|{n} fue muy {a}|{v} {n}|{g}|{n} {g}",
    "gusto": ("me disgustó|me decepcionó|me aburrió", "me gustó|me encantó|me emocionó"),
    "denies": "{n} no fue {a}|{n} no es {a}|{n} no era {a}|no me pareció {a}|no es {a}|no {g}"
    "|{n} no {g}|{n} nunca fue {a}|no creo que {n} fuera {a}|no diría que {n} es {a}",
    "joins": "{0}, pero {1}|aunque {0}, {1}|{1}, aunque {0}|{0}; sin embargo, {1}|{0}. aun así, {1}",
}
_GRAMMARS = {"en": _ENGLISH, "es": _SPANISH}


def plain_sentences(count: int, *, language: str, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Plain sentences, one at a time, as ``(label, text)``; labels take turns.

    Args:
        count: how many.
        language: ``"en"`` or ``"es"``.
        seed: another one, other sentences.
    """
    draw = Random(seed).random
    for number in range(count):
        polarity = number % 2
        text = _sentence(_GRAMMARS[language], polarity, draw)
        yield ("negative", "positive")[polarity], text


def _one(written: object, draw: Draw) -> str:
    choices = str(written).split("|")
    return choices[int(draw() * len(choices))]


def _sentence(grammar: dict[str, object], polarity: int, draw: Draw) -> str:
    text = _clause(grammar, polarity, draw)
    if draw() < 0.5:
        conceded = _clause(grammar, 1 - polarity, draw)
        text = _one(grammar["joins"], draw).format(conceded, text)
    return text[0].upper() + text[1:] + ("." if draw() < 0.7 else "" if draw() < 0.6 else "!")


def _clause(grammar: dict[str, object], polarity: int, draw: Draw) -> str:
    """A clause of that polarity: half of them deny one of the other."""
    denied = draw() < 0.5
    meant = 1 - polarity if denied else polarity
    frame = _one(grammar["denies" if denied else "says"], draw)
    noun = _one(grammar["noun"], draw)
    parts = {"n": noun, "a": _one(_half(grammar, "adjective", meant), draw)}
    if noun.startswith("la ") and "{n}" in frame and parts["a"].endswith("o"):
        parts["a"] = parts["a"][:-1] + "a"
    for slot, name in (("v", "verb"), ("b", "bare"), ("g", "gusto")):
        if name in grammar:
            parts[slot] = _one(_half(grammar, name, meant), draw)
    return frame.format(**parts)


def _half(grammar: dict[str, object], name: str, polarity: int) -> str:
    pair = grammar[name]
    assert isinstance(pair, tuple)
    return str(pair[polarity])
