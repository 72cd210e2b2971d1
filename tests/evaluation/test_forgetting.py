from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from rich.console import Console

from sentir.errors import SentirWarning
from sentir.evaluation.forgetting import BeforeAndAfter, render_forgetting, warn_of_forgetting
from sentir.evaluation.metrics import Metrics, measure


def metrics(correct: int, of: int = 1000) -> Metrics:
    """Of balanced reviews, so many are classified correctly."""
    labels_N = np.arange(of) % 2
    answers_N = np.where(np.arange(of) < correct, labels_N, 1 - labels_N)
    return measure(np.eye(2)[answers_N] * 0.8 + 0.1, labels_N, ("negative", "positive"))


def part(reviews: str, before: int, after: int) -> BeforeAndAfter:
    return BeforeAndAfter(reviews=reviews, before=metrics(before), after=metrics(after))


def test_forgetting_beyond_chance_is_warned_of() -> None:
    with pytest.warns(SentirWarning, match=r"has forgotten: 85.00% .* and 90.00% were"):
        warn_of_forgetting([part("new test", 800, 900), part("old test", 900, 850)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_forgetting([part("new test", 900, 700), part("old test", 900, 895)])


def test_forgetting_that_is_not_measured_is_warned_of() -> None:
    with pytest.warns(SentirWarning, match="is not known: .* give some with --old-test"):
        warn_of_forgetting([part("new test", 800, 900)])


def test_both_models_side_by_side() -> None:
    console = Console(width=100, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(render_forgetting([part("new test", 800, 900), part("old test", 900, 895)]))
    shown = captured.get().replace("\N{NO-BREAK SPACE}", " ")
    for text in ("1,000 of the new test", "1,000 of the old test", "80.00 %", "89.50 %"):
        assert text in shown
    assert "area under" not in shown


def test_it_is_data() -> None:
    plain = json.loads(json.dumps(part("old test", 900, 895).to_dict()))
    assert plain["reviews"] == "old test"
    assert Metrics.from_dict(plain["after"]).accuracy == 0.895
