from __future__ import annotations

import math
import re

import pytest

from sentir.errors import UsageError
from sentir.lesson.step.step import step
from sentir.lesson.step.text import lines, number


def squashed(gate_sum: float, activation: str) -> float:
    return math.tanh(gate_sum) if activation == "tanh" else 1 / (1 + math.exp(-gate_sum))


def test_every_line_of_arithmetic_is_true() -> None:
    """The left side of each = is computed and compared with the right side."""
    arithmetic = [line.split("  (")[0] for line in lines(step(), "en") if line.startswith("  ")]
    checked = 0
    for line in arithmetic:
        left, right = line.replace("−", "-").split(" = ")[-2:]
        if re.fullmatch(r"-?[\d.]+", right) and not re.search("[A-Zw]", left):
            python = left.removeprefix("    = ").replace(" · ", "*").replace("σ", "sigma")
            value = eval(python, {"sigma": lambda s: squashed(s, "sigmoid"), "tanh": math.tanh})
            assert value == pytest.approx(float(right), abs=2e-4), line
            checked += 1
    assert checked == 8


def test_spanish_lines_have_the_same_numbers_with_a_comma() -> None:
    english, spanish = (
        [line for line in lines(step(), language) if line.startswith("    =")]
        for language in ("en", "es")
    )
    assert spanish == [line.replace(".", ",") for line in english]
    assert lines(step(), "es")[0].startswith("Antes: entrada x = (1; 0,5), estado oculto h = 0,5,")


def test_the_words_are_in_the_language() -> None:
    assert any("Forget gate" in line for line in lines(step(), "en"))
    assert any("Puerta de olvido" in line for line in lines(step(), "es"))
    with pytest.raises(UsageError, match="does not speak 'la'"):
        lines(step(), "la")


@pytest.mark.parametrize(
    ("value", "written"), [(0.5, "0.5"), (-1.0, "−1"), (-0.00001, "0"), (0.12345, "0.1235")]
)
def test_numbers_are_short(value: float, written: str) -> None:
    assert number(value) == written
