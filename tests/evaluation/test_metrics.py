"""Metrics are those of their definitions and of scikit-learn."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentir.errors import DataError, UsageError
from sentir.evaluation.metrics import (
    Metrics,
    measure,
    perplexity,
    warn_of_imbalance,
)

NAMES = ["negative", "positive"]
# Three right, one wrong (the last: a positive called negative).
FOUR = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
FOUR_LABELS = np.array([0, 1, 0, 1])


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, list[str]]:
    examples, n_classes = draw(st.integers(1, 30)), draw(st.integers(2, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    probabilities = random.dirichlet(np.full(n_classes, 0.4), examples)
    labels = random.integers(0, draw(st.integers(1, n_classes)), examples)
    return probabilities, labels, [f"class {c}" for c in range(n_classes)]


def test_four_answers_by_hand() -> None:
    metrics = measure(FOUR, FOUR_LABELS, NAMES)
    negative, positive = metrics.classes
    assert metrics.examples == 4
    assert metrics.loss == pytest.approx(-math.log(0.9 * 0.8 * 0.6 * 0.3) / 4)
    assert metrics.accuracy == 0.75
    assert (negative.precision, negative.recall) == pytest.approx((2 / 3, 1.0))
    assert (positive.precision, positive.recall) == pytest.approx((1.0, 0.5))
    assert (negative.f1, positive.f1) == pytest.approx((0.8, 2 / 3))
    assert metrics.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert (negative.support, positive.support) == (2, 2)
    assert metrics.confusion == ((2, 0), (1, 1))
    # Of the four pairs of a positive and a negative, one (0.3 against 0.4) is the wrong way round.
    assert metrics.auc == pytest.approx(0.75)
    # Each answer has a bin of its own: |1 - 0.9|, |1 - 0.8|, |1 - 0.6| and |0 - 0.7|.
    assert metrics.calibration_error == pytest.approx((0.1 + 0.2 + 0.4 + 0.7) / 4)


def test_reliability_bins_hold_every_answer_once() -> None:
    metrics = measure(np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]), np.array([0, 1, 0]), NAMES)
    assert len(metrics.reliability) == 15
    counts = {(part.low, part.high): part.count for part in metrics.reliability if part.count}
    assert counts == {(7 / 15, 8 / 15): 1, (14 / 15, 1.0): 2}
    full = metrics.reliability[14]
    assert (full.confidence, full.accuracy) == (1.0, 0.5)
    assert metrics.reliability[0].confidence is metrics.reliability[0].accuracy is None


def test_three_classes_by_hand() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.5, 0.4, 0.1]])
    metrics = measure(probabilities, np.array([0, 1, 2, 1]), ["a", "b", "c"])
    assert metrics.confusion == ((1, 0, 0), (1, 1, 0), (0, 0, 1))
    assert metrics.auc == pytest.approx(1.0)
    assert metrics.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_a_certain_mistake_costs_a_finite_loss() -> None:
    metrics = measure(np.array([[1.0, 0.0]]), np.array([1]), NAMES)
    assert metrics.loss == pytest.approx(-math.log(1e-12))
    assert (metrics.accuracy, metrics.auc, metrics.macro_f1) == (0.0, None, 0.0)


def test_one_class_only_has_no_area_and_gives_no_warning() -> None:
    metrics = measure(FOUR, np.zeros(4, dtype=int), NAMES)
    assert metrics.auc is None
    assert metrics.classes[1].support == 0


def test_half_precision_rows_are_accepted() -> None:
    rows = np.array([[0.3335, 0.3335, 0.3335], [0.1, 0.2, 0.7]], dtype=np.float16)
    assert measure(rows, np.array([0, 2]), ["a", "b", "c"]).accuracy == 1.0


@given(answers(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_properties(case: tuple[np.ndarray, np.ndarray, list[str]], random) -> None:
    probabilities, labels, names = case
    metrics = measure(probabilities, labels, names)
    order = list(range(len(labels)))
    random.shuffle(order)
    shuffled = measure(probabilities[order], labels[order], names)
    assert shuffled.confusion == metrics.confusion
    assert shuffled.auc == pytest.approx(metrics.auc)
    assert shuffled.loss == pytest.approx(metrics.loss)
    assert shuffled.calibration_error == pytest.approx(metrics.calibration_error)
    assert [sum(row) for row in metrics.confusion] == [part.support for part in metrics.classes]
    assert sum(part.count for part in metrics.reliability) == metrics.examples
    assert 0 <= metrics.calibration_error <= 1
    assert Metrics.from_dict(json.loads(json.dumps(metrics.to_dict(), allow_nan=False))) == metrics

    perfect = measure(np.eye(len(names))[labels], labels, names)
    assert (perfect.accuracy, perfect.macro_f1, perfect.calibration_error) == (1, 1, 0)
    assert perfect.loss == 0
    assert perfect.auc in (1, None)


@given(answers(), st.booleans())
@settings(max_examples=25, deadline=None)
def test_figures_are_those_of_scikit_learn(
    case: tuple[np.ndarray, np.ndarray, list[str]], ties: bool
) -> None:
    from sklearn import metrics as sklearn

    probabilities_NC, labels_N, names = case
    if ties:  # only two different scores per class
        probabilities_NC = np.eye(len(names))[probabilities_NC.argmax(axis=1)] / 2
        probabilities_NC += 0.5 / len(names)
    actual = measure(probabilities_NC, labels_N, names)
    predicted_N, classes = probabilities_NC.argmax(axis=1), range(len(names))
    by_class = sklearn.precision_recall_fscore_support(
        labels_N, predicted_N, labels=classes, zero_division=0.0
    )
    for name, expected_C in zip(("precision", "recall", "f1", "support"), by_class, strict=True):
        assert [getattr(row, name) for row in actual.classes] == pytest.approx(expected_C.tolist())
    assert actual.macro_f1 == pytest.approx(
        sklearn.f1_score(labels_N, predicted_N, average="macro", zero_division=0.0)
    )
    expected_CC = sklearn.confusion_matrix(labels_N, predicted_N, labels=classes)
    assert np.array_equal(actual.confusion, expected_CC)
    if actual.auc is not None:
        curves = [1] if len(names) == 2 else classes
        assert actual.auc == pytest.approx(
            np.mean([sklearn.roc_auc_score(labels_N == c, probabilities_NC[:, c]) for c in curves])
        )


@pytest.mark.parametrize(
    ("probabilities", "labels", "names", "error", "message"),
    [
        (FOUR, FOUR_LABELS[:3], NAMES, UsageError, r"shapes \(4, 2\) and \(3,\)"),
        (FOUR[:, 0], FOUR_LABELS, NAMES, UsageError, "shapes"),
        (FOUR[:, :1], FOUR_LABELS, ["one"], UsageError, "two or more"),
        (FOUR, FOUR_LABELS, ["a"], UsageError, "one name for each class"),
        (FOUR, FOUR_LABELS, "ab", UsageError, "one name for each class"),
        (FOUR, FOUR_LABELS.astype(float), NAMES, UsageError, "labels of type float64"),
        (FOUR, np.array([0, 1, 2, 0]), NAMES, DataError, "row 2: label 2 is not a class"),
        (FOUR, np.array([0, -1, 0, 0]), NAMES, DataError, "row 1: label -1"),
        (FOUR * [1, 2], FOUR_LABELS, NAMES, DataError, "row 0: 0.9, 0.2 are not probabilities"),
        (np.array([[0.5, np.nan]]), np.array([0]), NAMES, DataError, "row 0: 0.5, nan"),
        (np.array([[1.5, -0.5]]), np.array([0]), NAMES, DataError, "1.5, -0.5"),
        (np.empty((0, 2)), np.empty(0, dtype=int), NAMES, DataError, "no examples"),
    ],
)
def test_errors(probabilities, labels, names, error, message) -> None:
    with pytest.raises(error, match=message):
        measure(probabilities, labels, names)


@pytest.mark.parametrize("change", [{"accuracy": None}, {"new": 1}])
def test_metrics_of_another_version_are_refused(change: dict[str, int | None]) -> None:
    plain = measure(FOUR, FOUR_LABELS, NAMES).to_dict()
    for key, value in change.items():
        plain.pop(key) if value is None else plain.update({key: value})
    with pytest.raises(DataError, match="metrics"):
        Metrics.from_dict(plain)


def test_the_share_of_the_largest_class() -> None:
    labels_N = np.array([0] * 9 + [1])
    answers_NC = np.tile([0.9, 0.1], (10, 1))
    metrics = measure(answers_NC, labels_N, ["a", "b"])
    assert metrics.majority_share == metrics.accuracy == 0.9
    assert "majority_share" not in metrics.to_dict()


@pytest.mark.parametrize(("correct", "is_warned"), [(0, True), (7, True), (8, False), (10, False)])
def test_a_rare_class_that_is_not_found_is_warned_of(
    correct: int, is_warned: bool, messages
) -> None:
    labels_N = np.array([0] * 90 + [1] * 10)
    answers_N = np.array([0] * 90 + [1] * correct + [0] * (10 - correct))
    warn_of_imbalance(measure(np.eye(2)[answers_N], labels_N, ["good", "bad"]))
    assert ("--optimise macro-f1 or --optimise 'recall:bad'" in messages.warned()) == is_warned
    assert ("of the class 'bad' only" in messages.warned()) == is_warned


def test_balanced_classes_are_not_warned_of(messages) -> None:
    labels_N = np.array([0] * 60 + [1] * 40)
    warn_of_imbalance(measure(np.eye(2)[np.zeros(100, int)], labels_N, ["good", "bad"]))
    assert not messages.warned()


def test_a_class_without_examples_is_not_warned_of(messages) -> None:
    labels_N = np.zeros(10, int)
    warn_of_imbalance(measure(np.eye(2)[labels_N], labels_N, ["good", "bad"]))
    warn_of_imbalance(measure(np.eye(2)[1 - labels_N], labels_N, ["good", "bad"]))
    assert not messages.warned()


def test_perplexity() -> None:
    assert perplexity(0.0) == 1
    assert perplexity(np.log(50)) == pytest.approx(50)
    assert np.isfinite(perplexity(1e6))
