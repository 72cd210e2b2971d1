"""The threshold that a model keeps, and the shares that it promises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from sentir.confidence import Answered, ConfidenceThreshold, wilson_interval
from sentir.errors import DataError

KEPT = ConfidenceThreshold(
    value=0.7, coverage=0.9, validation=Answered(examples=100, answered=91, correct=80)
)


@given(st.integers(1, 400), st.data())
def test_the_interval_is_wilsons(count: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, count))
    expected = binomtest(successes, count).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, count) == pytest.approx(tuple(expected), abs=1e-7)


def test_shares() -> None:
    answered = KEPT.validation
    assert (answered.coverage, answered.accuracy) == (0.91, 80 / 91)
    assert answered.accuracy_interval == wilson_interval(80, 91)
    figures = answered.figures()
    assert figures["coverage_interval"] == list(wilson_interval(91, 100))
    assert figures["accuracy_interval"] == list(wilson_interval(80, 91))
    nothing = Answered(examples=3, answered=0, correct=0)
    assert (nothing.coverage, nothing.accuracy, nothing.accuracy_interval) == (0, None, None)
    assert nothing.figures()["accuracy_interval"] is None


def test_what_reaches_the_threshold_is_answered() -> None:
    assert [KEPT.is_unsure(confidence) for confidence in (0.69, 0.7, 0.71)] == [True, False, False]


def test_it_comes_back_from_plain_data() -> None:
    assert ConfidenceThreshold.from_dict(KEPT.to_dict()) == KEPT
    all_answered = {**KEPT.to_dict(), "value": 0}
    assert ConfidenceThreshold.from_dict(all_answered).value == 0


@pytest.mark.parametrize(
    "change",
    [{"value": 1.1}, {"value": -0.1}, {"value": float("nan")}, {"value": None}, {"value": "x"},
     {"coverage": 0}, {"coverage": 1.5}, {"coverage": []}, {"validation": None}, {"other": 1},
     {"validation": {"examples": 1}},
     {"validation": {"examples": 0, "answered": 0, "correct": 0}},
     {"validation": {"examples": 2, "answered": 3, "correct": 1}},
     {"validation": {"examples": 2, "answered": 1, "correct": 2}},
     {"validation": {"examples": 2.0, "answered": 1, "correct": 1}},
     {"validation": {"examples": True, "answered": 1, "correct": 1}}],
)  # fmt: skip
def test_what_is_no_threshold_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        ConfidenceThreshold.from_dict({**KEPT.to_dict(), **change})
    with pytest.raises(DataError, match="KeyError"):
        ConfidenceThreshold.from_dict({"value": 0.5})
