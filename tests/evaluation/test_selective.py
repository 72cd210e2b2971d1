"""The curve is what each threshold gives, and the threshold keeps its promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from sentir.errors import DataError, SentirWarning, UsageError
from sentir.evaluation.selective import fit_threshold, measure_answered, risk_coverage


def answers(confidence_N: np.ndarray, is_correct_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of two classes and labels with these confidences, half of each class."""
    predicted_N = np.arange(len(confidence_N)) % 2
    probabilities_NC = np.empty((len(confidence_N), 2))
    rows = np.arange(len(confidence_N))
    probabilities_NC[rows, predicted_N] = confidence_N
    probabilities_NC[rows, 1 - predicted_N] = 1 - confidence_N
    return probabilities_NC, np.where(is_correct_N, predicted_N, 1 - predicted_N)


def calibrated(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are correct as often as their confidence says."""
    random = np.random.default_rng(seed)
    confidence_N = random.uniform(0.51, 1, count)
    return answers(confidence_N, random.uniform(size=count) < confidence_N)


@given(st.lists(st.tuples(st.sampled_from([0.6, 0.7, 0.8, 0.95, 1.0]), st.booleans()), min_size=1))
def test_each_point_is_what_its_threshold_gives(rows: list[tuple[float, bool]]) -> None:
    confidence_N, is_correct_N = (np.array(column) for column in zip(*rows, strict=True))
    curve = risk_coverage(*answers(confidence_N, is_correct_N))
    assert curve.thresholds_K.tolist() == sorted({*confidence_N.tolist()}, reverse=True)
    assert curve.coverage_K[-1] == 1
    for threshold, coverage, accuracy in zip(
        curve.thresholds_K, curve.coverage_K, curve.accuracy_K, strict=True
    ):
        chosen_N = confidence_N >= threshold
        assert coverage == pytest.approx(chosen_N.mean())
        assert accuracy == pytest.approx(accuracy_score([True] * chosen_N.sum(),
                                                        is_correct_N[chosen_N]))  # fmt: skip
        assert curve.accuracy_at(coverage) == accuracy


def test_the_area_is_the_mean_risk() -> None:
    curve = risk_coverage(*answers(np.array([0.9, 0.8, 0.7]), np.array([True, False, True])))
    assert curve.accuracy_K.tolist() == [1, 1 / 2, 2 / 3]
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    assert [curve.accuracy_at(share) for share in (0.1, 0.5, 1)] == [1, 1 / 2, 2 / 3]


def test_the_expected_coverage_is_at_least_what_was_asked_for() -> None:
    """Over many small validation sets: a threshold of the plain quantile would cover less."""
    random, covered = np.random.default_rng(0), []
    for _ in range(1500):
        confidence_N = random.uniform(0.51, 1, 25)
        value = fit_threshold(*answers(confidence_N, np.ones(25, bool)), 0.8).value
        covered.append((1 - value) / 0.49)
    # (25 + 1) * 0.2 = 5.2: the fifth lowest, which covers 21 / 26 on average.
    assert np.mean(covered) == pytest.approx(21 / 26, abs=0.004)


def test_the_accuracy_over_the_answered_keeps_its_interval() -> None:
    inside = 0
    test_NC, labels_N = calibrated(50_000, seed=10_000)
    for seed in range(200):
        threshold = fit_threshold(*calibrated(300, seed), 0.7)
        low, high = threshold.validation.accuracy_interval or (0, 0)
        true = measure_answered(test_NC, labels_N, threshold).accuracy
        assert true is not None
        inside += low <= true <= high
    assert inside / 200 >= 0.92


def test_the_share_of_validation() -> None:
    probabilities_NC, labels_N = calibrated(999)
    threshold = fit_threshold(probabilities_NC, labels_N, 0.9)
    assert threshold.validation.answered == 900  # 999 - 100 + 1: the hundredth lowest is answered
    assert measure_answered(probabilities_NC, labels_N, threshold) == threshold.validation
    everything = fit_threshold(probabilities_NC, labels_N, 1)
    assert (everything.value, everything.validation.coverage) == (0, 1)


def test_three_classes() -> None:
    probabilities_NC = np.array([[0.2, 0.3, 0.5], [0.8, 0.1, 0.1], [0.1, 0.9, 0]])
    threshold = fit_threshold(probabilities_NC, np.array([1, 0, 1]), 0.5)
    assert (threshold.value, threshold.validation.answered) == (0.8, 2)
    assert threshold.validation.correct == 2


@pytest.mark.parametrize("coverage", [0, -0.1, 1.01, float("nan")])
def test_a_coverage_out_of_range_is_refused(coverage: float) -> None:
    with pytest.raises(UsageError, match=r"a coverage of .*; give a share above 0"):
        fit_threshold(*calibrated(10), coverage)


def test_too_few_reviews_or_equal_confidences_are_warned_of() -> None:
    with pytest.warns(SentirWarning, match=r"8 reviews are too few .* give 9 or more"):
        assert fit_threshold(*calibrated(8), 0.9).value == 0
    assert fit_threshold(*calibrated(9), 0.9).value > 0
    same = answers(np.full(100, 0.75), np.ones(100, bool))
    with pytest.warns(SentirWarning, match=r"same confidence of 0.7500, so 100.0% are answered"):
        assert fit_threshold(*same, 0.9).value == 0.75


def test_no_reviews_are_refused() -> None:
    with pytest.raises(DataError, match="no examples"):
        risk_coverage(np.empty((0, 2)), np.empty(0, int))
