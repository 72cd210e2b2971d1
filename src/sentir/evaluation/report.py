"""The report of a run: one HTML file.

It contains its plots and its style, needs no network and no script, and follows the reader's choice
of light or dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sentir.errors import UsageError
from sentir.evaluation.forgetting import BeforeAndAfter
from sentir.evaluation.metrics import Metrics
from sentir.evaluation.mistakes import Mistake
from sentir.evaluation.page import render_page
from sentir.evaluation.tables import COSTS, format_metric, metrics_of
from sentir.io.atomic import write_page

#: Characters of a review that are shown unfolded.
FOLD = 320


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The predictions for N reviews of C classes, and their metrics."""

    metrics: Metrics
    probabilities: np.ndarray
    labels: np.ndarray
    mistakes: Sequence[Mistake] = ()


@dataclass(frozen=True, kw_only=True)
class Ngram:
    """An n-gram of the n-gram linear model: its weight, and how many training reviews hold it."""

    text: str
    weight: float
    reviews: int


@dataclass(frozen=True, kw_only=True)
class ClassNgrams:
    """The words and the longer n-grams that speak most for a class, the largest weight first."""

    name: str
    words: Sequence[Ngram]
    phrases: Sequence[Ngram]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the page shows.

    Args:
        title: the name of the run.
        synthetic: whether the data are the synthetic sample, which the page says in a banner.
        history: the rows of metrics.jsonl, in order.
        evaluations: by name, in order; the last one is the headline.
        baseline: metrics of the bag of words on the rows of the last evaluation.
        lengths: tokens of each training review, before truncation.
        max_length: where reviews are truncated (tokens).
        config: the configuration, by section.
        facts: other facts, such as the device and the time, in words.
        ngrams: what speaks most for each class, for a model with an n-gram linear model.
        forgetting: a model that went on learning, before and after.
    """

    title: str
    synthetic: bool
    history: Sequence[Mapping[str, Any]]
    evaluations: Mapping[str, Evaluation]
    baseline: Metrics | None
    lengths: np.ndarray
    max_length: int
    config: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, str]
    ngrams: Sequence[ClassNgrams] = ()
    forgetting: Sequence[BeforeAndAfter] = ()


def render(report: Report) -> str:
    """The page, the same for the same report.

    Raises:
        UsageError: the baseline was measured on other classes or on other rows than the headline.
    """
    from sentir.evaluation import plots  # here, as matplotlib takes a second to load

    name, headline = list(report.evaluations.items())[-1] if report.evaluations else (None, None)
    _check_baseline(report, headline)
    drawings: dict[str, Any] = {
        "loss": plots.draw_loss(report.history),
        "rate": plots.draw_learning_rate(report.history),
        "lengths": plots.draw_lengths(np.asarray(report.lengths), report.max_length),
        "roc": None,
        "reliability": None,
        "coverage": None,
    }
    if headline is not None:
        metrics = headline.metrics
        drawings["roc"] = plots.draw_roc(
            np.asarray(headline.probabilities), np.asarray(headline.labels), metrics.names
        )
        drawings["reliability"] = plots.draw_reliability(metrics.reliability)
        drawings["coverage"] = plots.draw_coverage(
            np.asarray(headline.probabilities), np.asarray(headline.labels)
        )

    return render_page(
        "report.html",
        report=report,
        name=name,
        headline=headline,
        cards=_cards(headline.metrics, report.baseline) if headline else [],
        mistaken=_mistaken(headline) if headline else [],
        interval=headline.metrics.accuracy_interval if headline else None,
        measured=_measured(report),
        metrics=metrics_of(headline.metrics) if headline else [],
        shown=format_metric,
        drawings=drawings,
        beyond=float(np.mean(np.asarray(report.lengths) > report.max_length))
        if len(report.lengths)
        else None,
        fold=FOLD,
    )


def write_report(report: Report, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        UsageError: the place cannot be written, or the report is one that `render` refuses.
    """
    write_page(render(report), path)


def _check_baseline(report: Report, headline: Evaluation | None) -> None:
    baseline = report.baseline
    if baseline is None:
        return
    if headline is None or (baseline.names, baseline.examples) != (
        headline.metrics.names,
        headline.metrics.examples,
    ):
        raise UsageError(
            f"a baseline of {baseline.examples} examples of {', '.join(baseline.names)}",
            where="report",
            todo="measure it on the same rows as the last evaluation",
        )


def _cards(metrics: Metrics, baseline: Metrics | None) -> list[dict[str, Any]]:
    """The metrics of the headline, each with the baseline's and whether it is better.

    The share of the largest class has no card: it stands beside the accuracy.
    """
    cards = []
    for key, name, style in metrics_of(metrics):
        if key == "majority_share":
            continue
        own = getattr(metrics, key)
        other = getattr(baseline, key) if baseline else None
        better = None
        if (
            own is not None
            and other is not None
            and format_metric(own, style) != format_metric(other, style)
        ):
            better = (own < other) == (key in COSTS)
        cards.append(
            {
                "name": name,
                "value": format_metric(own, style),
                "baseline": format_metric(other, style) if baseline else None,
                "largest_class": format_metric(metrics.majority_share, style)
                if key == "accuracy"
                else None,
                "better": better,
            }
        )
    return cards


def _mistaken(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Of each class with mistakes: how many, what they were taken for, and those that are shown."""
    metrics = evaluation.metrics
    parts = []
    for label, (name, row) in enumerate(zip(metrics.names, metrics.confusion, strict=True)):
        wrong = {metrics.names[other]: n for other, n in enumerate(row) if n and other != label}
        shown = [mistake for mistake in evaluation.mistakes if mistake.label == label]
        if wrong and shown:
            parts.append(
                {
                    "name": name,
                    "count": sum(wrong.values()),
                    "support": sum(row),
                    "as": dict(sorted(wrong.items(), key=lambda item: -item[1])),
                    "shown": shown,
                }
            )
    return parts


def _measured(report: Report) -> list[tuple[str, Metrics]]:
    """The columns of the table of metrics."""
    columns = [(name, part.metrics) for name, part in report.evaluations.items()]
    if report.baseline is not None:
        columns.append(("bag of words", report.baseline))
    return columns
