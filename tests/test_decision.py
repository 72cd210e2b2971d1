"""A decision rule names a class; it is saved, read, and refused if it cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.forged_bundle import write_settings
from fixtures.toy_bundle import NAMES, random_texts, toy
from sentir import explain, load
from sentir.bundle import load_bundle, save_bundle
from sentir.confidence import Answered, ConfidenceThreshold
from sentir.config import Config
from sentir.decision import DecisionRule, check_optimise, decision_scores
from sentir.errors import BundleError, ConfigError, DataError
from sentir.inference.predictor import Predictor


def test_the_class_of_the_largest_weighted_probability() -> None:
    rule = DecisionRule(optimise="macro-f1", weights=(1.0, 3.0))
    assert rule.threshold == 0.25
    probabilities_NC = np.array([[0.8, 0.2], [0.7, 0.3]])
    scores_NC = decision_scores(probabilities_NC, rule)
    assert scores_NC.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(scores_NC.sum(axis=1), 1)
    np.testing.assert_array_equal(decision_scores(probabilities_NC[1], rule), scores_NC[1])
    assert decision_scores(probabilities_NC, None) is probabilities_NC


def test_a_rule_in_words() -> None:
    two = DecisionRule(optimise="accuracy", weights=(1.0, 3.0))
    assert two.describe(NAMES[2]) == "positive from a probability of 0.250 on"
    three = DecisionRule(optimise="accuracy", weights=(1.0, 3.0, 0.5))
    assert three.threshold is None
    assert three.describe(NAMES[3]) == (
        "the largest probability, multiplied for negative by 1, neutral by 3, positive by 0.5"
    )


@given(st.integers(3, 8), st.integers(0, 2**32))
def test_the_median_is_the_class_of_least_expected_distance(classes: int, seed: int) -> None:
    rule = DecisionRule(optimise="mae", weights=(1.0,) * classes)
    probabilities_NC = np.random.default_rng(seed).dirichlet(np.full(classes, 0.5), 10)
    scores_NC = decision_scores(probabilities_NC, rule)
    np.testing.assert_allclose(scores_NC.sum(axis=1), 1)
    distances_CC = np.abs(np.arange(classes)[:, None] - np.arange(classes))
    least_N = (probabilities_NC @ distances_CC).argmin(axis=1)
    assert scores_NC.argmax(axis=1).tolist() == least_N.tolist()


def test_the_median_in_words_and_for_ordered_classes_only() -> None:
    rule = DecisionRule(optimise="mae", weights=(1.0, 1.0, 1.0))
    assert rule.describe(["1", "2", "3"]).startswith("the median")
    check_optimise("mae", ["1", "2", "3"])
    for names in (["negative", "neutral", "positive"], ["1", "2"], ["3", "2", "1"]):
        with pytest.raises(ConfigError, match="are not ordered; take likeliest, or name three"):
            check_optimise("mae", names)


@pytest.mark.parametrize("engine", ["onnx", "numba"])
def test_a_model_answers_with_the_median(tmp_path: Path, engine: str) -> None:
    bundle, texts = toy(classes=3), random_texts(30)
    rule = DecisionRule(optimise="mae", weights=(1.0, 1.0, 1.0))
    save_bundle(replace(bundle, decision=rule), tmp_path / "model")
    ruled = load(tmp_path / "model", engine)
    assert ruled.bundle.decision == rule
    probabilities_NC = ruled.predict_proba(texts)
    medians = (probabilities_NC.cumsum(axis=1) < 0.5).sum(axis=1).tolist()
    assert medians != probabilities_NC.argmax(axis=1).tolist()
    assert [ruled.labels.index(answer.label) for answer in ruled.predict(texts)] == medians
    assert ruled.predict_one(texts[0]).label == ruled.labels[medians[0]]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("engine", ["onnx", "numba"])
def test_a_model_answers_by_its_rule(tmp_path: Path, classes: int, engine: str) -> None:
    """Everywhere the same label, and the probabilities as without a rule."""
    bundle, texts = toy(classes=classes), random_texts(30)
    rule = DecisionRule(optimise="macro-f1", weights=tuple([1.0] * (classes - 1) + [200.0]))
    save_bundle(replace(bundle, decision=rule), tmp_path / "model")
    plain, ruled = Predictor(bundle, engine), load(tmp_path / "model", engine)
    assert ruled.bundle.decision == rule
    probabilities_NC = ruled.predict_proba(texts)
    np.testing.assert_allclose(probabilities_NC, plain.predict_proba(texts), atol=1e-6)
    answers = ruled.predict(texts)
    named = [ruled.labels.index(answer.label) for answer in answers]
    assert named == (probabilities_NC * rule.weights).argmax(axis=1).tolist()
    assert named != [plain.labels.index(answer.label) for answer in plain.predict(texts)]
    for row, answer in enumerate(answers):
        assert answer.probability == pytest.approx(probabilities_NC[row, named[row]], abs=1e-6)
        assert ruled.predict_one(texts[row]).label == answer.label
    changed = next(row for row in range(30) if named[row] != probabilities_NC[row].argmax())
    explanation = explain(ruled, texts[changed])
    assert explanation.prediction == answers[changed].label
    assert explanation.probability == pytest.approx(answers[changed].probability, abs=1e-5)


def test_confidence_is_that_in_the_class_that_is_named() -> None:
    """Else a rare class would be named, and always be unsure."""
    rule = DecisionRule(optimise="macro-f1", weights=(1.0, 9.0))
    threshold = ConfidenceThreshold(
        value=0.7, coverage=0.9, validation=Answered(examples=10, answered=9, correct=9)
    )
    predictor = Predictor(replace(toy(), decision=rule, threshold=threshold))
    answer = predictor.likeliest(np.array([0.7, 0.3]))
    assert answer == ("positive", 0.3)
    assert not answer.unsure
    assert predictor.likeliest(np.array([0.85, 0.15])).unsure
    assert predictor.likeliest(np.array([0.99, 0.01])) == ("negative", 0.99)


@pytest.mark.parametrize(
    "rule",
    [
        {"optimise": "macro-f1"},
        {"optimise": "macro-f1", "weights": [1.0]},
        {"optimise": "macro-f1", "weights": [1.0, 2.0, 3.0]},
        {"optimise": "macro-f1", "weights": [1.0, -2.0]},
        {"optimise": "macro-f1", "weights": [1.0, 0]},
        {"optimise": "macro-f1", "weights": [1.0, float("nan")]},
        {"optimise": "macro-f1", "weights": [1.0, 1e999]},
        {"optimise": "macro-f1", "weights": ["x", 1]},
        {"optimise": 7, "weights": [1.0, 1.0]},
        {"optimise": "macro-f1", "weights": [1.0, 1.0], "more": 1},
        {"optimise": "macro-f1", "weights": None},
        [1.0, 2.0],
    ],
)
def test_what_is_no_rule_is_refused(tmp_path: Path, rule: Any) -> None:
    with pytest.raises(DataError):
        DecisionRule.from_dict(rule, classes=2)
    save_bundle(toy(), tmp_path / "model")
    write_settings(tmp_path / "model", decision=rule)
    with pytest.raises(BundleError, match="do not fit"):
        load_bundle(tmp_path / "model")


def test_aims() -> None:
    for aim in ("likeliest", "accuracy", "macro-f1", "recall:a:b"):
        check_optimise(aim, ["a:b", "c"])
        assert Config().override({"optimise": aim}).train.optimise == aim
    for aim in ("f1", "recall", "recall:", "", "recall a"):
        with pytest.raises(
            ConfigError, match="take likeliest, accuracy, macro-f1, mae, or recall:"
        ):
            check_optimise(aim)
        with pytest.raises(ConfigError, match=r"train\.optimise.*take likeliest"):
            Config().override({"optimise": aim})
    with pytest.raises(ConfigError, match="no class 'b'; take one of a, c"):
        check_optimise("recall:b", ["a", "c"])
