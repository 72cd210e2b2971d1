"""Questions at the end of a chapter, and what judges the answers.

An answer is a text: a number, a letter, or weights gate by gate. What is right is computed by the
package when it is asked for, never written down; an exercise that has many solutions is judged by
running the cell on the weights that were given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sentir.errors import UsageError
from sentir.lesson.language import tr

Texts = Mapping[str, str]
#: One unit's weights by gate: those of the inputs, of the hidden state, and the bias.
Given = dict[str, tuple[float, ...]]


class Verdict(NamedTuple):
    """Whether the answer is right, and what is said about it."""

    right: bool
    message: str


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A question with its judge.

    Attributes:
        id: its name on the command line.
        chapter: of the course, at whose end it stands.
        question, hint: in each language.
        answer: the right answer in a language, or one of them.
        judge: what it says of an answer in a language.
    """

    id: str
    chapter: int
    question: Texts
    hint: Texts
    answer: Callable[[str], str]
    judge: Callable[[str, str], Verdict]


_RIGHT = {"en": "Right: {}.", "es": "Correcto: {}."}
_NO_NUMBER = {
    "en": "That is no number; answer with one, such as 0.25 or 40 %.",
    "es": "Eso no es un número; responda con uno, como 0.25 o 40 %.",
}
_NO_LETTER = {"en": "Answer with one letter: {}.", "es": "Responda con una letra: {}."}
_NO_WEIGHTS = {
    "en": "Give the weights gate by gate, as in: {}",
    "es": "Dé los pesos puerta por puerta, como en: {}",
}
_NAMES = {
    "forget": "forget", "input": "input", "candidate": "candidate", "output": "output",
    "olvido": "forget", "entrada": "input", "candidato": "candidate", "salida": "output",
}  # fmt: skip
#: Whoever means infinity by a weight is told no: the cell would compute with it.
_LARGEST = 1000.0


def numeric(
    id: str,
    chapter: int,
    *,
    question: Texts,
    hint: Texts,
    value: Callable[[str], float],
    within: float = 0.01,
    places: int = 2,
    slips: tuple[tuple[Callable[[], float], Texts], ...] = (),
) -> Exercise:
    """A question that a number answers.

    Args:
        id, chapter, question, hint: as in `Exercise`.
        value: computes the answer, for a language.
        within: how far off an answer may be.
        places: as many as the answer is shown with.
        slips: what one gets by an error that is easily made, and what is then said.
    """

    def judge(answer: str, language: str) -> Verdict:
        given = _number(answer)
        if given is None:
            return Verdict(False, tr(_NO_NUMBER, language))
        right = value(language)
        if abs(given - right) <= within * 1.0001:  # 0.79 is within 0.01 of 0.78, in binary too
            return Verdict(True, tr(_RIGHT, language).format(f"{right:.{places}f}"))
        for slip, text in slips:
            if abs(given - slip()) <= within:
                return Verdict(False, tr(text, language))
        return Verdict(False, tr(hint, language))

    return Exercise(
        id=id, chapter=chapter, question=question, hint=hint, judge=judge,
        answer=lambda language: f"{value(language):.{places}f}",
    )  # fmt: skip


def choice(
    id: str,
    chapter: int,
    *,
    question: Texts,
    options: Mapping[str, tuple[str, ...]],
    hint: Texts,
    right: Callable[[], int],
) -> Exercise:
    """A question with options a, b, c; `right` computes the place of the right one."""
    letters = "abcdefgh"[: len(options["en"])]

    def judge(answer: str, language: str) -> Verdict:
        given = answer.strip().strip(".)").lower()
        if len(given) != 1 or given not in letters:
            return Verdict(False, tr(_NO_LETTER, language).format(", ".join(letters)))
        if given != letters[right()]:
            return Verdict(False, tr(hint, language))
        return Verdict(True, tr(_RIGHT, language).format(tr(options, language)[right()]))

    def asked(language: str) -> str:
        listed = zip(letters, tr(options, language), strict=True)
        return "\n".join([tr(question, language), *(f"  {at}) {text}" for at, text in listed)])

    return Exercise(
        id=id, chapter=chapter, question={name: asked(name) for name in options}, hint=hint,
        judge=judge, answer=lambda language: letters[right()],
    )  # fmt: skip


