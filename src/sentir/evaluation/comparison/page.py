"""A comparison as one HTML file, and as a picture."""

from __future__ import annotations

from pathlib import Path

from sentir.errors import UsageError
from sentir.evaluation.comparison.comparison import Comparison
from sentir.evaluation.comparison.tables import (
    PAIRED_COLUMNS,
    figure_rows,
    interval_row,
    paired_note,
    paired_rows,
    paired_title,
)
from sentir.evaluation.metrics import ORDINAL
from sentir.evaluation.page import render_page
from sentir.evaluation.tables import COSTS
from sentir.io.atomic import write_page

#: The figures that the page draws, of those that the runs have.
DRAWN = ("accuracy", "macro_f1", *ORDINAL, "loss", "calibration_error")

SPREAD_NOTE = (
    "Filled: the mean of the runs; line: one standard deviation to each side; hollow: each run."
)


def check_ending(path: Path, option: str, ending: str) -> None:
    """Refuse a name that asks for another format, before any work is done.

    Raises:
        UsageError: it does.
    """
    if path.suffix.lower() != ending:
        raise UsageError(
            f"{option} writes {ending.lstrip('.').upper()}, and the name ends in {path.suffix!r}",
            where=str(path),
            todo=f"end the name in {ending}",
        )


def render(comparison: Comparison) -> str:
    """The page, the same for the same comparison."""
    from sentir.evaluation.comparison import plots  # here, as matplotlib takes a second to load

    return render_page(
        "comparison.html",
        comparison=comparison,
        figures=list(figure_rows(comparison)),
        interval=interval_row(comparison),
        curves=plots.draw_learning_curves(comparison),
        spread_note=SPREAD_NOTE if comparison.has_spread else "One run each, so without a spread.",
        points=[
            (figure.name, plots.draw_points(comparison, figure), figure.key in COSTS)
            for figure in (plots.headline_figure(comparison, key) for key in DRAWN)
            if figure in comparison.figures()
        ],
        paired_columns=PAIRED_COLUMNS,
        paired=list(paired_rows(comparison.paired)),
        paired_title=paired_title(comparison.paired) if comparison.paired else None,
        paired_note=paired_note(comparison) if comparison.paired else None,
    )


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        UsageError: the place cannot be written.
    """
    write_page(render(comparison), path)


def write_picture(comparison: Comparison, path: Path) -> None:
    """Write the points and the learning curves as an SVG, whole or not at all.

    Raises:
        UsageError: the place cannot be written.
    """
    from sentir.evaluation.comparison.plots import draw_comparison
    from sentir.evaluation.svg import to_standalone

    names = ", ".join(group.name for group in comparison.groups)
    write_page(to_standalone(draw_comparison(comparison), f"Comparison of {names}"), path)
