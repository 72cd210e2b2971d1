"""Plots of a comparison: learning curves, and figures as points with their spread.

A group has one colour, one dash and one marker in all of them. Its name and its figures are written
beside its point, so nothing depends on telling colours apart.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sentir.evaluation.comparison.comparison import Comparison
from sentir.evaluation.comparison.groups import FIGURES, Figure
from sentir.evaluation.plots import format_count, series
from sentir.evaluation.svg import MUTED, SIZE, Drawing, key, line_style, page_style, to_svg
from sentir.io.terminal import printable

MARKERS = "os^DvPX"
#: Inches per group: its name above its point.
ROW = 0.52
#: Characters and inches of a line of a warning; characters of a name.
LINE, LINE_HEIGHT, NAME = 78, 0.17, 32


def draw_learning_curves(comparison: Comparison) -> Drawing | None:
    """The validation loss over the steps of each run; None without any history."""
    if not _has_history(comparison):
        return None
    with _style():
        canvas = Canvas(figsize=SIZE, layout="constrained")
        _plot_curves(canvas.add_subplot(), comparison)
        svg = to_svg(canvas, "curves")
    legend = tuple(key(group.name, index) for index, group in enumerate(comparison.groups))
    return Drawing(svg=svg, alt=_describe_curves(comparison), legend=legend)


def draw_points(comparison: Comparison, figure: Figure) -> Drawing:
    """One figure of each group as a point, with its spread over the seeds."""
    with _style():
        canvas = Canvas(figsize=(SIZE[0], _height(comparison)), layout="constrained")
        _plot_points(canvas.add_subplot(), comparison, figure)
        svg = to_svg(canvas, f"points-{figure.part}-{figure.key}")
    return Drawing(svg=svg, alt=_describe_points(comparison, figure))


def draw_comparison(comparison: Comparison) -> Drawing:
    """The accuracy above the learning curves, as one picture."""
    figure = headline_figure(comparison)
    has_curves = _has_history(comparison)
    heights = [_height(comparison), *([SIZE[1]] if has_curves else [])]
    # The picture travels alone, so it says itself what its figures are worth.
    lines = [
        line
        for warning in comparison.warnings
        for line in textwrap.wrap(f"Warning: {printable(warning)}", LINE)
    ]
    with _style():
        size = (SIZE[0] * 1.25, sum(heights) + LINE_HEIGHT * len(lines))
        canvas = Canvas(figsize=size, layout="constrained")
        canvas.supxlabel("\n".join(lines), x=0.02, ha="left", fontsize=8.5, parse_math=False)
        axes = canvas.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        _plot_points(axes[0], comparison, figure)
        if has_curves:
            _plot_curves(axes[1], comparison)
        svg = to_svg(canvas, "comparison")
    alt = [*lines, _describe_points(comparison, figure)]
    if has_curves:
        alt.append(_describe_curves(comparison))
    return Drawing(svg=svg, alt=" ".join(alt))


def headline_figure(comparison: Comparison, key: str = "accuracy") -> Figure:
    """A figure of the part that counts."""
    return next(
        figure for figure in FIGURES if (figure.part, figure.key) == (comparison.headline, key)
    )


@contextmanager
def _style() -> Iterator[None]:
    with page_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the reader's fonts draw the text
        yield


def _has_history(comparison: Comparison) -> bool:
    return any(
        len(series(run.history, "validation", "loss")[0])
        for group in comparison.groups
        for run in group.runs
    )


def _height(comparison: Comparison) -> float:
    return 0.75 + ROW * len(comparison.groups)


def _look(index: int) -> dict[str, Any]:
    """Colour, dashes and marker of a group."""
    return {**line_style(index), "marker": MARKERS[index % len(MARKERS)]}


def _plot_curves(axes: Axes, comparison: Comparison) -> None:
    for index, group in enumerate(comparison.groups):
        look = _look(index)
        for run in group.runs:
            steps, losses = series(run.history, "validation", "loss")
            axes.plot(steps, losses, ms=4, alpha=0.55 if group.runs[1:] else 1, **look)
    axes.set(xlabel="step", ylabel="validation loss (nats)")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(format_count))


def _plot_points(axes: Axes, comparison: Comparison, figure: Figure) -> None:
    """One row per group: its name and figure in words, its runs, their mean and its spread."""
    seen: list[float] = []
    for index, group in enumerate(comparison.groups):
        spread, row = group.spread(figure), -index
        words = "not measured" if spread is None else spread.format(figure.style)
        look = _look(index)
        beside = axes.get_yaxis_transform()  # from the left edge, at the height of the row
        axes.plot([0, 0.05, 0.1], [row + 0.4] * 3, ms=4, markevery=[1], transform=beside, **look)
        axes.text(
            0.12, row + 0.4, f"{_shortened(group.name)}: {words}", va="center", transform=beside,
            parse_math=False,
        )  # fmt: skip
        if spread is None:
            continue
        std = spread.std or 0.0
        axes.plot([spread.mean - std, spread.mean + std], [row, row], **{**look, "marker": "|"})
        axes.plot(spread.mean, row, ms=8, **look)
        if spread.std is not None:
            axes.plot(spread.values, [row] * len(spread.values), mfc="none", ms=5, ls="", **look)
        seen += [spread.mean - std, spread.mean + std, *spread.values]
    low, high = min(seen), max(seen)
    margin = 0.12 * (high - low) or 0.01
    axes.set(
        xlim=(low - margin, high + margin),
        ylim=(-len(comparison.groups) + 0.6, 0.75),
        yticks=[],
        xlabel=f"{figure.part}: {figure.name}",
    )
    axes.spines["left"].set_visible(False)
    axes.hlines(
        [-index for index in range(len(comparison.groups))],
        *axes.get_xlim(),
        color=MUTED,
        linewidth=0.4,
        zorder=0,
    )
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(
        FuncFormatter(
            lambda value, _: f"{100 * value:.4g} %" if figure.style == "percent" else f"{value:.4g}"
        )
    )


def _shortened(name: str) -> str:
    """A name that fits into the picture."""
    return printable(name if len(name) <= NAME else f"{name[: NAME - 1]}…")


def _describe_points(comparison: Comparison, figure: Figure) -> str:
    parts = [
        f"{printable(group.name)} {spread.format(figure.style) if spread else 'not measured'}"
        for group in comparison.groups
        for spread in [group.spread(figure)]
    ]
    return f"{figure.part}, {figure.name}: {'; '.join(parts)}."


def _describe_curves(comparison: Comparison) -> str:
    parts = []
    for group in comparison.groups:
        best = [
            float(np.min(losses))
            for run in group.runs
            for losses in [series(run.history, "validation", "loss")[1]]
            if len(losses)
        ]
        if best:
            parts.append(f"{printable(group.name)} reaches {min(best):.3f}")
    return f"Validation loss over the steps of training: {'; '.join(parts)}."