def weights(
    id: str,
    chapter: int,
    *,
    question: Texts,
    hint: Texts,
    gates: tuple[str, ...],
    count: int,
    example: Texts,
    done: Texts,
    run: Callable[[Given], Texts | None],
) -> Exercise:
    """A question that weights answer: `run` tries them and gives None, or what went wrong.

    Args:
        id, chapter, question, hint: as in `Exercise`.
        gates: those to be given; none for a plain cell, whose weights have no names.
        count: numbers a gate.
        example: a right answer.
        done: what is said of one.
        run: reads sequences with the weights.
    """

    def judge(answer: str, language: str) -> Verdict:
        given = _gates(answer, gates, count)
        if given is None:
            form = tr(_form(gates, count), language)
            return Verdict(False, tr(_NO_WEIGHTS, language).format(form))
        wrong = run(given)
        if wrong is not None:
            return Verdict(False, f"{tr(wrong, language)} {tr(hint, language)}")
        return Verdict(True, tr(_RIGHT, language).format(tr(done, language)))

    return Exercise(
        id=id, chapter=chapter, question=question, hint=hint, judge=judge,
        answer=lambda language: tr(example, language),
    )  # fmt: skip


def exercises(chapter: int) -> tuple[Exercise, ...]:
    """The questions at the end of a chapter; none where it has none."""
    return tuple(one for one in _all().values() if one.chapter == chapter)


def find(exercise_id: str) -> Exercise:
    """The exercise of that name.

    Raises:
        UsageError: there is none.
    """
    if exercise_id not in _all():
        raise UsageError(f"no exercise {exercise_id!r}", todo=f"use one of {', '.join(_all())}")
    return _all()[exercise_id]


def check(exercise_id: str, answer: str, language: str = "en") -> Verdict:
    """Whether an answer is right, and a hint if it is not.

    Raises:
        UsageError: no such exercise, or a language the lesson does not speak.
    """
    tr(_RIGHT, language)  # refused even where nothing would be said
    return find(exercise_id).judge(answer, language)


def _all() -> dict[str, Exercise]:
    from sentir.lesson.exercises import lstm, memory, rnn

    parts = (rnn.EXERCISES, memory.EXERCISES, lstm.EXERCISES)
    return {one.id: one for part in parts for one in part}


def _number(answer: str) -> float | None:
    """A number as people write it: comma or point, real minus, a share or a percentage."""
    written = answer.strip().replace("−", "-").replace(",", ".")
    found = re.fullmatch(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(%?)", written)
    if found is None:
        return None
    return float(found[1]) / (100 if found[2] else 1)


def _gates(answer: str, gates: tuple[str, ...], count: int) -> Given | None:
    """Weights by gate; None where any is missing, too much, or out of all bounds."""
    parts = [part for part in re.split(r"[;\n]", answer) if part.strip()]
    given: Given = {}
    for part in parts:
        name, _, rest = part.rpartition(":") if gates else ("", "", part)
        gate = _NAMES.get(name.strip().lower()) if gates else ""
        numbers = [_number(each) for each in re.split(r"[,\s]+", rest.strip())]
        if gate is None or gate in given or len(numbers) != count:
            return None
        given[gate] = tuple(each for each in numbers if each is not None)
        if len(given[gate]) != count or any(abs(each) > _LARGEST for each in given[gate]):
            return None
    return given if set(given) == set(gates or ("",)) else None


def _form(gates: tuple[str, ...], count: int) -> Texts:
    """An answer of the right form that is not right."""
    zeros = ", ".join(["0"] * count)
    spanish = {english: name for name, english in list(_NAMES.items())[4:]}
    return {
        "en": "; ".join(f"{gate}: {zeros}" for gate in gates) or zeros,
        "es": "; ".join(f"{spanish[gate]}: {zeros}" for gate in gates) or zeros,
    }
