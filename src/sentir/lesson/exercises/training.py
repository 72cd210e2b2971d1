"""Questions on training (chapter 7)."""

from __future__ import annotations

from math import ceil, log

import torch

from sentir.lesson.exercises.exercise import Exercise, choice, numeric
from sentir.lesson.language import localized

_REVIEWS, _BATCH = 3242, 50
_VOCABULARY, _EMBEDDING = 1048, 400
_LOSSES = (0.69, 0.45, 0.38, 0.41, 0.52)
_CLIP = 2.5


def _clipped() -> float:
    """The first number of the gradient (3, 4), clipped."""
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([3.0, 4.0])
    torch.nn.utils.clip_grad_norm_([weight], _CLIP)
    return float(weight.grad[0])


_LISTED = ", ".join(map(str, _LOSSES))

EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "train-coin", 7,
        question={
            "en": "What is the loss (in nats) of a network that answers 0.5 to everything? "
            "(two decimals)",
            "es": "¿Cuál es la pérdida (en nats) de una red que responde 0,5 a todo? (dos "
            "decimales)",
        },
        hint={
            "en": "Minus the logarithm of the probability of the right class.",
            "es": "Menos el logaritmo de la probabilidad de la clase correcta.",
        },
        value=lambda language: -log(0.5),
    ),
    numeric(
        "train-steps", 7,
        question={
            "en": f"{_REVIEWS} reviews in batches of {_BATCH}: how many steps has an epoch?",
            "es": f"{_REVIEWS} reseñas en lotes de {_BATCH}: ¿cuántos pasos tiene una época?",
        },
        hint={
            "en": "The last batch is smaller, but it is a batch.",
            "es": "El último lote es más pequeño, pero es un lote.",
        },
        value=lambda language: ceil(_REVIEWS / _BATCH),
        within=0,
        places=0,
        slips=(
            (
                lambda: _REVIEWS // _BATCH,
                {"en": "The last, smaller batch is missing.", "es": "Falta el último lote."},
            ),
        ),
    ),
    numeric(
        "train-vectors", 7,
        question={
            "en": f"How many numbers has a table of {_VOCABULARY} words with vectors of "
            f"{_EMBEDDING}?",
            "es": f"¿Cuántos números tiene una tabla de {_VOCABULARY} palabras con vectores de "
            f"{_EMBEDDING}?",
        },
        hint={"en": "A row per word.", "es": "Una fila por palabra."},
        value=lambda language: torch.nn.Embedding(_VOCABULARY, _EMBEDDING).weight.numel(),
        within=0,
        places=0,
    ),
    numeric(
        "train-clip", 7,
        question={
            "en": f"The gradient is (3, 4) and its norm is clipped at {_CLIP}. What is its first "
            "number afterwards? (two decimals)",
            "es": f"El gradiente es (3; 4) y su norma se recorta a {localized(str(_CLIP), 'es')}. "
            "¿Cuánto vale después su primer número? (dos decimales)",
        },
        hint={
            "en": "The norm is 5; all numbers are multiplied by the same factor.",
            "es": "La norma es 5; todos los números se multiplican por el mismo factor.",
        },
        value=lambda language: _clipped(),
        slips=(
            (
                lambda: _CLIP,
                {
                    "en": "The norm is clipped, not each number: the direction stays.",
                    "es": "Se recorta la norma, no cada número: la dirección no cambia.",
                },
            ),
        ),
    ),
    choice(
        "train-best", 7,
        question={
            "en": f"The validation losses of five epochs are {_LISTED}. Which state is kept?",
            "es": "Las pérdidas de validación de cinco épocas son "
            f"{localized(_LISTED.replace(', ', '; '), 'es')}. ¿Qué estado se guarda?",
        },
        options={
            "en": tuple(f"that of epoch {epoch}" for epoch in range(1, 6)),
            "es": tuple(f"el de la época {epoch}" for epoch in range(1, 6)),
        },
        hint={
            "en": "The one with the lowest validation loss, not the last.",
            "es": "El de menor pérdida de validación, no el último.",
        },
        right=lambda: _LOSSES.index(min(_LOSSES)),
    ),
)  # fmt: skip
