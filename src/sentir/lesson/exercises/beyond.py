"""Questions on attention and parallel recurrence (chapter 10)."""

from __future__ import annotations

from math import ceil, exp, log2

from sentir.lesson.exercises.exercise import Exercise, choice, numeric
from sentir.lesson.language import localized

_SIMILARITY = (2.0, 0.0)
_WORDS, _STEPS = 100, 1000
_FIRST, _SECOND = (0.5, 1.0), (0.8, -1.0)
_BITS = (1, 1, 0, 1)


def _weight() -> float:
    shares = [exp(score) for score in _SIMILARITY]
    return shares[0] / sum(shares)


def _added() -> float:
    """What two steps f C + g, one after the other, add to the belt."""
    (_, first), (keep, second) = _FIRST, _SECOND
    return keep * first + second


EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "beyond-weight", 10,
        question={
            "en": "Two words have similarities of 2 and 0 with the query (already divided by √d). "
            "Which weight gets the first? (two decimals)",
            "es": "Dos palabras tienen parecidos de 2 y 0 con la consulta (ya divididos por √d). "
            "¿Qué peso recibe la primera? (dos decimales)",
        },
        hint={
            "en": "e² divided by e² + e⁰.",
            "es": "e² dividido por e² + e⁰.",
        },
        value=lambda language: _weight(),
    ),
    numeric(
        "beyond-pairs", 10,
        question={
            "en": f"Each of {_WORDS} words looks at those before it and at itself. How many "
            "comparisons are these?",
            "es": f"Cada una de {_WORDS} palabras mira las anteriores y a sí misma. ¿Cuántas "
            "comparaciones son?",
        },
        hint={"en": "Add 1 + 2 + 3 + … + 100.", "es": "Sume 1 + 2 + 3 + … + 100."},
        value=lambda language: sum(range(1, _WORDS + 1)),
        within=0,
        places=0,
        slips=(
            (
                lambda: _WORDS**2,
                {
                    "en": "No word looks at those after it.",
                    "es": "Ninguna palabra mira las que vienen después.",
                },
            ),
        ),
    ),
    numeric(
        "beyond-rounds", 10,
        question={
            "en": f"{_STEPS} linear steps are composed in pairs. How many rounds does that take?",
            "es": f"{_STEPS} pasos lineales se componen por parejas. ¿Cuántas rondas hacen falta?",
        },
        hint={
            "en": "Each round doubles how far a step reaches.",
            "es": "Cada ronda duplica hasta dónde llega un paso.",
        },
        value=lambda language: ceil(log2(_STEPS)),
        within=0,
        places=0,
    ),
    numeric(
        "beyond-compose", 10,
        question={
            "en": f"Two steps, C → {_FIRST[0]}·C + {_FIRST[1]:g} and then C → {_SECOND[0]}·C − "
            f"{-_SECOND[1]:g}, are one step C → f·C + g. What is g? (two decimals)",
            "es": localized(
                f"Dos pasos, C → {_FIRST[0]}·C + {_FIRST[1]:g} y después C → {_SECOND[0]}·C − "
                f"{-_SECOND[1]:g}, son un solo paso C → f·C + g. ¿Cuánto vale g? (dos decimales)",
                "es",
            ),
        },
        hint={
            "en": "Put the first formula into the second.",
            "es": "Ponga la primera fórmula dentro de la segunda.",
        },
        value=lambda language: _added(),
        slips=(
            (
                lambda: _FIRST[1] + _SECOND[1],
                {
                    "en": "The second step also multiplies what the first added.",
                    "es": "El segundo paso multiplica también lo que sumó el primero.",
                },
            ),
        ),
    ),
    choice(
        "beyond-parity", 10,
        question={
            "en": f"What is the parity of the bits {', '.join(map(str, _BITS))}?",
            "es": f"¿Cuál es la paridad de los bits {', '.join(map(str, _BITS))}?",
        },
        options={"en": ("even", "odd"), "es": ("par", "impar")},
        hint={"en": "Count the ones.", "es": "Cuente los unos."},
        right=lambda: sum(_BITS) % 2,
    ),
)  # fmt: skip
