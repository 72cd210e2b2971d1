"""What the plots of the report say; how they look in a page is in test_report.py."""

from __future__ import annotations

import numpy as np
import pytest

from sentir.evaluation.metrics import measure
from sentir.evaluation.plots import (
    draw_coverage,
    draw_learning_rate,
    draw_lengths,
    draw_loss,
    draw_reliability,
    draw_roc,
)

HISTORY = [
    {"event": "step", "step": step, "loss": 1 / step, "learning_rate": 0.004 / step}
    for step in range(1, 200)
] + [
    {"event": "validation", "step": step, "loss": loss}
    for step, loss in ((50, 0.4), (100, 0.2), (150, 0.3))
]


def test_the_best_validation_is_named() -> None:
    drawing = draw_loss(HISTORY)
    assert drawing is not None
    assert "best at step 100 with 0.200" in drawing.alt
    assert [entry.name for entry in drawing.legend] == ["training, running mean", "validation"]


def test_the_learning_rate_reaches_and_ends() -> None:
    drawing = draw_learning_rate(HISTORY)
    assert drawing is not None
    assert drawing.alt == "The learning rate reaches 0.004 and ends at 2e-05."


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw_loss([]) is None
    assert draw_learning_rate([]) is None
    assert draw_lengths(np.array([], dtype=int), 100) is None


@pytest.mark.parametrize("classes", [2, 3])
def test_a_roc_curve_per_class_that_has_examples(classes: int) -> None:
    random = np.random.default_rng(0)
    labels_N = random.integers(0, 2, 60)
    answers_NC = random.dirichlet(np.ones(classes), 60)
    drawing = draw_roc(answers_NC, labels_N, ["a", "b", "c"][:classes])
    assert drawing is not None
    assert len(drawing.legend) == (1 if classes == 2 else 2)


def test_the_reliability_diagram_says_how_many_are_correct() -> None:
    answers_NC = np.array([[0.9, 0.1]] * 10)
    metrics = measure(answers_NC, np.array([0] * 8 + [1] * 2), ["a", "b"])
    drawing = draw_reliability(metrics.reliability)
    assert "10 with confidence 90%, 80% correct" in drawing.alt


@pytest.mark.parametrize("max_length", [10, 45, 100, 10_000])
def test_the_lengths_say_how_many_are_truncated(max_length: int) -> None:
    lengths = np.arange(1, 101)
    drawing = draw_lengths(lengths, max_length)
    assert drawing is not None
    longer = max(0, 100 - max_length) / 100
    assert f"{longer:.1%} are longer than {max_length:,}" in drawing.alt


def test_coverage_says_how_many_of_the_most_confident_are_correct() -> None:
    confidence_N = np.linspace(0.99, 0.51, 100)
    answers_NC = np.stack([confidence_N, 1 - confidence_N], axis=1)
    labels_N = np.repeat([0, 1], [75, 25])
    drawing = draw_coverage(answers_NC, labels_N)
    assert drawing.alt == (
        "Accuracy by coverage: 100.0% correct of the most confident 25%; 100.0% correct of the "
        "most confident 50%; 100.0% correct of the most confident 75%; 75.0% correct of the most "
        "confident 100%."
    )
    same = draw_coverage(np.array([[0.9, 0.1]] * 4), np.array([0, 0, 0, 1]))
    assert same.alt == "Accuracy by coverage: 75.0% correct of the most confident 100%."
