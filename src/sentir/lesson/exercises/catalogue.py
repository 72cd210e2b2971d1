"""All exercises of the course: by chapter, by name, and the check of an answer."""

from __future__ import annotations

from sentir.errors import UsageError
from sentir.lesson.exercises import (
    beyond,
    gates,
    gru,
    ids,
    lstm,
    memory,
    mistakes,
    rnn,
    sequences,
    training,
)
from sentir.lesson.exercises.exercise import Exercise, Verdict
from sentir.lesson.language import check_language

#: In the order of the chapters, from 1 to 10.
_CHAPTERS = (sequences, rnn, memory, lstm, gru, ids, training, gates, mistakes, beyond)
_EXERCISES: dict[str, Exercise] = {
    exercise.id: exercise for module in _CHAPTERS for exercise in module.EXERCISES
}


def chapters() -> list[int]:
    """The chapters that end with exercises."""
    return sorted({exercise.chapter for exercise in _EXERCISES.values()})


def exercises(chapter: int) -> tuple[Exercise, ...]:
    """The exercises at the end of a chapter; an empty tuple where it has none."""
    return tuple(exercise for exercise in _EXERCISES.values() if exercise.chapter == chapter)


def find(exercise_id: str) -> Exercise:
    """The exercise of that name.

    Raises:
        UsageError: there is none.
    """
    if exercise_id not in _EXERCISES:
        names = ", ".join(_EXERCISES)
        raise UsageError(f"no exercise {exercise_id!r}", todo=f"use one of {names}")
    return _EXERCISES[exercise_id]


def check(exercise_id: str, answer: str, language: str = "en") -> Verdict:
    """Judge an answer; a wrong one gets a hint.

    Raises:
        UsageError: unknown exercise, or a language that the lesson has no texts in.
    """
    check_language(language)
    return find(exercise_id).judge(answer, language)
