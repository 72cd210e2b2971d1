"""Texts in another language than most."""

from __future__ import annotations

import pytest

from sentir.evaluation.audit.languages import FUNCTION_WORDS, find_other_languages
from sentir.synthetic.reviews import sample_reviews

ENGLISH = "The sound of it is good, but the battery was not what I had been told by the seller."
SPANISH = "El sonido es bueno, pero la batería no es lo que me dijo el vendedor de la tienda."
FRENCH = (
    "Le son est bon mais cette batterie ne vaut rien du tout et notre vendeur nous avait "
    "dit autre chose quand nous avons fait cet achat chez eux avec ma soeur"
)


def found(*texts: str) -> list[tuple[int, str]]:
    return [(mark.row, mark.note) for mark in find_other_languages(texts)]


def test_the_lists_share_no_word() -> None:
    assert not FUNCTION_WORDS["English"] & FUNCTION_WORDS["Spanish"]


def test_the_fewer_are_found() -> None:
    assert found(*[ENGLISH] * 3, SPANISH, FRENCH, "Great phone!") == [
        (3, "Spanish"),
        (4, "nearly no English function words"),
    ]
    assert found(*[SPANISH] * 3, ENGLISH) == [(3, "English")]


def test_nothing_is_said_without_a_main_language() -> None:
    assert not found(*[FRENCH] * 5, ENGLISH, SPANISH)
    assert not found(ENGLISH, SPANISH)
    assert not found()
    assert not found("Sehr gut")


@pytest.mark.parametrize("language", ["en", "es"])
def test_reviews_of_the_main_language_are_left_alone(language: str) -> None:
    other = "es" if language == "en" else "en"
    texts = [text for _, text in sample_reviews(300, language=language, seed=0)]
    strange = [text for _, text in sample_reviews(10, language=other, seed=0)]
    rows = [row for row, _ in found(*texts, *strange)]
    assert all(row >= 300 for row in rows)
    assert len(rows) >= 5
