"""Metrics as tables for the terminal."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from sentir.evaluation.metrics import measure
from sentir.evaluation.tables import METRICS, format_metric, render_metrics

NAMES = ["negative", "positive"]
FOUR = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
FOUR_LABELS = np.array([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("value", "style", "expected"),
    [
        (0.93925, "percent", "93.92\N{NO-BREAK SPACE}%"),
        (0.93925, "share", "0.9393"),
        (None, "percent", "–"),
        (0, "share", "0.0000"),
    ],
)
def test_a_metric_is_written_in_one_way(value, style: str, expected: str) -> None:
    assert format_metric(value, style) == expected


def test_every_metric_has_a_row() -> None:
    console = Console(width=100)
    ordered = measure(np.eye(3)[[0, 1, 1]], np.array([0, 1, 2]), ["1", "2", "3"])
    with console.capture() as captured:
        console.print(render_metrics(ordered, "test"))
    for _, name, _ in METRICS:
        assert name in captured.get()


def test_tables_show_names_with_brackets() -> None:
    metrics = measure(FOUR, FOUR_LABELS, ["[red]bad[/]", "good"])
    console = Console(width=100)
    with console.capture() as captured:
        console.print(render_metrics(metrics, "test [1]", baseline=metrics))
    shown = captured.get()
    assert "[red]bad[/]" in shown
    assert "test [1]: 4 examples" in shown
    assert "bag of words" in shown
    assert "75.00\N{NO-BREAK SPACE}%" in shown
    with console.capture() as captured:
        console.print(render_metrics(measure(FOUR, np.zeros(4, int), NAMES), "validation"))
    assert "–" in captured.get()
    assert "bag of words" not in captured.get()
