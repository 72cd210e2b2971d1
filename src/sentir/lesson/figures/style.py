"""The style of figures that the lesson's commands save.

Lines differ in dash and marker, not in colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ContextDecorator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sentir.explanation.picture import picture_format
from sentir.io.atomic import atomic_write, report_unwritable

Floats = npt.NDArray[np.float64]


class LineStyle(NamedTuple):
    """The look of a line."""

    colour: str
    marker: str
    dash: str


def lesson_style() -> ContextDecorator:
    """Font sizes of all figures, as a context or a decorator."""
    style = rc_context({"font.size": 9, "axes.titlesize": 10, "legend.handlelength": 3.4})
    assert isinstance(style, ContextDecorator)  # true at run time; the stubs do not say so
    return style


def lesson_figure(
    panels: int, *, columns: int = 4, size_inches: tuple[float, float] = (4.8, 4.0)
) -> tuple[Figure, list[Axes]]:
    """A figure of panels, `columns` per row, each of that size."""
    columns = min(columns, panels)
    rows = -(-panels // columns)
    width, height = size_inches
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in axes[panels:]:
        empty.remove()
    del axes[panels:]
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", color="0.9")
        panel.set_axisbelow(True)
    return figure, axes


def line_with_spread(
    axes: Axes,
    x_N: Sequence[float],
    y_SN: Floats,
    style: LineStyle,
    name: str,
    *,
    every: int = 1,
    logarithmic: bool = False,
) -> None:
    """Draw the mean over the seeds S as a line and their range as a band.

    Args:
        x_N, y_SN: the points of every seed.
        style, name: of the line.
        every: one marker per so many points.
        logarithmic: the axis is, and the mean is the geometric one.
    """
    middle_N = geometric_mean(y_SN) if logarithmic else y_SN.mean(axis=0)
    axes.fill_between(
        x_N, y_SN.min(axis=0), y_SN.max(axis=0), color=style.colour, alpha=0.15, linewidth=0
    )
    axes.plot(
        x_N, middle_N, color=style.colour, marker=style.marker, linestyle=style.dash,
        markevery=every, label=name,
    )  # fmt: skip


def geometric_mean(y_SN: Floats) -> Floats:
    """The geometric mean over the seeds; 0 counts as the smallest number of float32."""
    mean_N: Floats = np.exp(np.log(np.maximum(y_SN, 1e-45)).mean(axis=0))
    return mean_N


def save(figure: Figure, path: Path) -> None:
    """Write the figure as svg, png or pdf, by the ending of the name.

    Raises:
        UsageError: another ending, or a file that cannot be written.
    """
    kind = picture_format(path)
    with report_unwritable(path), atomic_write(path) as beside:
        figure.savefig(beside, format=kind, dpi=150)
