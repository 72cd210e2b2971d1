"""The lesson's drawings: an unrolled network, the conveyor belt, padding.

Each is drawn from what the cells computed, and takes its words from the caller, so that it speaks
any language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.ticker import NullLocator

from sentir.lesson.figures.pictures import INK, LINE, MUTED, SERIES, Picture, page_style, picture

#: Words a row of a drawing has room for.
ROW_TOKENS = 5


def _canvas(width: float, height: float, scale_inches: float) -> tuple[Figure, Axes]:
    """A figure of `width` by `height` units, with nothing on it."""
    figure = Figure(figsize=(width * scale_inches, height * scale_inches))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")
    return figure, axes


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], **how: Any) -> None:
    look: dict[str, Any] = {
        "arrowstyle": "-|>",
        "mutation_scale": 11,
        "color": MUTED,
        "linewidth": 1.4,
    } | how
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
    """A recurrent cell with its loop, and the same cell once a token, handing its state on.

    Args:
        tokens: what it reads, five or six short words.
        alt: what is to be seen, in words.
    """
    step, first = 1.3, 2.4
    figure, axes = _canvas(first + step * len(tokens) - 0.3, 3.3, 0.62)
    _box(axes, 0.6, 1.7, "A", color=SERIES[0])
    _arrow(axes, (0.6, 0.75), (0.6, 1.38))
    _arrow(axes, (0.6, 2.02), (0.6, 2.65))
    loop = {"connectionstyle": "arc3,rad=-2.1", "color": SERIES[1]}
    _arrow(axes, (0.98, 1.88), (0.98, 1.52), **loop)
    axes.text(0.6, 0.42, "$x_t$", ha="center")
    axes.text(0.6, 2.76, "$h_t$", ha="center")
    axes.text(1.72, 1.7, "=", ha="center", va="center_baseline", fontsize=15)
    for at, token in enumerate(tokens):
        x = first + step * at
        _box(axes, x, 1.7, "A", color=SERIES[0])
        _arrow(axes, (x, 0.88), (x, 1.38))
        _arrow(axes, (x, 2.02), (x, 2.65))
        axes.text(x, 0.52, f"$x_{at}$", ha="center")
        axes.text(x, 0.12, token, ha="center", color=MUTED, style="italic")
        axes.text(x, 2.76, f"$h_{at}$", ha="center")
        if at:
            _arrow(axes, (x - step + 0.38, 1.7), (x - 0.38, 1.7), color=SERIES[1], linewidth=2)
    return picture(figure, alt)


class Gauges(NamedTuple):
    """The gates of one LSTM unit, or of several on average, at each token; 0 shut to 1 open."""

    forget_T: Sequence[float]
    input_T: Sequence[float]
    output_T: Sequence[float]


@page_style()
def conveyor_belt(
    tokens: Sequence[str],
    gates: Gauges,
    carried_T: Sequence[float],
    *,
    names: Mapping[str, str],
    alt: str,
) -> Picture:
    """The cell state as a belt along the text, each gate a valve that is as open as it was.

    The belt is as thick as what it carries; its colour is the sign's. The valve upon it is the
    forget gate, from below comes what the input gate lets in, above goes what the output gate
    shows.

    Args:
        tokens: what was read; breaks into rows.
        gates: of one unit, or means.
        carried_T: the cell state after each token.
        names: words for ``forget``, ``input`` and ``output``.
        alt: what is to be seen, in words.
    """
    rows = -(-len(tokens) // ROW_TOKENS)
    width = -(-len(tokens) // rows)  # rows of like length
    figure, axes = _canvas(width + 1.5, 3.1 * rows, 0.72)
    most = max(1e-9, *(abs(value) for value in carried_T))
    for at, token in enumerate(tokens):
        row, place = divmod(at, width)
        x, y = 1.9 + place, 3.1 * (rows - row) - 1.35
        before = carried_T[at - 1] if at else 0.0
        for start, value in ((x - 0.5, before), (x, carried_T[at])):
            thick = 0.04 + 0.34 * abs(value) / most
            color = SERIES[0] if value >= 0 else SERIES[1]
            axes.add_patch(Rectangle((start, y - thick / 2), 0.5, thick, color=color, linewidth=0))
        _valve(axes, x - 0.25, y, gates.forget_T[at])
        _gate_arrow(axes, x, y - 0.95, gates.input_T[at])
        _gate_arrow(axes, x, y + 0.3, gates.output_T[at])
        axes.text(x, y - 1.32, token, ha="center", fontsize=9, style="italic")
        if place == 0:
            for where, name in (
                (y + 0.55, names["output"]), (y, names["forget"]), (y - 0.7, names["input"]),
            ):  # fmt: skip
                axes.text(1.2, where, name, ha="right", va="center", fontsize=8.5, color=MUTED)
    return picture(figure, alt)


def _valve(axes: Axes, x: float, y: float, share: float) -> None:
    """A ring around the belt, filled with ink as far as it is shut."""
    axes.add_patch(Circle((x, y), 0.19, facecolor="none", edgecolor=INK, linewidth=1.2))
    shut = 0.38 * (1 - share)
    axes.add_patch(Rectangle((x - 0.045, y + 0.19 - shut), 0.09, shut, color=INK, linewidth=0))
    axes.text(x, y + 0.27, f"{share:.2f}".removeprefix("0"), ha="center", fontsize=7.5)


def _gate_arrow(axes: Axes, x: float, y: float, share: float) -> None:
    """An arrow upwards whose width is the gate's opening."""
    _arrow(axes, (x, y), (x, y + 0.6), color=LINE, linewidth=1)
    if share > 0.02:
        look = {"color": SERIES[2], "linewidth": 0.4 + 4.5 * share, "mutation_scale": 6 + 8 * share}
        _arrow(axes, (x, y), (x, y + 0.6), **look)
    axes.text(x + 0.16, y + 0.2, f"{share:.2f}".removeprefix("0"), fontsize=7.5, color=MUTED)


