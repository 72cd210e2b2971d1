from __future__ import annotations

import pytest

from sentir.errors import UsageError
from sentir.lesson.exercises.catalogue import chapters, check, exercises, find
from sentir.lesson.exercises.exercise import Exercise

ALL = [exercise for chapter in chapters() for exercise in exercises(chapter)]
LANGUAGES = ["en", "es"]
#: Wrong answers close to the right one, by exercise.
NEAR = {
    "seq-bag": ["a", "c"],
    "seq-best": ["1", "0.52", "0"],
    "seq-window": ["4", "6"],
    "seq-phrases": ["2985984", "924"],
    "seq-slot": ["a"],
    "gru-step": ["-0.5", "0.3", "0.12"],
    "gru-weights": ["144", "36", "96"],
    "gru-keep": ["a", "b"],
    "gru-count": ["a"],
    "gru-coupled": ["1.1", "0.1", "0.6"],
    "ids-word": ["2", "4", "1"],
    "ids-unknown": ["a", "c"],
    "ids-padding": ["0.6", "0.42", "12"],
    "ids-truncate": ["3", "6"],
    "ids-address": ["a", "c"],
    "train-coin": ["0.5", "1", "0.72"],
    "train-steps": ["64", "64.84"],
    "train-vectors": ["1448", "419"],
    "train-clip": ["2.5", "3", "0.6"],
    "train-best": ["a", "e"],
    "gates-open": ["0.5", "2", "0.90"],
    "gates-left": ["0.77", "0.45", "2.3"],
    "gates-word": ["a", "c"],
    "gates-shown": ["1.5", "0.91"],
    "gates-fixed": ["b", "c"],
    "wrong-loss": ["0.74", "0.5", "-0.31"],
    "wrong-coin": ["3.2", "0.02", "50"],
    "wrong-step": ["5", "3"],
    "wrong-padding": ["0.9", "27", "0.06"],
    "wrong-id": ["a", "c"],
    "beyond-weight": ["0.5", "0.12", "1"],
    "beyond-pairs": ["10000", "4950"],
    "beyond-rounds": ["1000", "9"],
    "beyond-compose": ["0", "-0.5", "0.8"],
    "beyond-parity": ["a"],
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


def test_chapters_have_five_exercises_each() -> None:
    assert chapters() == list(range(1, 11))
    assert [len(exercises(chapter)) for chapter in range(12)] == [0, *[5] * 10, 0]
    assert len({exercise.id for exercise in ALL}) == len(ALL)
    assert set(NEAR) == {exercise.id for exercise in ALL}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
def test_the_right_answer_passes_and_others_do_not(exercise: Exercise, language: str) -> None:
    verdict = check(exercise.id, exercise.answer(language), language)
    assert verdict.right, verdict.message
    for wrong in [*GARBAGE, *NEAR[exercise.id]]:
        verdict = check(exercise.id, wrong, language)
        assert not verdict.right, wrong
        assert verdict.message


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
def test_texts_differ_between_the_languages(exercise: Exercise) -> None:
    assert exercise.question["en"] != exercise.question["es"]
    assert exercise.hint["en"] != exercise.hint["es"]
    assert check(exercise.id, "?", "en").message != check(exercise.id, "?", "es").message


def test_an_unknown_exercise_or_language_is_refused() -> None:
    with pytest.raises(UsageError, match="no exercise 'riddle'; use one of seq-bag"):
        check("riddle", "1")
    with pytest.raises(UsageError, match="no exercise 'riddle'"):
        find("riddle")
    with pytest.raises(UsageError, match="does not speak 'fr'"):
        check("forget-gate", "1", "fr")
