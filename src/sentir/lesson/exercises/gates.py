"""Questions on what the gates of a network do (chapter 8)."""

from __future__ import annotations

from math import exp, prod, tanh

from sentir.lesson.exercises.exercise import Exercise, choice, numeric
from sentir.lesson.language import localized
from sentir.lesson.step.step import GateWeights, step

_SUM = 2.0
_FORGETS = (0.9, 0.5, 0.9)
_BELT, _OUTPUT = 3.0, 0.5
_FORGET, _INPUT = 0.02, 0.97


def _opening(total: float) -> float:
    return 1 / (1 + exp(-total))


def _after_fixed_gates() -> int:
    """What an open forget gate and a shut input gate do: 0 nothing, 1 erase, 2 add."""
    shut, open_ = GateWeights((0.0,), 0.0, -50.0), GateWeights((0.0,), 0.0, 50.0)
    gates = {"forget": open_, "input": shut, "candidate": open_, "output": open_}
    cell = step((1.0,), hidden=0.0, cell=0.7, weights=gates).cell
    return 0 if abs(cell - 0.7) < 1e-6 else 1 if abs(cell) < 1e-6 else 2


def _deed() -> int:
    """What the unit did: 0 kept, 1 replaced, 2 erased."""
    if _FORGET > 0.5:
        return 0
    return 1 if _INPUT > 0.5 else 2


EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "gates-open", 8,
        question={
            "en": f"The weighted sum of a gate is {_SUM:g}. How far is it open? (two decimals)",
            "es": f"La suma con pesos de una puerta es {_SUM:g}. ¿Cuánto se abre? (dos decimales)",
        },
        hint={"en": "The sigmoid of 2.", "es": "La sigmoide de 2."},
        value=lambda language: _opening(_SUM),
    ),
    numeric(
        "gates-left", 8,
        question={
            "en": "A unit's forget gate is 0.9, 0.5 and 0.9 at three words. What share of what it "
            "held is left after them? (two decimals)",
            "es": "La puerta de olvido de una unidad vale 0,9, 0,5 y 0,9 en tres palabras. ¿Qué "
            "parte de lo que guardaba queda después? (dos decimales)",
        },
        hint={"en": "The shares multiply.", "es": "Las partes se multiplican."},
        value=lambda language: prod(_FORGETS),
        slips=(
            (
                lambda: sum(_FORGETS) / len(_FORGETS),
                {
                    "en": "That is the mean; one shut gate is enough to erase.",
                    "es": "Esa es la media; basta una puerta cerrada para borrar.",
                },
            ),
        ),
    ),
    choice(
        "gates-word", 8,
        question={
            "en": f"At a word a unit has forget {_FORGET} and input {_INPUT}. What did it do?",
            "es": localized(
                f"En una palabra, una unidad tiene olvido {_FORGET} y entrada {_INPUT}. ¿Qué hizo?",
                "es",
            ),
        },
        options={
            "en": ("it kept what it held", "it replaced it", "it erased it and took in nothing"),
            "es": ("guardó lo que tenía", "lo sustituyó", "lo borró y no tomó nada"),
        },
        hint={
            "en": "The forget gate says how much stays, the input gate how much comes in.",
            "es": "La puerta de olvido dice cuánto queda; la de entrada, cuánto entra.",
        },
        right=_deed,
    ),
    numeric(
        "gates-shown", 8,
        question={
            "en": f"The belt holds {_BELT:g} and the output gate is {_OUTPUT}. What is the hidden "
            "state? (two decimals)",
            "es": localized(
                f"La cinta lleva {_BELT:g} y la puerta de salida vale {_OUTPUT}. ¿Cuál es el "
                "estado "
                "oculto? (dos decimales)",
                "es",
            ),
        },
        hint={
            "en": "The belt goes through the tanh first.",
            "es": "La cinta pasa antes por la tanh.",
        },
        value=lambda language: _OUTPUT * tanh(_BELT),
        slips=(
            (
                lambda: _OUTPUT * _BELT,
                {"en": "The tanh is missing.", "es": "Falta la tanh."},
            ),
        ),
    ),
    choice(
        "gates-fixed", 8,
        question={
            "en": "On the interactive page you open the forget gate and shut the input gate. What "
            "happens to the belt at the next word?",
            "es": "En la página interactiva abre la puerta de olvido y cierra la de entrada. "
            "¿Qué le "
            "pasa a la cinta en la palabra siguiente?",
        },
        options={
            "en": ("nothing", "it becomes 0", "the candidate is added"),
            "es": ("nada", "queda en 0", "se le suma el candidato"),
        },
        hint={
            "en": "Put f = 1 and i = 0 into the formula of the belt.",
            "es": "Ponga f = 1 e i = 0 en la fórmula de la cinta.",
        },
        right=_after_fixed_gates,
    ),
)  # fmt: skip