@page_style()
def padding(tokens: Sequence[Sequence[str]], *, pad: str, right: bool, alt: str) -> Picture:
    """Reviews of a batch as rows of one length, their padding hatched.

    Args:
        tokens: the reviews' tokens.
        pad: what to write on padding.
        right: whether padding stands on the right or on the left.
        alt: what is to be seen, in words.
    """
    longest = max(map(len, tokens))
    figure, axes = _canvas(longest * 1.15 + 0.1, len(tokens) * 0.62 + 0.1, 0.72)
    for row, review in enumerate(tokens):
        y = 0.08 + 0.62 * (len(tokens) - 1 - row)
        empty = longest - len(review)
        for column in range(longest):
            at = column if right else column - empty
            read = 0 <= at < len(review)
            axes.add_patch(
                Rectangle(
                    (0.05 + 1.15 * column, y), 1.08, 0.52, facecolor="none",
                    edgecolor=SERIES[0] if read else LINE,
                    linewidth=1.6, hatch=None if read else "////",
                )
            )  # fmt: skip
            axes.text(
                0.59 + 1.15 * column, y + 0.26, review[at] if read else pad,
                ha="center", va="center_baseline", fontsize=9, color=INK if read else MUTED,
            )  # fmt: skip
    return picture(figure, alt)


class Line(NamedTuple):
    """A line of a chart and what it is called."""

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
    marks: bool = True,
) -> Picture:
    """A chart of some lines, told apart by dashes as well as by colour.

    Args:
        drawn: at most six.
        x, y: what the axes measure, with the unit.
        alt: what is to be seen, in words.
        logarithmic: the axes to draw so, each x marked: ``""``, ``"x"``, ``"y"`` or ``"xy"``.
        chance: where to draw a level for comparison.
        marks: whether points are marked.
    """
    figure = Figure(figsize=(5.6, 3.3), layout="constrained")
    axes = figure.subplots()
    styles = ("-", "--", ":", "-.", (0, (6, 1)), (0, (1, 1)))
    for place, line in enumerate(drawn):
        axes.plot(
            line.x_N, line.y_N, color=SERIES[place], linestyle=styles[place], label=line.name,
            marker="osD^vP"[place] if marks else "", markersize=4.5,
        )  # fmt: skip
    if chance is not None:
        axes.axhline(chance, color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
    if "x" in logarithmic:
        axes.set_xscale("log")
        places = sorted({float(x) for line in drawn for x in line.x_N})
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())
    if "y" in logarithmic:
        axes.set_yscale("log")
    axes.set(xlabel=x, ylabel=y)
    axes.tick_params(which="minor", size=0)
    if len(drawn) > 1:
        # On a phone a legend has some 40 letters a row.
        columns = max(1, min(len(drawn), 40 // (max(len(line.name) for line in drawn) + 5)))
        figure.legend(loc="outside upper left", frameon=False, ncols=columns, handlelength=2.6)
    return picture(figure, alt)


@page_style()
def bars(names: Sequence[str], values: Sequence[float], *, x: str, alt: str) -> Picture:
    """A bar a name, from the top down, its value written behind it.

    Args:
        names: as many as values.
        values: not negative.
        x: what the bars measure, with the unit.
        alt: what is to be seen, in words.
    """
    figure = Figure(figsize=(5.6, 0.7 + 0.32 * len(names)), layout="constrained")
    axes = figure.subplots()
    places = range(len(names))
    axes.barh(places, values, color=SERIES[0], height=0.62)
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            f"{value:.2f}", (value, place), (4, 0), textcoords="offset points",
            va="center_baseline", fontsize=9,
        )  # fmt: skip
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.invert_yaxis()
    axes.set(xlabel=x, xlim=(0, 1.12 * max(values)))
    axes.grid(visible=False, axis="y")
    return picture(figure, alt)
