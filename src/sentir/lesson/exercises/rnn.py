"""Questions on the plain RNN unrolled (chapter 2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from sentir.lesson.exercises.exercise import (
    Exercise,
    Texts,
    UnitWeights,
    choice,
    numeric,
    weights,
)
from sentir.lesson.language import localized
from sentir.nn.cells import MODULES, Weights, unroll

#: The unit of most questions: h' = tanh(INPUT x + HIDDEN h + BIAS).
INPUT, HIDDEN, BIAS = 1.5, 0.5, -0.5
UNITS, FEATURES = 4, 3
HOLD = 10
DOUBLE = torch.float64


def states(xs: Sequence[float], input: float, hidden: float, bias: float) -> list[float]:
    """The hidden state of a plain unit after each number it reads, from zero."""
    layer = Weights(
        torch.tensor([[input]], dtype=DOUBLE), torch.tensor([[hidden]], dtype=DOUBLE),
        torch.tensor([bias], dtype=DOUBLE), torch.zeros(1, dtype=DOUBLE),
    )  # fmt: skip
    x_TBE = torch.tensor(xs, dtype=DOUBLE)[:, None, None]
    hidden_T: list[float] = unroll("rnn", x_TBE, layer).hidden_TBH.flatten().tolist()
    return hidden_T


def _after(*xs: float) -> float:
    return states(xs, INPUT, HIDDEN, BIAS)[-1]


def _count() -> float:
    return float(sum(weight.numel() for weight in MODULES["rnn"](FEATURES, UNITS).parameters()))


def _order() -> int:
    """Which sequence ends higher: 0 the first, 1 the second, 2 neither."""
    first, last = _after(1, 0, 0), _after(0, 0, 1)
    return 0 if first > last else 1 if last > first else 2


def _holds(unit: UnitWeights) -> Texts | None:
    """Whether the state keeps the sign of the first input while zeros are read."""
    input, hidden, bias = unit[""]
    for sign, name in ((1.0, "1"), (-1.0, "−1")):
        for zeros, state in enumerate(states([sign, *[0.0] * HOLD], input, hidden, bias)):
            if sign * state <= 0.5:
                spanish = localized(f"{state:.2f}", "es")
                return {
                    "en": f"After {name} and {zeros} zeros the state is {state:.2f}.",
                    "es": f"Tras {name} y {zeros} ceros el estado es {spanish}.",
                }
    return None


_CELL = f"h' = tanh({INPUT}·x + {HIDDEN}·h − {-BIAS})"
_CELL_ES = localized(_CELL, "es")
_TWO_DECIMALS_EN, _TWO_DECIMALS_ES = "(two decimals)", "(dos decimales)"

EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "rnn-step", 2,
        question={
            "en": f"A plain recurrent unit computes {_CELL}. It starts at h = 0 and reads x = 1. "
            f"What is h'? {_TWO_DECIMALS_EN}",
            "es": f"Una unidad recurrente simple calcula {_CELL_ES}. Empieza en h = 0 y lee x = 1. "
            f"¿Cuánto vale h'? {_TWO_DECIMALS_ES}",
        },
        hint={
            "en": "Put x = 1 and h = 0 into the sum, then take the tanh.",
            "es": "Ponga x = 1 y h = 0 en la suma y tome su tanh.",
        },
        value=lambda language: _after(1),
        slips=(
            (
                lambda: INPUT + BIAS,
                {
                    "en": "That is the sum; it still has to go through the tanh.",
                    "es": "Esa es la suma; todavía tiene que pasar por la tanh.",
                },
            ),
        ),
    ),
    numeric(
        "rnn-unroll", 2,
        question={
            "en": f"The same unit, {_CELL}, starts at h = 0 and reads 1, 0, 0. What is its state "
            f"at the end? {_TWO_DECIMALS_EN}",
            "es": f"La misma unidad, {_CELL_ES}, lee 1, 0, 0 uno tras otro desde h = 0. ¿Cuál es "
            f"su estado al final? {_TWO_DECIMALS_ES}",
        },
        hint={
            "en": "Unroll it: three steps with the same weights, each from the state before it.",
            "es": "Desenróllela: tres pasos con los mismos pesos, cada uno con el estado anterior.",
        },
        value=lambda language: _after(1, 0, 0),
        slips=(
            (
                lambda: _after(1, 0),
                {
                    "en": "That is the state after two steps; there is a third.",
                    "es": "Ese es el estado tras dos pasos; falta el tercero.",
                },
            ),
            (
                lambda: _after(0),
                {
                    "en": "Each step goes on from the state before it, not from zero.",
                    "es": "Cada paso sigue desde el estado anterior, no desde cero.",
                },
            ),
        ),
    ),
    numeric(
        "rnn-weights", 2,
        question={
            "en": f"How many numbers does a plain RNN with {FEATURES} inputs and {UNITS} units "
            "learn, if each unit has two biases, as in PyTorch? It reads reviews of 200 words.",
            "es": f"¿Cuántos números aprende una RNN simple con {FEATURES} entradas y {UNITS} "
            "unidades si cada unidad tiene dos sesgos, como en PyTorch? Lee reseñas de 200 "
            "palabras.",
        },
        hint={
            "en": "A matrix from inputs to units, one from units to units, two biases per unit; "
            "every step uses the same ones.",
            "es": "Una matriz de entradas a unidades, otra de unidades a unidades y dos sesgos por "
            "unidad; todos los pasos usan los mismos.",
        },
        value=lambda language: _count(),
        within=0,
        places=0,
        slips=(
            (
                lambda: 200 * _count(),
                {
                    "en": "The steps share their weights: length does not count.",
                    "es": "Los pasos comparten los pesos: la longitud no cuenta.",
                },
            ),
            (
                lambda: _count() - UNITS,
                {
                    "en": "Nearly: PyTorch gives each unit two biases.",
                    "es": "Casi: PyTorch da dos sesgos a cada unidad.",
                },
            ),
        ),
    ),
    choice(
        "rnn-order", 2,
        question={
            "en": f"After which sequence does {_CELL} end higher, starting from h = 0?",
            "es": f"¿Tras cuál de estas secuencias acaba más alta {_CELL_ES}, desde h = 0?",
        },
        options={
            "en": ("after 1, 0, 0", "after 0, 0, 1", "the same: both contain one 1"),
            "es": ("tras 1, 0, 0", "tras 0, 0, 1", "igual: las dos tienen un 1"),
        },
        hint={
            "en": "What was read early has been squashed more often. Compute both.",
            "es": "Lo leído antes ha pasado por más compresiones. Calcule las dos.",
        },
        right=_order,
    ),
    weights(
        "rnn-bit", 2,
        question={
            "en": "Choose w, u and b so that the unit h' = tanh(w·x + u·h + b) keeps one bit: "
            f"after a 1 it must stay above 0.5 for {HOLD} zeros, and after a −1 below −0.5. "
            "Answer with the three numbers: w, u, b.",
            "es": "Elija w, u y b para que la unidad h' = tanh(w·x + u·h + b) guarde un bit: desde "
            f"un 1 y durante {HOLD} ceros debe seguir por encima de 0,5, y desde un −1 por debajo "
            "de −0,5. Responda con los tres números: w, u, b.",
        },
        hint={
            "en": "With u above 1, tanh(u·h) has slope u > 1 at h = 0 and pushes the state away "
            "from 0; b must not favour either side.",
            "es": "Con u mayor que 1, tanh(u·h) tiene en h = 0 pendiente u > 1 y aleja el estado "
            "de 0; b no debe favorecer a ningún lado.",
        },
        gates=(),
        count=3,
        example={"en": "3, 2, 0", "es": "3, 2, 0"},
        done={
            "en": "a plain cell can hold a bit if somebody sets its weights; learning them is "
            "harder",
            "es": "una celda simple puede guardar un bit si alguien le pone los pesos; aprenderlos "
            "es más difícil",
        },
        run=_holds,
    ),
)  # fmt: skip
