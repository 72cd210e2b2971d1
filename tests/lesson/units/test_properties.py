from __future__ import annotations

import numpy as np
import pytest

from sentir.errors import UsageError
from sentir.lesson.units.properties import (
    PROPERTIES,
    after_negation,
    areas,
    correlations,
    inside_quotes,
    into_sentence,
    into_word,
)


def selected(text: str, truth_T: np.ndarray) -> str:
    return "".join(character for character, is_in in zip(text, truth_T, strict=True) if is_in)


def test_properties_of_a_text() -> None:
    text = 'He said "not bad". I can\'t say. Fine'
    assert selected(text, inside_quotes(text, "en")) == '"not bad'
    assert selected(text, after_negation(text, "en")) == ' bad" say'
    assert into_sentence("ab. c", "en").tolist() == [1, 2, 0, 1, 2]
    assert into_word("ab. c", "en").tolist() == [1, 2, 0, 0, 1]
    assert selected("No lo sé. Sí", after_negation("No lo sé. Sí", "es")) == " lo sé"
    with pytest.raises(UsageError, match="the lesson does not speak 'fr'"):
        after_negation("ne pas", "fr")


def test_scores_by_hand() -> None:
    truth_T = np.array([0.0, 0, 1, 1])
    values_TH = np.array([[0.0, 3, 1], [1, 2, 1], [2, 1, 1], [3, 0, 1]])
    assert areas(values_TH, truth_T).tolist() == [1, 0, 0.5]
    np.testing.assert_allclose(correlations(values_TH, np.arange(4.0)), [1, -1, 0])


def test_chance_is_the_uninformative_score() -> None:
    assert {each.name: each.uninformative for each in PROPERTIES} == {
        "quotes": 0.5, "negation": 0.5, "sentence": 0.0, "word": 0.0
    }  # fmt: skip
