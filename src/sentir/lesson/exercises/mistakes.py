"""Questions on what goes wrong (chapter 9)."""

from __future__ import annotations

import inspect
from math import exp, sqrt

import torch

from sentir.data.batching import pad
from sentir.lesson.exercises.exercise import Exercise, choice, numeric
from sentir.lesson.language import localized
from sentir.text.tokenizer import PAD, UNK

_LOSS = 0.737
_REVIEWS = 1000
_RATE = 0.005
_FORGET, _PADDING = 0.9, 30


def _last_word() -> float:
    """The position of the last word of a padded review, from 0."""
    return float(pad([[7, 8, 9]], max_length=6).lengths_B[0]) - 1


def _default_rate() -> float:
    return float(inspect.signature(torch.optim.Adam).parameters["lr"].default)


EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "wrong-loss", 9,
        question={
            "en": f"The notebook prints a loss of {_LOSS}. Which probability of the right class "
            "has "
            "this loss? (two decimals)",
            "es": f"El cuaderno imprime una pérdida de {localized(str(_LOSS), 'es')}. ¿Qué "
            "probabilidad de la clase correcta tiene esa pérdida? (dos decimales)",
        },
        hint={
            "en": "The loss is minus the logarithm of that probability.",
            "es": "La pérdida es menos el logaritmo de esa probabilidad.",
        },
        value=lambda language: exp(-_LOSS),
    ),
    numeric(
        "wrong-coin", 9,
        question={
            "en": f"A coin answers {_REVIEWS} reviews. By how many points does its accuracy vary "
            "around 50 (one standard deviation; one decimal)?",
            "es": f"Una moneda contesta {_REVIEWS} reseñas. ¿Cuántos puntos varían sus aciertos "
            "alrededor de 50 (una desviación típica; un decimal)?",
        },
        hint={
            "en": "The square root of 0.5 · 0.5 / 1000, times 100.",
            "es": "La raíz cuadrada de 0,5 · 0,5 / 1000, por 100.",
        },
        value=lambda language: 100 * sqrt(0.25 / _REVIEWS),
        within=0.1,
        places=1,
    ),
    numeric(
        "wrong-step", 9,
        question={
            "en": "The row is 7 8 9 0 0 0, padded on the right. Counting from 0, the state of "
            "which "
            "step must be read?",
            "es": "La fila es 7 8 9 0 0 0, con relleno a la derecha. Contando desde 0, ¿de qué "
            "paso "
            "hay que leer el estado?",
        },
        hint={
            "en": "That of the last word, not of the last step.",
            "es": "El de la última palabra, no el del último paso.",
        },
        value=lambda language: _last_word(),
        within=0,
        places=0,
        slips=(
            (
                lambda: 5,
                {"en": "That is after the padding.", "es": "Ese es el de después del relleno."},
            ),
        ),
    ),
    numeric(
        "wrong-padding", 9,
        question={
            "en": f"After the text come {_PADDING} steps of padding with the forget gate at "
            f"{_FORGET}. What share of the belt is left? (two decimals)",
            "es": f"Tras el texto vienen {_PADDING} pasos de relleno con la puerta de olvido en "
            f"{localized(str(_FORGET), 'es')}. ¿Qué parte de la cinta queda? (dos decimales)",
        },
        hint={"en": "0.9 to the power of 30.", "es": "0,9 elevado a 30."},
        value=lambda language: _FORGET**_PADDING,
    ),
    choice(
        "wrong-id", 9,
        question={
            "en": "Which id does a word get that training never saw?",
            "es": "¿Qué número recibe una palabra que no apareció al entrenar?",
        },
        options={
            "en": tuple(f"{id}" for id in (PAD, UNK, 2)),
            "es": tuple(f"{id}" for id in (PAD, UNK, 2)),
        },
        hint={
            "en": "There is something there, so it is not padding.",
            "es": "Ahí hay algo, así que no es relleno.",
        },
        right=lambda: (PAD, UNK, 2).index(UNK),
    ),
)  # fmt: skip
