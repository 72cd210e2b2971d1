"""Questions on order and memory (chapter 1)."""

from __future__ import annotations

from collections import Counter
from math import perm

from sentir.lesson.exercises.exercise import Exercise, choice, numeric

_PAIRS = (
    ("it is good", "it is bad"),
    ("not good , bad", "not bad , good"),
    ("good", "very good"),
)
_VERB = {"en": "the dogs that the girl saw", "es": "los perros que vio la niña"}
_SUBJECT = {"en": "dogs", "es": "perros"}
_LANGUAGES = {"France": "French", "Italy": "Italian"}
_STORY = "I grew up in France and then I moved to Italy . I speak".split()


def _alike() -> int:
    """Which pair has the same words the same number of times."""
    alike = [Counter(one.split()) == Counter(other.split()) for one, other in _PAIRS]
    return alike.index(True)


def _words_back(language: str) -> float:
    words = _VERB[language].split()
    return len(words) - words.index(_SUBJECT[language])


def _spoken() -> int:
    state = ""
    for word in _STORY:
        state = _LANGUAGES.get(word, state)
    return ["French", "Italian"].index(state)


EXERCISES: tuple[Exercise, ...] = (
    choice(
        "seq-bag", 1,
        question={
            "en": "Which two texts are the same for a bag of words?",
            "es": "¿Qué dos textos son iguales para una bolsa de palabras?",
        },
        options={
            "en": tuple(f"“{one}” and “{other}”" for one, other in _PAIRS),
            "es": (
                "«es buena» y «es mala»",
                "«no buena , mala» y «no mala , buena»",
                "«buena» y «muy buena»",
            ),
        },
        hint={
            "en": "Count how often each word occurs on either side.",
            "es": "Cuente cuántas veces aparece cada palabra a cada lado.",
        },
        right=_alike,
    ),
    numeric(
        "seq-best", 1,
        question={
            "en": "Two texts are the same for a bag of words; one is positive, the other negative. "
            "What share of the two can it get right at most?",
            "es": "Dos textos son iguales para una bolsa de palabras; uno es positivo y el otro "
            "negativo. ¿Qué parte de los dos puede acertar como mucho?",
        },
        hint={
            "en": "It gives both the same answer.",
            "es": "Da a los dos la misma respuesta.",
        },
        value=lambda language: max(sum(said == true for true in (0, 1)) / 2 for said in (0, 1)),
    ),
    numeric(
        "seq-window", 1,
        question={
            "en": f"“{_VERB['en']} …”: how many words back must one look to see “dogs”?",
            "es": f"«{_VERB['es']} …»: ¿cuántas palabras atrás hay que mirar para ver «perros»?",
        },
        hint={
            "en": "Count from the dots to the left; “dogs” counts too.",
            "es": "Cuente desde los puntos hacia la izquierda; «perros» también cuenta.",
        },
        value=_words_back,
        within=0,
        places=0,
    ),
    numeric(
        "seq-phrases", 1,
        question={
            "en": "Between the country and its language stand 6 different phrases out of 12, in "
            "any "
            "order. How many such passages are there?",
            "es": "Entre el país y su idioma hay 6 complementos distintos de 12, en cualquier "
            "orden. "
            "¿Cuántos pasajes así existen?",
        },
        hint={
            "en": "12 for the first place, 11 for the second …",
            "es": "12 para el primer lugar, 11 para el segundo…",
        },
        value=lambda language: perm(12, 6),
        within=0,
        places=0,
        slips=(
            (
                lambda: 12.0**6,
                {
                    "en": "That allows a phrase to come twice.",
                    "es": "Así un complemento podría repetirse.",
                },
            ),
        ),
    ),
    choice(
        "seq-slot", 1,
        question={
            "en": "The memory of this chapter notes the language of each country. What does it "
            "say "
            f"after “{' '.join(_STORY)}”?",
            "es": "La memoria de este capítulo anota el idioma de cada país. ¿Qué dice tras «crecí "
            "en Francia y después me mudé a Italia . Hablo»?",
        },
        options={"en": ("French", "Italian"), "es": ("francés", "italiano")},
        hint={
            "en": "It has a single slot, and every country replaces what is in it.",
            "es": "Tiene una sola casilla, y cada país sustituye lo que hay en ella.",
        },
        right=_spoken,
    ),
)  # fmt: skip
