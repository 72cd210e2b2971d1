from __future__ import annotations

import pytest

from sentir.errors import UsageError
from sentir.lesson.exercises.exercises import Exercise, check, exercises, find
from sentir.lesson.exercises.memory import ENDS, SENTENCES

ALL = [one for chapter in (2, 3, 4) for one in exercises(chapter)]
LANGUAGES = ["en", "es"]
#: Answers that are near and wrong, by exercise.
NEAR = {
    "rnn-step": ["0.78", "0.74", "1", "-0.76", "76.16"],
    "rnn-unroll": ["-0.29", "-0.46", "0.48"],
    "rnn-weights": ["32", "7200", "35", "36.5"],
    "rnn-order": ["a", "c"],
    "rnn-bit": ["3, 1, 0", "0, 2, 0", "3, 2, 2", "-3, 2, 0", "3, -2, 0"],
    "fade-rnn": ["0.9", "0.006", "0", "0.0053"],
    "fade-steps": ["9", "11", "500"],
    "fade-bias": ["0.731", "1", "0.05", "0.0459"],
    "distance": ["11", "13", "15", "12.5"],
    "fade-order": ["a", "b"],
    "forget-gate": ["1.25", "0.22", "0.75", "0.8"],
    "cell-state": ["0.21", "1.10", "-0.33", "0.35"],
    "counter": [
        "forget: 0, 0, 1; input: 20, 0, -10; candidate: 0, 0, 10",
        "forget: 0, 0, 10; input: 0, 0, 10; candidate: 0, 0, 10",
        "forget: 0, 0, 10; input: 20, 0, -10; candidate: 0, 0, -10",
    ],
    "new-subject": ["forget: 0, 0, 0, 10", "forget: -20, 0, 0, 0", "forget: 20, 0, 0, -10"],
    "one-bit": [
        "forget: 0, 0, 0, 10; input: 20, 0, 0, -10; candidate: 0, 10, 0, 0",
        "forget: -20, 0, 0, 10; input: 0, 0, 0, 10; candidate: 0, 10, 0, 0",
        "forget: -20, 0, 0, 10; input: 20, 0, 0, -10; candidate: 0, -10, 0, 0",
    ],
}
GARBAGE = ["", " ", "?", "nan", "inf", "0.7.7", "ab", "[1]", "forget: x", ";;;", "1, 2, 3, 4, 5"]


def test_chapters_2_to_4_have_five_each() -> None:
    assert [len(exercises(chapter)) for chapter in range(1, 6)] == [0, 5, 5, 5, 0]
    assert len({one.id for one in ALL}) == len(ALL)
    assert set(NEAR) == {one.id for one in ALL}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_the_right_answer_passes_and_others_do_not(one: Exercise, language: str) -> None:
    verdict = check(one.id, one.answer(language), language)
    assert verdict.right, verdict.message
    for wrong in [*GARBAGE, *(NEAR[one.id])]:
        verdict = check(one.id, wrong, language)
        assert not verdict.right, wrong
        assert verdict.message


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_both_languages_are_spoken(one: Exercise) -> None:
    assert one.question["en"] != one.question["es"]
    assert one.hint["en"] != one.hint["es"]
    assert check(one.id, "?", "en").message != check(one.id, "?", "es").message


def test_numbers_may_be_written_as_people_do() -> None:
    for written in ("0.78", "0,78", " .78 ", "78 %", "78%", "7.8e-1", "0.7773"):
        assert check("forget-gate", written).right, written
    assert check("cell-state", "0.33").right


def test_an_error_that_is_easily_made_is_named() -> None:
    assert "sigmoid still has to" in check("forget-gate", "1.25").message
    assert "lo que se pierde" in check("forget-gate", "0.22", "es").message
    assert "After 1, 1 the cell state is" in check("counter", NEAR["counter"][0]).message
    assert "Give the weights gate by gate, as in: forget: 0" in check("counter", "1").message
    assert "olvido: 0, 0, 0, 0" in check("new-subject", "1", "es").message


def test_gates_may_be_named_in_either_language_and_in_any_order() -> None:
    mixed = "Candidato: 0 0 10\ninput: 20 0 −10\nolvido: 0 0 10"
    assert check("counter", mixed).right
    assert not check("counter", mixed + "\nolvido: 0 0 10").right, "the same gate twice"
    assert not check("counter", mixed.replace("10", "1e6")).right, "too large to be meant"


def test_many_solutions_are_right() -> None:
    assert check("rnn-bit", "5, 3, 0").right
    assert check(
        "one-bit", "forget: -30, 0, 0, 12; input: 25, 0, 0, -9; candidate: 0, 9, 0, 0"
    ).right


def test_the_distance_is_counted_in_the_sentence_of_the_language() -> None:
    for language, (country, word) in ENDS.items():
        between = SENTENCES[language].split(f"{country} ")[1].split(f" {word}")[0]
        assert find("distance").answer(language) == str(len(between.split()))


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no exercise 'riddle'; use one of rnn-step"):
        check("riddle", "1")
    with pytest.raises(UsageError, match="does not speak 'fr'"):
        check("forget-gate", "1", "fr")
