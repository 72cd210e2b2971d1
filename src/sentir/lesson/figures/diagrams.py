"""Diagrams of the course: an unrolled network, the conveyor belt, padding, and two charts.

Each draws values that the cells computed. Words come from the caller, in any language; `language`
decides how numbers are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.ticker import NullLocator

from sentir.lesson.figures.pictures import INK, LINE, MUTED, SERIES, Picture, page_style, picture

#: Tokens that fit in a row of a diagram.
ROW_TOKENS = 5


def canvas(width: float, height: float, scale_inches: float) -> tuple[Figure, Axes]:
    """An empty figure of `width` by `height` units, each of so many inches."""
    figure = Figure(figsize=(width * scale_inches, height * scale_inches))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")
    return figure, axes


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], **changes: Any) -> None:
    look: dict[str, Any] = {
        "arrowstyle": "-|>",
        "mutation_scale": 11,
        "color": MUTED,
        "linewidth": 1.4,
    } | changes
    axes.add_patch(FancyArrowPatch(start, end, shrinkA=0, shrinkB=0, **look))


def _box(axes: Axes, x: float, y: float, text: str, *, color: str) -> None:
    shape = FancyBboxPatch(
        (x - 0.32, y - 0.26), 0.64, 0.52,
        boxstyle="round,pad=0.04", facecolor="none", edgecolor=color, linewidth=2,
    )  # fmt: skip
    axes.add_patch(shape)
    axes.text(x, y, text, ha="center", va="center_baseline")


@page_style()
def unrolled(tokens: Sequence[str], *, alt: str) -> Picture:
    """A recurrent cell with its loop, and the same cell once per token.

    Args:
        tokens: the input, five or six short words.
        alt: the description.
    """
    step, first = 1.3, 2.4
    figure, axes = canvas(first + step * len(tokens) - 0.3, 3.3, 0.62)
    _box(axes, 0.6, 1.7, "A", color=SERIES[0])
    arrow(axes, (0.6, 0.75), (0.6, 1.38))
    arrow(axes, (0.6, 2.02), (0.6, 2.65))
    loop = {"connectionstyle": "arc3,rad=-2.1", "color": SERIES[1]}
    arrow(axes, (0.98, 1.88), (0.98, 1.52), **loop)
    axes.text(0.6, 0.42, "$x_t$", ha="center")
    axes.text(0.6, 2.76, "$h_t$", ha="center")
    axes.text(1.72, 1.7, "=", ha="center", va="center_baseline", fontsize=15)
    for index, token in enumerate(tokens):
        x = first + step * index
        _box(axes, x, 1.7, "A", color=SERIES[0])
        arrow(axes, (x, 0.88), (x, 1.38))
        arrow(axes, (x, 2.02), (x, 2.65))
        axes.text(x, 0.52, f"$x_{index}$", ha="center")
        axes.text(x, 0.12, token, ha="center", color=MUTED, style="italic")
        axes.text(x, 2.76, f"$h_{index}$", ha="center")
        if index:
            arrow(axes, (x - step + 0.38, 1.7), (x - 0.38, 1.7), color=SERIES[1], linewidth=2)
    return picture(figure, alt)


class Gauges(NamedTuple):
    """The gates of one LSTM unit, or means over several, at each token; 0 shut, 1 open."""

    forget_T: Sequence[float]
    input_T: Sequence[float]
    output_T: Sequence[float]


@page_style()
def conveyor_belt(
    tokens: Sequence[str],
    gates: Gauges,
    cells_T: Sequence[float],
    *,
    names: Mapping[str, str],
    alt: str,
    language: str = "en",
) -> Picture:
    """The cell state as a conveyor belt along the text, the gates as valves.

    The thickness of the belt is the size of the cell state, its colour the sign. The valve on the
    belt is the forget gate; the arrow from below is the input gate, the one above the output gate.

    Args:
        tokens: the text; it breaks into rows.
        gates: of one unit, or means.
        cells_T: the cell state after each token.
        names: words for ``forget``, ``input`` and ``output``.
        alt: the description.
        language: in which numbers are written.
    """
    rows = -(-len(tokens) // ROW_TOKENS)
    width = -(-len(tokens) // rows)  # rows of similar length
    figure, axes = canvas(width + 1.5, 3.1 * rows, 0.72)
    largest = max(1e-9, *(abs(value) for value in cells_T))
    for index, token in enumerate(tokens):
        row, column = divmod(index, width)
        x, y = 1.9 + column, 3.1 * (rows - row) - 1.35
        before = cells_T[index - 1] if index else 0.0
        for start, value in ((x - 0.5, before), (x, cells_T[index])):
            thickness = 0.04 + 0.34 * abs(value) / largest
            color = SERIES[0] if value >= 0 else SERIES[1]
            axes.add_patch(
                Rectangle((start, y - thickness / 2), 0.5, thickness, color=color, linewidth=0)
            )
        _valve(axes, x - 0.25, y, gates.forget_T[index])
        _gate_arrow(axes, x, y - 0.95, gates.input_T[index])
        _gate_arrow(axes, x, y + 0.3, gates.output_T[index])
        axes.text(x, y - 1.32, token, ha="center", fontsize=9, style="italic")
        if column == 0:
            for name_y, name in (
                (y + 0.55, names["output"]), (y, names["forget"]), (y - 0.7, names["input"]),
            ):  # fmt: skip
                axes.text(1.2, name_y, name, ha="right", va="center", fontsize=8.5, color=MUTED)
    return picture(figure, alt, language)


def _valve(axes: Axes, x: float, y: float, share: float) -> None:
    """A ring around the belt with a bar as long as the gate is shut."""
    axes.add_patch(Circle((x, y), 0.19, facecolor="none", edgecolor=INK, linewidth=1.2))
    shut = 0.38 * (1 - share)
    axes.add_patch(Rectangle((x - 0.045, y + 0.19 - shut), 0.09, shut, color=INK, linewidth=0))
    axes.text(x, y + 0.27, f"{share:.2f}".removeprefix("0"), ha="center", fontsize=7.5)


def _gate_arrow(axes: Axes, x: float, y: float, share: float) -> None:
    """An upward arrow as wide as the gate is open."""
    arrow(axes, (x, y), (x, y + 0.6), color=LINE, linewidth=1)
    if share > 0.02:
        look = {"color": SERIES[2], "linewidth": 0.4 + 4.5 * share, "mutation_scale": 6 + 8 * share}
        arrow(axes, (x, y), (x, y + 0.6), **look)
    axes.text(x + 0.16, y + 0.2, f"{share:.2f}".removeprefix("0"), fontsize=7.5, color=MUTED)


@page_style()
def padding(tokens: Sequence[Sequence[str]], *, pad: str, right: bool, alt: str) -> Picture:
    """The reviews of a batch as rows of one length, padding hatched.

    Args:
        tokens: of each review.
        pad: the text of a padding cell.
        right: whether padding is on the right or on the left.
        alt: the description.
    """
    longest = max(map(len, tokens))
    figure, axes = canvas(longest * 1.15 + 0.1, len(tokens) * 0.62 + 0.1, 0.72)
    for row, review in enumerate(tokens):
        y = 0.08 + 0.62 * (len(tokens) - 1 - row)
        empty = longest - len(review)
        for column in range(longest):
            position = column if right else column - empty
            is_token = 0 <= position < len(review)
            axes.add_patch(
                Rectangle(
                    (0.05 + 1.15 * column, y), 1.08, 0.52, facecolor="none",
                    edgecolor=SERIES[0] if is_token else LINE,
                    linewidth=1.6, hatch=None if is_token else "////",
                )
            )  # fmt: skip
            axes.text(
                0.59 + 1.15 * column, y + 0.26, review[position] if is_token else pad,
                ha="center", va="center_baseline", fontsize=9, color=INK if is_token else MUTED,
            )  # fmt: skip
    return picture(figure, alt)


class Line(NamedTuple):
    """A line of a chart and its name."""

    name: str
    x_N: Sequence[float]
    y_N: Sequence[float]


@page_style()
def lines(
    drawn: Sequence[Line],
    *,
    x: str,
    y: str,
    alt: str,
    logarithmic: str = "",
    chance: float | None = None,
    markers: bool = True,
    language: str = "en",
) -> Picture:
    """A chart of up to six lines that differ in dash as well as in colour.

    Args:
        drawn: the lines.
        x, y: labels of the axes, with the unit.
        alt: the description.
        logarithmic: the logarithmic axes: ``""``, ``"x"``, ``"y"`` or ``"xy"``.
        chance: where to draw a dashed level for comparison.
        markers: whether points are marked.
        language: in which numbers are written.
    """
    figure = Figure(figsize=(5.6, 3.3), layout="constrained")
    axes = figure.subplots()
    styles = ("-", "--", ":", "-.", (0, (6, 1)), (0, (1, 1)))
    for index, line in enumerate(drawn):
        axes.plot(
            line.x_N, line.y_N, color=SERIES[index], linestyle=styles[index], label=line.name,
            marker="osD^vP"[index] if markers else "", markersize=4.5,
        )  # fmt: skip
    if chance is not None:
        axes.axhline(chance, color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
    if "x" in logarithmic:
        axes.set_xscale("log")
        ticks = sorted({float(x) for line in drawn for x in line.x_N})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
    if "y" in logarithmic:
        axes.set_yscale("log")
    axes.set(xlabel=x, ylabel=y)
    axes.tick_params(which="minor", size=0)
    if len(drawn) > 1:
        # On a phone a row of the legend has room for some 40 letters.
        columns = max(1, min(len(drawn), 40 // (max(len(line.name) for line in drawn) + 5)))
        figure.legend(loc="outside upper left", frameon=False, ncols=columns, handlelength=2.6)
    return picture(figure, alt, language)


@page_style()
def bars(
    names: Sequence[str], values: Sequence[float], *, x: str, alt: str, language: str = "en"
) -> Picture:
    """One bar per name, from the top down, with its value.

    Args:
        names: as many as values.
        values: not negative.
        x: label of the axis, with the unit.
        alt: the description.
        language: in which numbers are written.
    """
    figure = Figure(figsize=(5.6, 0.7 + 0.32 * len(names)), layout="constrained")
    axes = figure.subplots()
    rows = range(len(names))
    axes.barh(rows, values, color=SERIES[0], height=0.62)
    for row, value in zip(rows, values, strict=True):
        axes.annotate(
            f"{value:.2f}", (value, row), (4, 0), textcoords="offset points",
            va="center_baseline", fontsize=9,
        )  # fmt: skip
    axes.set_yticks(rows, names)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.invert_yaxis()
    axes.set(xlabel=x, xlim=(0, 1.12 * max(values)))
    axes.grid(visible=False, axis="y")
    return picture(figure, alt, language)
