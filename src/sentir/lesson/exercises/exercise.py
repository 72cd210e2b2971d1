"""An exercise and the three kinds of answer: a number, a letter, or weights gate by gate.

The right answer is always computed by the package, never typed in. An exercise with many solutions
is judged by running the cell with the weights of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sentir.lesson.language import localized, tr

Texts = Mapping[str, str]
#: One unit's weights by gate: those of the inputs, of the hidden state, and the bias.
UnitWeights = dict[str, tuple[float, ...]]


class Verdict(NamedTuple):
    """Whether an answer is right, and the message for the student."""

    right: bool
    message: str


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A question and how its answers are judged.

    Attributes:
        id: its name on the command line.
        chapter: the chapter of the course that ends with it.
        question, hint: the texts by language.
        answer: gives a right answer in a language.
        judge: takes an answer and a language, gives the verdict.
    """

    id: str
    chapter: int
    question: Texts
    hint: Texts
    answer: Callable[[str], str]
    judge: Callable[[str, str], Verdict]


RIGHT = {"en": "Right: {}.", "es": "Correcto: {}."}
_NO_NUMBER = {
    "en": "That is not a number; answer with one, such as 0.25 or 40 %.",
    "es": "Eso no es un número; responda con uno, como 0,25 o 40 %.",
}
_NO_LETTER = {"en": "Answer with one letter: {}.", "es": "Responda con una letra: {}."}
_NO_WEIGHTS = {
    "en": "Give the weights gate by gate, in this form: {}",
    "es": "Escriba los pesos puerta por puerta, con esta forma: {}",
}
#: Names of the gates in both languages; the Spanish ones come last.
_GATE_NAMES = {
    "forget": "forget", "input": "input", "candidate": "candidate", "output": "output",
    "olvido": "forget", "entrada": "input", "candidato": "candidate", "salida": "output",
}  # fmt: skip
#: The largest weight accepted; with larger ones the cell would overflow.
_MAX_WEIGHT = 1000.0


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
    """An exercise whose answer is a number.

    Args:
        id, chapter, question, hint: as in `Exercise`.
        value: computes the right answer, for a language.
        within: the largest error that still counts as right.
        places: decimals with which the answer is shown.
        slips: results of common mistakes, each with the message that names the mistake.
    """

    def shown(language: str) -> str:
        return localized(f"{value(language):.{places}f}", language)

    def judge(answer: str, language: str) -> Verdict:
        number = _number(answer)
        if number is None:
            return Verdict(False, tr(_NO_NUMBER, language))
        # The factor makes 0.79 count as within 0.01 of 0.78 despite binary rounding.
        if abs(number - value(language)) <= within * 1.0001:
            return Verdict(True, tr(RIGHT, language).format(shown(language)))
        for slip, text in slips:
            if abs(number - slip()) <= within:
                return Verdict(False, tr(text, language))
        return Verdict(False, tr(hint, language))

    return Exercise(
        id=id, chapter=chapter, question=question, hint=hint, judge=judge, answer=shown
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
    """An exercise with options a, b, c; `right` computes the index of the right one."""
    letters = "abcdefgh"[: len(options["en"])]

    def judge(answer: str, language: str) -> Verdict:
        letter = answer.strip().strip(".)").lower()
        if len(letter) != 1 or letter not in letters:
            return Verdict(False, tr(_NO_LETTER, language).format(", ".join(letters)))
        if letter != letters[right()]:
            return Verdict(False, tr(hint, language))
        return Verdict(True, tr(RIGHT, language).format(tr(options, language)[right()]))

    def with_options(language: str) -> str:
        listed = zip(letters, tr(options, language), strict=True)
        lines = [f"  {letter}) {text}" for letter, text in listed]
        return "\n".join([tr(question, language), *lines])

    return Exercise(
        id=id, chapter=chapter, question={name: with_options(name) for name in options}, hint=hint,
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
    run: Callable[[UnitWeights], Texts | None],
) -> Exercise:
    """An exercise whose answer is weights; `run` tries them and returns None or what went wrong.

    Args:
        id, chapter, question, hint: as in `Exercise`.
        gates: the gates to set; none for a plain cell, whose weights have no names.
        count: numbers per gate.
        example: a right answer.
        done: the message for a right answer.
        run: reads sequences with the weights.
    """

    def judge(answer: str, language: str) -> Verdict:
        unit = _unit_weights(answer, gates, count)
        if unit is None:
            form = tr(_form(gates, count), language)
            return Verdict(False, tr(_NO_WEIGHTS, language).format(form))
        failure = run(unit)
        if failure is not None:
            return Verdict(False, f"{tr(failure, language)} {tr(hint, language)}")
        return Verdict(True, tr(RIGHT, language).format(tr(done, language)))

    return Exercise(
        id=id, chapter=chapter, question=question, hint=hint, judge=judge,
        answer=lambda language: tr(example, language),
    )  # fmt: skip


def _number(text: str) -> float | None:
    """A number as people write it: comma or point, real minus, a share or a percentage."""
    plain = text.strip().replace("−", "-").replace(",", ".")
    match = re.fullmatch(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(%?)", plain)
    if match is None:
        return None
    return float(match[1]) / (100 if match[2] else 1)


def _unit_weights(answer: str, gates: tuple[str, ...], count: int) -> UnitWeights | None:
    """Weights by gate; None where one is missing, superfluous or too large."""
    unit: UnitWeights = {}
    for part in re.split(r"[;\n]", answer):
        if not part.strip():
            continue
        name, _, values = part.rpartition(":") if gates else ("", "", part)
        gate = _GATE_NAMES.get(name.strip().lower()) if gates else ""
        numbers = [_number(text) for text in re.split(r"[,\s]+", values.strip())]
        if gate is None or gate in unit or len(numbers) != count:
            return None
        unit[gate] = tuple(number for number in numbers if number is not None)
        if len(unit[gate]) != count or any(abs(number) > _MAX_WEIGHT for number in unit[gate]):
            return None
    return unit if set(unit) == set(gates or ("",)) else None


def _form(gates: tuple[str, ...], count: int) -> Texts:
    """The form of an answer, filled with zeros."""
    zeros = ", ".join(["0"] * count)
    spanish = {english: name for name, english in list(_GATE_NAMES.items())[4:]}
    return {
        "en": "; ".join(f"{gate}: {zeros}" for gate in gates) or zeros,
        "es": "; ".join(f"{spanish[gate]}: {zeros}" for gate in gates) or zeros,
    }
