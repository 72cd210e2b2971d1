"""Metrics as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentir.evaluation.metrics import ORDINAL, Metrics
from sentir.io.terminal import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Attribute, name and format of each metric, in the order of importance.
METRICS: tuple[tuple[str, str, str], ...] = (
    ("accuracy", "accuracy", "percent"),
    ("majority_share", "largest class", "percent"),
    ("macro_f1", "macro F1", "share"),
    ("mean_absolute_error", "mean absolute error (classes)", "share"),
    ("quadratic_kappa", "quadratic weighted kappa", "share"),
    ("auc", "area under ROC", "share"),
    ("loss", "loss (nats)", "share"),
    ("calibration_error", "calibration error", "percent"),
)
#: Metrics of which less is better.
COSTS = ("loss", "calibration_error", "mean_absolute_error")


def metrics_of(metrics: Metrics) -> list[tuple[str, str, str]]:
    """Those of `METRICS` that these classes have: some are of ordered ones only."""
    return [row for row in METRICS if metrics.is_ordered or row[0] not in ORDINAL]


def format_metric(value: float | None, style: str) -> str:
    """A metric as it is shown everywhere: ``93.92 %``, ``0.9392``, or a dash for None."""
    if value is None:
        return "–"
    return (
        f"{value:.2%}".replace("%", "\N{NO-BREAK SPACE}%") if style == "percent" else f"{value:.4f}"
    )


def render_metrics(
    metrics: Metrics, title: str, *, baseline: Metrics | None = None
) -> RenderableType:
    """Metrics, classes and confusion matrix, for a rich console.

    Args:
        metrics: of the model.
        title: heading, such as ``test``.
        baseline: metrics of the bag of words on the same examples, shown beside it.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    # Names come from the user's labels: as Text, their square brackets are not markup.
    overview = Table(
        title=Text(printable(f"{title}: {metrics.examples:,} examples")), title_justify="left"
    )
    overview.add_column("metric")
    overview.add_column("model", justify="right")
    if baseline is not None:
        overview.add_column("bag of words", justify="right")
    for key, name, style in metrics_of(metrics):
        columns = (metrics,) if baseline is None else (metrics, baseline)
        overview.add_row(name, *(format_metric(getattr(part, key), style) for part in columns))

    classes = Table(title="classes", title_justify="left")
    classes.add_column("class")
    for column in ("precision", "recall", "F1", "examples"):
        classes.add_column(column, justify="right")
    for row in metrics.classes:
        shares = (format_metric(share, "share") for share in (row.precision, row.recall, row.f1))
        classes.add_row(Text(printable(row.name)), *shares, f"{row.support:,}")

    confusion = Table(title="confusion: rows are true, columns predicted", title_justify="left")
    confusion.add_column("")
    for name in metrics.names:
        confusion.add_column(Text(printable(name)), justify="right")
    for name, counts in zip(metrics.names, metrics.confusion, strict=True):
        confusion.add_row(Text(printable(name)), *(f"{count:,}" for count in counts))
    return Group(overview, classes, confusion)
