"""Questions on the GRU and other gates (chapter 5)."""

from __future__ import annotations

from sentir.lesson.exercises.exercise import Exercise, choice, numeric
from sentir.lesson.language import localized
from sentir.nn.cells import MODULES

_UPDATE, _BEFORE, _CANDIDATE = 0.75, 0.4, -0.8
_FORGET, _BELT, _NEW = 0.3, 2.0, -1.0
_GATES = (0.5, 0.9, 0.99)
INPUTS, UNITS, STEPS = 3, 4, 50


def mixed(share: float, old: float, new: float) -> float:
    """What coupled gates make of the old and the new."""
    return share * old + (1 - share) * new


def weights(cell: str) -> float:
    """The numbers that a layer of that cell learns."""
    return float(sum(weight.numel() for weight in MODULES[cell](INPUTS, UNITS).parameters()))


def _bounded() -> int:
    """Whether a state that is always mixed with 1 gets above 1: 0 yes, 1 no."""
    state = 0.0
    for _ in range(100):
        state = mixed(0.9, state, 1.0)
    return 0 if state > 1 else 1


EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "gru-step", 5,
        question={
            "en": f"The update gate of a GRU is {_UPDATE}, its state {_BEFORE}, the candidate "
            f"{_CANDIDATE}. What is the new state? (z = 1 means keep; two decimals)",
            "es": localized(
                f"La puerta de actualización de una GRU vale {_UPDATE}, su estado {_BEFORE} y el "
                f"candidato {_CANDIDATE}. ¿Cuál es el nuevo estado? (z = 1 es conservar; dos "
                "decimales)",
                "es",
            ),
        },
        hint={
            "en": "z times the old, plus 1 − z times the candidate.",
            "es": "z por lo viejo, más 1 − z por el candidato.",
        },
        value=lambda language: mixed(_UPDATE, _BEFORE, _CANDIDATE),
        slips=(
            (
                lambda: mixed(1 - _UPDATE, _BEFORE, _CANDIDATE),
                {
                    "en": "Some books have z and 1 − z the other way round; here z keeps.",
                    "es": "En algunos libros z y 1 − z están al revés; aquí z conserva.",
                },
            ),
        ),
    ),
    numeric(
        "gru-weights", 5,
        question={
            "en": f"How many numbers does PyTorch's GRU with {INPUTS} inputs and {UNITS} units "
            "learn?",
            "es": f"¿Cuántos números aprende la GRU de PyTorch con {INPUTS} entradas y {UNITS} "
            "unidades?",
        },
        hint={
            "en": "Three times those of the plain RNN of chapter 2.",
            "es": "Tres veces los de la RNN simple del capítulo 2.",
        },
        value=lambda language: weights("gru"),
        within=0,
        places=0,
        slips=(
            (
                lambda: weights("lstm"),
                {"en": "That is the LSTM.", "es": "Esos son los de la LSTM."},
            ),
            (
                lambda: weights("rnn"),
                {"en": "That is the plain RNN.", "es": "Esos son los de la RNN simple."},
            ),
        ),
    ),
    choice(
        "gru-keep", 5,
        question={
            "en": f"Which constant update gate keeps most of the old state after {STEPS} steps?",
            "es": f"¿Con qué puerta de actualización constante queda más del estado viejo tras "
            f"{STEPS} pasos?",
        },
        options={
            "en": tuple(str(gate) for gate in _GATES),
            "es": tuple(localized(str(gate), "es") for gate in _GATES),
        },
        hint={
            "en": "At each step what is left is multiplied by z.",
            "es": "En cada paso, lo que queda se multiplica por z.",
        },
        right=lambda: max(range(len(_GATES)), key=lambda index: _GATES[index] ** STEPS),
    ),
    choice(
        "gru-count", 5,
        question={
            "en": "A GRU reads a hundred ones and each time mixes its state with the candidate 1. "
            "Can its state get above 1?",
            "es": "Una GRU lee cien unos y cada vez mezcla su estado con el candidato 1. ¿Puede su "
            "estado pasar de 1?",
        },
        options={"en": ("yes", "no"), "es": ("sí", "no")},
        hint={
            "en": "A mixture of two numbers lies between them.",
            "es": "Una mezcla de dos números queda entre los dos.",
        },
        right=_bounded,
    ),
    numeric(
        "gru-coupled", 5,
        question={
            "en": f"An LSTM with coupled gates has i = 1 − f. With f = {_FORGET}, a belt of "
            f"{_BELT} "
            f"and a candidate of {_NEW}, what is the new belt? (two decimals)",
            "es": localized(
                f"Una LSTM con puertas acopladas tiene i = 1 − f. Con f = {_FORGET}, {_BELT} en la "
                f"cinta y un candidato de {_NEW}, ¿cuánto queda en la cinta? (dos decimales)",
                "es",
            ),
        },
        hint={
            "en": "f times the belt, plus i times the candidate.",
            "es": "f por la cinta, más i por el candidato.",
        },
        value=lambda language: mixed(_FORGET, _BELT, _NEW),
    ),
)  # fmt: skip
