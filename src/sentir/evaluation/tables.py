"""The metrics as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentir.evaluation.metrics import Metrics

if TYPE_CHECKING:
    from rich.console import RenderableType

#: What each figure is called and in which format it is shown, in the order of importance.
FIGURES: tuple[tuple[str, str, str], ...] = (
    ("accuracy", "accuracy", "percent"),
    ("macro_f1", "macro F1", "share"),
    ("auc", "area under ROC", "share"),
    ("loss", "loss (nats)", "share"),
    ("calibration_error", "calibration error", "percent"),
)


def figure(value: float | None, style: str) -> str:
    """One figure as it is shown everywhere: ``93.92 %``, ``0.9392``, or a dash for None."""
    if value is None:
        return "–"
    return (
        f"{value:.2%}".replace("%", "\N{NO-BREAK SPACE}%") if style == "percent" else f"{value:.4f}"
    )


def render_metrics(
    metrics: Metrics, title: str, *, baseline: Metrics | None = None
) -> RenderableType:
    """The figures, the classes and the confusion matrix, for a rich console to print.

    Args:
        metrics: what was measured.
        title: stands above the tables, such as ``test``.
        baseline: the bag of words on the same examples, put beside the model.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    # Names come from the user's labels: as Text, their square brackets are not markup.
    figures = Table(title=Text(f"{title}: {metrics.examples:,} examples"), title_justify="left")
    figures.add_column("figure")
    figures.add_column("model", justify="right")
    if baseline is not None:
        figures.add_column("bag of words", justify="right")
    for key, name, style in FIGURES:
        shown = (metrics,) if baseline is None else (metrics, baseline)
        figures.add_row(name, *(figure(getattr(one, key), style) for one in shown))

    classes = Table(title="classes", title_justify="left")
    classes.add_column("class")
    for column in ("precision", "recall", "F1", "examples"):
        classes.add_column(column, justify="right")
    for one in metrics.classes:
        shares = (figure(share, "share") for share in (one.precision, one.recall, one.f1))
        classes.add_row(Text(one.name), *shares, f"{one.support:,}")

    confusion = Table(title="confusion: rows are true, columns predicted", title_justify="left")
    confusion.add_column("")
    for name in metrics.names:
        confusion.add_column(Text(name), justify="right")
    for name, row in zip(metrics.names, metrics.confusion, strict=True):
        confusion.add_row(Text(name), *(f"{count:,}" for count in row))
    return Group(figures, classes, confusion)
