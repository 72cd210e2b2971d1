"""Questions on the problem of long-term dependencies (chapter 3)."""

from __future__ import annotations

from functools import cache

import torch

from sentir.lesson.exercises.exercise import Exercise, choice, numeric
from sentir.lesson.language import localized
from sentir.lesson.memory.experiment import fading
from sentir.lesson.step.step import GateWeights, step
from sentir.nn.cells import State, Weights, rnn_step
from sentir.text.tokenizer import WordTokenizer

DOUBLE = torch.float64
RECURRENT, STEPS_BACK = 0.9, 50
SHARE = 1000
BIAS_STEPS = 10
_RECURRENT_ES = localized(str(RECURRENT), "es")
SENTENCES = {
    "en": "I grew up in France , in a village by the sea , and that is why I speak French",
    "es": "Crecí en Francia , en un pueblo junto al mar , y por eso hablo francés",
}
#: The country, and the word that depends on it.
ENDS = {"en": ("France", "French"), "es": ("Francia", "francés")}


@cache
def _gradient_back(steps: int) -> float:
    """d h_last / d h_first of a plain unit that rests at zero, by automatic differentiation."""
    layer = Weights(
        torch.zeros(1, 1, dtype=DOUBLE), torch.tensor([[RECURRENT]], dtype=DOUBLE),
        torch.zeros(1, dtype=DOUBLE), torch.zeros(1, dtype=DOUBLE),
    )  # fmt: skip
    first_BH = torch.zeros(1, 1, dtype=DOUBLE, requires_grad=True)
    state = State(first_BH)
    for _ in range(steps):
        state = rnn_step(torch.zeros(1, 1, dtype=DOUBLE), state, layer).state
    return float(torch.autograd.grad(state.hidden_BH.sum(), first_BH)[0])


def _cell_left(forget_bias: float, steps: int) -> float:
    """The share of the cell state that is left when the candidate is always 0."""
    weights = {
        name: GateWeights((0.0,), 0.0, bias)
        for name, bias in {
            "forget": forget_bias, "input": 0.0, "candidate": 0.0, "output": 0.0
        }.items()
    }  # fmt: skip
    cell = 1.0
    for _ in range(steps):
        cell = step((0.0,), hidden=0.0, cell=cell, weights=weights).cell
    return cell


def _steps_to_lose() -> float:
    """Steps of a half-open forget gate until less than 1/SHARE is left."""
    steps = 1
    while _cell_left(0.0, steps) * SHARE >= 1:
        steps += 1
    return float(steps)


def _distance(language: str) -> float:
    """Steps between reading the country and having to predict the word that depends on it."""
    tokens = WordTokenizer((), ()).tokens(SENTENCES[language])
    country, word = ENDS[language]
    return float(tokens.index(word) - 1 - tokens.index(country))


def _largest_gradient() -> int:
    """Index of the network (rnn, bias 0, bias 1) whose untrained gradient reaches back most."""
    norms = {run.name: run.norms[STEPS_BACK] for run in fading(distance=STEPS_BACK, seeds=(0,))}
    order = ("rnn", "lstm 0", "lstm 1")
    return max(range(3), key=lambda index: norms[order[index]])


EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "fade-rnn", 3,
        question={
            "en": f"A plain unit h' = tanh({RECURRENT}·h) rests at h = 0, where the tanh's slope "
            f"is 1. What share of the gradient comes back over {STEPS_BACK} steps? (four "
            "decimals)",
            "es": f"Una unidad simple h' = tanh({_RECURRENT_ES}·h) está en reposo en h = 0, donde "
            f"la pendiente de la tanh es 1. ¿Qué parte del gradiente vuelve tras {STEPS_BACK} "
            "pasos? (cuatro decimales)",
        },
        hint={
            "en": "Each step back multiplies by the slope and by the weight.",
            "es": "Cada paso atrás multiplica por la pendiente y por el peso.",
        },
        value=lambda language: _gradient_back(STEPS_BACK),
        within=0.0001,
        places=4,
        slips=(
            (
                lambda: _gradient_back(1),
                {
                    "en": "That is a single step; there are more.",
                    "es": "Ese es un solo paso; hay más.",
                },
            ),
        ),
    ),
    numeric(
        "fade-steps", 3,
        question={
            "en": "An LSTM's forget gate is 0.5 and the candidate is always 0. After how many "
            f"steps is less than 1/{SHARE} of the cell state left?",
            "es": "La puerta de olvido de una LSTM vale 0,5 y el candidato siempre 0. ¿Tras "
            f"cuántos pasos queda menos de 1/{SHARE} del estado de celda?",
        },
        hint={
            "en": "Each step keeps half of what is left.",
            "es": "Cada paso conserva la mitad de lo que queda.",
        },
        value=lambda language: _steps_to_lose(),
        within=0,
        places=0,
        slips=(
            (
                lambda: _steps_to_lose() - 1,
                {"en": "One step too early.", "es": "Un paso antes de tiempo."},
            ),
        ),
    ),
    numeric(
        "fade-bias", 3,
        question={
            "en": "Now the forget gate's bias is 1 and all its weights are 0. What share of the "
            f"cell state is left after {BIAS_STEPS} steps? (three decimals)",
            "es": "Ahora el sesgo de la puerta de olvido es 1 y todos sus pesos son 0. ¿Qué "
            f"parte del estado de celda queda tras {BIAS_STEPS} pasos? (tres decimales)",
        },
        hint={
            "en": "The gate is σ(1), the same at every step.",
            "es": "La puerta vale σ(1), igual en todos los pasos.",
        },
        value=lambda language: _cell_left(1.0, BIAS_STEPS),
        within=0.001,
        places=3,
        slips=(
            (
                lambda: _cell_left(1.0, 1),
                {
                    "en": "That is the gate: what is left after one step.",
                    "es": "Esa es la puerta: lo que queda tras un paso.",
                },
            ),
            (
                lambda: 1.0,
                {
                    "en": "A bias of 1 is not a gate of 1: the sigmoid lies in between.",
                    "es": "Un sesgo de 1 no es una puerta de 1: en medio está la sigmoide.",
                },
            ),
        ),
    ),
    numeric(
        "distance", 3,
        question={
            "en": f"“{SENTENCES['en']}”. A language model reads token by token, commas included. "
            "For how many steps after “France” must it carry the country to predict “French”?",
            "es": f"«{SENTENCES['es']}». Un modelo de lenguaje lee palabra por palabra, también "
            "las comas. ¿Durante cuántos pasos después de «Francia» debe llevar el país para "
            "predecir «francés»?",
        },
        hint={
            "en": "Count the tokens between the two words.",
            "es": "Cuente los tokens que hay entre las dos palabras.",
        },
        value=_distance,
        within=0,
        places=0,
    ),
    choice(
        "fade-order", 3,
        question={
            "en": f"Before training, which gradient is largest {STEPS_BACK} steps back?",
            "es": f"Antes de entrenar, ¿qué gradiente es mayor {STEPS_BACK} pasos atrás?",
        },
        options={
            "en": ("the plain RNN's", "that of an LSTM with forget bias 0", "that of an LSTM with "
                   "forget bias 1"),
            "es": ("el de la RNN simple", "el de una LSTM con sesgo de olvido 0", "el de una LSTM "
                   "con sesgo de olvido 1"),
        },
        hint={
            "en": "Along the cell state a step back multiplies by the forget gate. Where is it "
            "closest to 1?",
            "es": "A lo largo del estado de celda un paso atrás multiplica por la puerta de "
            "olvido. ¿Dónde está más cerca de 1?",
        },
        right=_largest_gradient,
    ),
)  # fmt: skip
