"""Metrics of ordered classes are those of their definitions and of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from sentir.evaluation.metrics import Metrics, measure
from sentir.evaluation.ordinal import mean_absolute_error, quadratic_kappa
from sentir.evaluation.tables import render_metrics

STARS = ["1", "2", "3", "4", "5"]


def of_stars(predicted_N: list[int], labels_N: list[int], names: list[str] = STARS) -> Metrics:
    """The metrics of certain predictions, both given as places of the classes."""
    return measure(np.eye(len(names))[predicted_N], np.array(labels_N), names)


def test_by_hand() -> None:
    metrics = of_stars([0, 2, 2, 4], [0, 1, 4, 4])
    assert metrics.mean_absolute_error == pytest.approx((0 + 1 + 2 + 0) / 4)
    # Squares of 0, 1, 4 and 0 against those of all 16 pairs of a label and a prediction.
    by_chance = sum((p - t) ** 2 for p in (0, 2, 2, 4) for t in (0, 1, 4, 4)) / 4
    assert metrics.quadratic_kappa == pytest.approx(1 - 5 / by_chance)


@given(st.integers(3, 6), st.integers(1, 40), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_they_are_those_of_scikit_learn(classes: int, examples: int, seed: int) -> None:
    from sklearn.metrics import cohen_kappa_score
    from sklearn.metrics import mean_absolute_error as expected_error

    random = np.random.default_rng(seed)
    labels_N = random.integers(0, classes, examples)
    labels_N[0] = 0
    predicted_N = np.clip(labels_N + random.integers(-2, 3, examples), 0, classes - 1)
    predicted_N[0] = 1  # so that neither kappa divides by 0
    confusion_CC = np.zeros((classes, classes), int)
    np.add.at(confusion_CC, (labels_N, predicted_N), 1)
    assert mean_absolute_error(confusion_CC) == pytest.approx(expected_error(labels_N, predicted_N))
    expected = cohen_kappa_score(labels_N, predicted_N, labels=range(classes), weights="quadratic")
    assert quadratic_kappa(confusion_CC) == pytest.approx(expected)


def test_always_predicting_one_class_is_chance() -> None:
    assert of_stars([4] * 10, [4] * 9 + [0]).quadratic_kappa == pytest.approx(0)


def test_where_chance_is_perfect_there_is_no_kappa() -> None:
    metrics = of_stars([3, 3], [3, 3])
    assert (metrics.mean_absolute_error, metrics.quadratic_kappa) == (0, None)


@pytest.mark.parametrize("names", [["bad", "fair", "good"], ["1", "2"]])
def test_classes_without_an_order_have_neither(names: list[str]) -> None:
    metrics = of_stars([0, 1], [1, 1], names)
    assert metrics.mean_absolute_error is metrics.quadratic_kappa is None
    assert metrics.derived() == {"majority_share": 1.0}


def test_they_follow_from_what_is_saved() -> None:
    metrics = of_stars([0, 2, 2, 4], [0, 1, 4, 4])
    again = Metrics.from_dict(metrics.to_dict())
    assert again.derived() == metrics.derived()
    assert set(again.derived()) == {"majority_share", "mean_absolute_error", "quadratic_kappa"}


@pytest.mark.parametrize(("names", "is_shown"), [(STARS, True), (list("abcde"), False)])
def test_only_ordered_classes_have_rows_of_them(names: list[str], is_shown: bool) -> None:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(render_metrics(of_stars([0, 2], [0, 1], names), "test"))
    for name in ("mean absolute error (classes)", "quadratic weighted kappa"):
        assert (name in captured.get()) is is_shown
