from __future__ import annotations

import pytest

from sentir.lesson.exercises.catalogue import check, find
from sentir.lesson.exercises.memory import ENDS, SENTENCES


def test_the_answers_are_those_of_the_formulas() -> None:
    assert float(find("fade-rnn").answer("en")) == pytest.approx(0.9**50, abs=5e-5)
    assert find("fade-steps").answer("en") == "10"
    assert find("fade-bias").answer("es") == "0,044"
    assert find("fade-order").answer("en") == "c"


def test_the_distance_is_counted_in_the_sentence_of_the_language() -> None:
    for language, (country, word) in ENDS.items():
        between = SENTENCES[language].split(f"{country} ")[1].split(f" {word}")[0]
        assert find("distance").answer(language) == str(len(between.split()))


def test_a_common_mistake_is_named() -> None:
    assert check("fade-rnn", "0.9").message == "That is a single step; there are more."
    assert "sigmoide" in check("fade-bias", "1", "es").message
