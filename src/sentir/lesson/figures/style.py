"""How the lesson's commands draw: lines told apart by dash and mark, not by colour alone."""

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


class Mark(NamedTuple):
    """What a line looks like."""

    colour: str
    marker: str
    dash: str


def lesson_style() -> ContextDecorator:
    """How all of them look, as a context or a decorator."""
    style = rc_context({"font.size": 9, "axes.titlesize": 10, "legend.handlelength": 3.4})
    assert isinstance(style, ContextDecorator)  # says the standard library, not the stubs
    return style


def lesson_figure(
    panels: int, *, columns: int = 4, size_inches: tuple[float, float] = (4.8, 4.0)
) -> tuple[Figure, list[Axes]]:
    """A figure of some panels, so many in a row, each of that size."""
    columns = min(columns, panels)
    rows = -(-panels // columns)
    width, height = size_inches
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in axes[panels:]:
        empty.remove()
    del axes[panels:]
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(axis="y", color="0.9")
        one.set_axisbelow(True)
    return figure, axes


def line_with_spread(
    axes: Axes,
    x_N: Sequence[float],
    y_SN: Floats,
    mark: Mark,
    name: str,
    *,
    every: int = 1,
    logarithmic: bool = False,
) -> None:
    """The mean over the seeds S as a line, lowest to highest as a band, marks at every so many.

    Where the axis is logarithmic the mean is the geometric one.
    """
    middle_N = geometric_mean(y_SN) if logarithmic else y_SN.mean(axis=0)
    axes.fill_between(
        x_N, y_SN.min(axis=0), y_SN.max(axis=0), color=mark.colour, alpha=0.15, linewidth=0
    )
    axes.plot(
        x_N, middle_N, color=mark.colour, marker=mark.marker, linestyle=mark.dash,
        markevery=every, label=name,
    )  # fmt: skip


def geometric_mean(y_SN: Floats) -> Floats:
    """Over the seeds; what is 0 counts as the smallest number of float32."""
    mean_N: Floats = np.exp(np.log(np.maximum(y_SN, 1e-45)).mean(axis=0))
    return mean_N


def save(figure: Figure, path: Path) -> None:
    """Write the picture; its format follows from the name: svg, png or pdf.

    Raises:
        UsageError: the name ends otherwise, or the place cannot be written.
    """
    kind = picture_format(path)
    with report_unwritable(path), atomic_write(path) as beside:
        figure.savefig(beside, format=kind, dpi=150)
