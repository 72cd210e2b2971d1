"""The rule that reaches an aim on validation reviews, against trying all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentir.decision import decision_scores
from sentir.errors import ConfigError, DataError
from sentir.evaluation.decision import fit_decision
from sentir.evaluation.metrics import Metrics, measure

NAMES = ("bad", "fair", "good")


def drawn(count: int, shares: list[float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are calibrated, of classes of different size, and labels."""
    random = np.random.default_rng(seed)
    labels_N = random.choice(len(shares), count, p=shares)
    logits_NC = random.normal(size=(count, len(shares))) + np.log(shares)
    logits_NC[np.arange(count), labels_N] += 1.5
    powers_NC = np.exp(logits_NC)
    return powers_NC / powers_NC.sum(axis=1, keepdims=True), labels_N


def measured(
    probabilities_NC: np.ndarray, labels_N: np.ndarray, optimise: str | None = None
) -> Metrics:
    names = NAMES[: probabilities_NC.shape[1]]
    rule = optimise and fit_decision(probabilities_NC, labels_N, names, optimise)
    return measure(probabilities_NC, labels_N, names, rule or None)


def aim(metrics: Metrics, optimise: str) -> float:
    return metrics.accuracy if optimise == "accuracy" else metrics.macro_f1


@pytest.mark.parametrize("optimise", ["accuracy", "macro-f1"])
@given(seed=st.integers(0, 200), count=st.integers(1, 40))
def test_of_two_classes_no_threshold_is_better(optimise: str, seed: int, count: int) -> None:
    probabilities_NC, labels_N = drawn(count, [0.8, 0.2], seed)
    reached = aim(measured(probabilities_NC, labels_N, optimise), optimise)
    places = [0, *probabilities_NC[:, 1], 1]
    for threshold in np.clip((np.sort(places)[:-1] + np.sort(places)[1:]) / 2, 1e-3, 1 - 1e-3):
        weighted_NC = probabilities_NC * [threshold, 1 - threshold]
        weighted_NC /= weighted_NC.sum(axis=1, keepdims=True)
        assert reached >= aim(measured(weighted_NC, labels_N), optimise) - 1e-9


@pytest.mark.parametrize("shares", [[0.9, 0.1], [0.1, 0.9], [0.8, 0.15, 0.05]])
def test_the_aim_is_reached_better_than_by_the_likeliest_class(shares: list[float]) -> None:
    probabilities_NC, labels_N = drawn(2000, shares)
    plain = measured(probabilities_NC, labels_N)
    assert measured(probabilities_NC, labels_N, "macro-f1").macro_f1 > plain.macro_f1 + 0.01
    assert measured(probabilities_NC, labels_N, "accuracy").accuracy >= plain.accuracy
    rare = int(np.argmin(shares))
    found = measured(probabilities_NC, labels_N, f"recall:{NAMES[rare]}")
    assert found.classes[rare].recall > plain.classes[rare].recall + 0.1
    assert found.macro_f1 >= plain.macro_f1


def test_the_least_distance_is_that_of_the_median() -> None:
    probabilities_NC, labels_N = drawn(2000, [0.3, 0.2, 0.5])
    names = ("1", "2", "3")
    rule = fit_decision(probabilities_NC, labels_N, names, "mae")
    plain, ruled = (measure(probabilities_NC, labels_N, names, r) for r in (None, rule))
    assert plain.mean_absolute_error is not None
    assert ruled.mean_absolute_error is not None
    assert ruled.mean_absolute_error < plain.mean_absolute_error - 0.01
    assert ruled.accuracy < plain.accuracy
    with pytest.raises(ConfigError, match="are not ordered"):
        fit_decision(probabilities_NC, labels_N, NAMES, "mae")


def test_probabilities_and_their_calibration_stay() -> None:
    probabilities_NC, labels_N = drawn(500, [0.9, 0.1])
    plain, ruled = (measured(probabilities_NC, labels_N, aim) for aim in (None, "macro-f1"))
    assert plain.confusion != ruled.confusion
    for name in ("loss", "auc", "calibration_error", "reliability"):
        assert getattr(plain, name) == getattr(ruled, name)


def test_what_is_best_already_stays() -> None:
    probabilities_NC = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    rule = fit_decision(probabilities_NC, np.array([0, 1, 0]), NAMES[:2], "macro-f1")
    assert rule.threshold == 0.5


def test_equal_probabilities_are_not_divided() -> None:
    probabilities_NC = np.array([[0.6, 0.4]] * 10)
    labels_N = np.array([0] * 9 + [1])
    rule = fit_decision(probabilities_NC, labels_N, NAMES[:2], "accuracy")
    assert (decision_scores(probabilities_NC, rule).argmax(axis=1) == 0).all()


def test_a_class_without_a_validation_review() -> None:
    probabilities_NC, labels_N = np.full((4, 2), 0.5), np.zeros(4, int)
    with pytest.raises(DataError, match="no validation review to find a decision rule for recall"):
        fit_decision(probabilities_NC, labels_N, NAMES[:2], "recall:fair")
    with pytest.raises(DataError, match="no validation review"):
        fit_decision(probabilities_NC[:0], labels_N[:0], NAMES[:2], "accuracy")
    with pytest.raises(ConfigError, match="no class 'good'; take one of bad, fair"):
        fit_decision(probabilities_NC, labels_N, NAMES[:2], "recall:good")
