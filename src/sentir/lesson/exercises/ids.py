"""Questions on the way from a review to ids (chapter 6)."""

from __future__ import annotations

from collections import Counter
from functools import cache

from sentir.data.batching import head_length
from sentir.lesson.exercises.exercise import Exercise, choice, numeric
from sentir.text.cleaning import URL_TOKEN, cleaner
from sentir.text.tokenizer import WordTokenizer

_REVIEWS = ("a b b", "b c c")
_NEW = "c d a"
_LENGTHS = (3, 5, 10)
_LONGEST = 8
_TEXTS = {"en": ("end.The", "www.shop.com", "3.14"), "es": ("final.Los", "www.tienda.com", "3,14")}


@cache
def tokenizer() -> WordTokenizer:
    """Words of the two reviews that are seen twice or more."""
    counts = Counter(" ".join(_REVIEWS).split())
    return WordTokenizer([word for word, count in counts.most_common() if count > 1], ["nfc"])


def _padding() -> float:
    return 1 - sum(_LENGTHS) / (len(_LENGTHS) * max(_LENGTHS))


def _address() -> int:
    clean = cleaner(["url"])
    return [URL_TOKEN in clean(text) for text in _TEXTS["en"]].index(True)


def _row() -> int:
    ids = " ".join(map(str, tokenizer().encode([_NEW])[0]))
    return _ROWS.index(ids)


_ROWS = ("3 0 0", "3 1 1", "3 4 5")
_TRAINING = " / ".join(f"“{review}”" for review in _REVIEWS)

EXERCISES: tuple[Exercise, ...] = (
    numeric(
        "ids-word", 6,
        question={
            "en": f"The training reviews are {_TRAINING}. Words seen twice or more get ids from 2 "
            "on, the most frequent first. Which id has c?",
            "es": f"Las reseñas de entrenamiento son {_TRAINING}. Las palabras vistas dos veces "
            "o más "
            "reciben números desde el 2, primero la más frecuente. ¿Qué número tiene c?",
        },
        hint={
            "en": "b occurs three times, c twice.",
            "es": "b aparece tres veces, c dos.",
        },
        value=lambda language: float(tokenizer().vocabulary.index("c")),
        within=0,
        places=0,
    ),
    choice(
        "ids-unknown", 6,
        question={
            "en": f"With that vocabulary, which ids does the new review “{_NEW}” get?",
            "es": f"Con ese vocabulario, ¿qué números recibe la reseña nueva «{_NEW}»?",
        },
        options={"en": _ROWS, "es": _ROWS},
        hint={
            "en": "a was seen once and d never: both are unknown, which is not padding.",
            "es": "a se vio una vez y d ninguna: las dos son desconocidas, y eso no es relleno.",
        },
        right=_row,
    ),
    numeric(
        "ids-padding", 6,
        question={
            "en": "Three reviews of 3, 5 and 10 words are padded to the longest. What share of the "
            "batch is padding?",
            "es": "Tres reseñas de 3, 5 y 10 palabras se rellenan hasta la más larga. ¿Qué parte "
            "del "
            "lote es relleno?",
        },
        hint={
            "en": "The batch has 3 × 10 places; 18 of them hold a word.",
            "es": "El lote tiene 3 × 10 lugares; en 18 hay una palabra.",
        },
        value=lambda language: _padding(),
        slips=(
            (
                lambda: 1 - _padding(),
                {"en": "That is the share of words.", "es": "Esa es la parte de palabras."},
            ),
        ),
    ),
    numeric(
        "ids-truncate", 6,
        question={
            "en": f"Sentir keeps {_LONGEST} words of a long review: a quarter from its start, the "
            "rest from its end. How many from the start?",
            "es": f"Sentir conserva {_LONGEST} palabras de una reseña larga: una cuarta parte del "
            "principio y el resto del final. ¿Cuántas del principio?",
        },
        hint={"en": "A quarter of 8.", "es": "La cuarta parte de 8."},
        value=lambda language: float(head_length(_LONGEST)),
        within=0,
        places=0,
    ),
    choice(
        "ids-address", 6,
        question={
            "en": "Which of these does Sentir take for a web address?",
            "es": "¿Cuál de estos toma Sentir por una dirección web?",
        },
        options=_TEXTS,
        hint={
            "en": "An address starts with www. or a scheme, or ends in a known domain.",
            "es": "Una dirección empieza con www. o un esquema, o termina en un dominio conocido.",
        },
        right=_address,
    ),
)  # fmt: skip
