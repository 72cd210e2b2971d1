"""The estimate is the accuracy of validation less the fall of confidence; drift is warned of."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from sentir.errors import BundleError
from sentir.evaluation.drift import Drift, Reference, measure_drift, warn_of_drift
from sentir.evaluation.metrics import measure

REFERENCE = Reference(
    examples=1000, accuracy=0.92, confidence=0.91, unknown_share=0.02, mean_length=80.0
)


def found(*, confidence: float = 0.91, count: int = 1000, unknown: int = 1600, length: int = 80):
    spread = np.where(np.arange(count) % 2, 0.05, -0.05)
    return measure_drift(
        confidence + spread, unknown=unknown, tokens=length * count, reference=REFERENCE
    )


def test_the_reference_is_what_validation_measured() -> None:
    random = np.random.default_rng(0)
    positive_N = random.uniform(size=500)
    probabilities_NC = np.stack([1 - positive_N, positive_N], axis=1)
    metrics = measure(probabilities_NC, (random.uniform(size=500) < positive_N) * 1, ["a", "b"])
    texts = {"unknown_share": 0.03, "mean_length": 70.5}
    saved = json.loads(json.dumps({"validation": metrics.to_dict(), "validation_texts": texts}))
    reference = Reference.of(saved)
    assert (reference.examples, reference.accuracy) == (500, metrics.accuracy)
    assert reference.confidence == pytest.approx(probabilities_NC.max(axis=1).mean())
    assert (reference.unknown_share, reference.mean_length) == (0.03, 70.5)
    del saved["validation_texts"]  # a model of an earlier version
    assert (Reference.of(saved).unknown_share, Reference.of(saved).mean_length) == (None, None)


@pytest.mark.parametrize(
    "metrics",
    [{}, {"validation": {}}, {"validation": None}, {"validation": {"examples": 0}},
     {"validation": {"examples": 1, "accuracy": 2, "reliability": []}},
     {"validation": {"examples": 0, "accuracy": 1, "reliability": [{"count": 1, "confidence": 1}]}},
     {"validation": {"examples": 1, "accuracy": 1, "reliability": []}, "validation_texts": 3},
     {"validation": {"examples": 1, "accuracy": 1, "reliability": []},
      "validation_texts": {"unknown_share": -1, "mean_length": 1}}],
)  # fmt: skip
def test_figures_that_are_missing_or_forged_are_refused(metrics: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match=r"metrics.json: no figures of validation"):
        Reference.of(metrics)


def test_the_estimate() -> None:
    drift = found(confidence=0.85)
    assert drift.confidence_fall == pytest.approx(0.06)
    assert drift.estimated_accuracy == pytest.approx(0.86)
    assert drift.confidence_error == pytest.approx(0.05 * np.sqrt(2 / 1000))
    assert (drift.unknown_share, drift.mean_length) == (0.02, 80)
    plain = json.loads(json.dumps(drift.to_dict()))
    assert plain["estimated_accuracy"] == drift.estimated_accuracy
    assert plain["reference"]["accuracy"] == 0.92
    assert plain["estimate_error"]["largest"] > plain["estimate_error"]["mean"] > 0


@pytest.mark.parametrize(
    ("drift", "message"),
    [(found(confidence=0.88), "mean confidence is 3.0 points lower than in validation: expect an "
      "accuracy of 89.0% instead of 92.0%"),
     (found(unknown=2500), "3.1% of the words are unknown to the model, and 2.0% in validation"),
     (found(length=30, unknown=600), "30 tokens a review, and 80 in validation"),
     (found(length=170, unknown=3400), "170 tokens a review")],
)  # fmt: skip
def test_drift_is_warned_of(drift: Drift, message: str, messages) -> None:
    warn_of_drift(drift)
    assert message in messages.warned()


@pytest.mark.parametrize(
    "drift",
    [found(), found(confidence=0.95), found(confidence=0.905), found(unknown=2300),
     found(confidence=0.88, count=10, unknown=16), found(length=41, unknown=800)],
)  # fmt: skip
def test_chance_and_small_changes_are_not(drift: Drift, messages) -> None:
    warn_of_drift(drift)
    assert not messages.warned()
