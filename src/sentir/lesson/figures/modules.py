"""What is inside a recurrent module: plain RNN, LSTM, GRU, and attention; and their notation.

All share one notation, which `notation` explains: boxes are layers with learnt weights, circles are
operations element by element, lines carry vectors. A part of the LSTM can be highlighted. Words
come from the caller, in any language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch

from sentir.lesson.figures.diagrams import arrow, canvas
from sentir.lesson.figures.pictures import INK, LINE, MUTED, SERIES, Picture, page_style, picture
from sentir.lesson.language import localized

#: A step of the LSTM that can be highlighted.
Step = Literal["forget", "input", "update", "output"]
STEPS: tuple[Step, ...] = get_args(Step)
#: Inches per unit of the modules: they are as wide as a chart, so that a phone shows them whole.
SCALE_INCHES = 0.62

_Point = tuple[float, float]


class _Module:
    """A frame with layers, operations and wires; those outside of the highlighted step are pale.

    `steps` of an element are the steps that it belongs to; without any it is always in colour.
    """

    def __init__(self, axes: Axes, step: Step | None = None) -> None:
        self._axes = axes
        self._step = step

    def frame(self, left: float, bottom: float, right: float, top: float) -> None:
        shape = FancyBboxPatch(
            (left, bottom), right - left, top - bottom, boxstyle="round,pad=0,rounding_size=0.25",
            facecolor="none", edgecolor=LINE, linewidth=1.5,
        )  # fmt: skip
        self._axes.add_patch(shape)

    def layer(self, at: _Point, symbol: str, *steps: Step) -> None:
        """A layer with learnt weights."""
        x, y = at
        shape = FancyBboxPatch(
            (x - 0.36, y - 0.2), 0.72, 0.4, boxstyle="round,pad=0.04,rounding_size=0.06",
            facecolor="none", edgecolor=self._color(SERIES[2], steps), linewidth=2, zorder=3,
        )  # fmt: skip
        self._axes.add_patch(shape)
        self._axes.text(
            x, y, symbol, ha="center", va="center_baseline", color=self._color(INK, steps)
        )

    def operation(self, at: _Point, symbol: str, *steps: Step, radius: float = 0.21) -> None:
        """An operation element by element."""
        color = self._color(SERIES[3], steps)
        self._axes.add_patch(Circle(at, radius, facecolor="none", edgecolor=color, linewidth=2))
        self._axes.text(
            *at, symbol, ha="center", va="center_baseline", fontsize=9 if len(symbol) > 1 else 12,
            color=self._color(INK, steps),
        )  # fmt: skip

    def wire(
        self, *points: _Point, steps: Sequence[Step] = (), color: str = SERIES[1], width: float = 2
    ) -> None:
        """A vector on its way through these points, with a head at the last one."""
        drawn = self._color(color, steps)
        *_, corner, end = points
        if len(points) > 2:
            xs, ys = zip(*points[:-1], strict=True)
            self._axes.plot(xs, ys, color=drawn, linewidth=width, solid_joinstyle="round")
        arrow(self._axes, corner, end, color=drawn, linewidth=width)

    def belt(self, left: float, right: float, y: float, *steps: Step) -> None:
        """A part of the cell state's way."""
        self.wire((left, y), (right, y), steps=steps, color=SERIES[0], width=4)

    def fork(self, at: _Point, *steps: Step, color: str = SERIES[1]) -> None:
        """Where a vector is copied."""
        drawn = self._color(color, steps)
        above = 3 if drawn == color else 0  # a pale one must not cut a wire in colour
        self._axes.add_patch(Circle(at, 0.07, facecolor=drawn, edgecolor=drawn, zorder=above))

    def label(self, at: _Point, text: str, *steps: Step, size: float = 10.5) -> None:
        self._axes.text(
            *at, text, ha="center", va="center_baseline", fontsize=size,
            color=self._color(MUTED if size < 10 else INK, steps),
        )  # fmt: skip

    def _color(self, color: str, steps: Sequence[Step]) -> str:
        return color if self._step is None or not steps or self._step in steps else LINE


@page_style()
def rnn_module(*, alt: str) -> Picture:
    """The plain RNN: one layer, whose result is both the answer and the memory.

    Args:
        alt: the description.
    """
    figure, axes = canvas(7.4, 3.1, SCALE_INCHES)
    draw = _Module(axes)
    draw.frame(1.2, 0.75, 6.2, 2.5)
    draw.label((0.45, 2.0), "$h_{t-1}$")
    draw.label((2.1, 0.25), "$x_t$")
    draw.wire((0.2, 1.65), (3.3, 1.65))
    draw.wire((2.1, 0.5), (2.1, 1.58))
    draw.layer((3.7, 1.65), "tanh")
    draw.wire((4.1, 1.65), (7.2, 1.65))
    draw.fork((5.4, 1.65))
    draw.wire((5.4, 1.65), (5.4, 2.85))
    draw.label((6.85, 2.0), "$h_t$")
    draw.label((5.8, 2.85), "$h_t$")
    return picture(figure, alt)


@page_style()
def lstm_module(*, names: Mapping[str, str], alt: str, step: Step | None = None) -> Picture:
    """The LSTM: four layers at the lower line, and the belt above, which only two operations touch.

    Args:
        names: words for ``forget``, ``input``, ``candidate`` and ``output``.
        alt: the description.
        step: highlighted; the rest is pale.
    """
    figure, axes = canvas(7.6, 5.3, SCALE_INCHES)
    draw = _Module(axes, step)
    belt, bus, layers = 4.3, 1.2, 1.95
    draw.frame(1.0, 0.75, 6.75, 4.85)

    draw.label((0.45, belt + 0.38), "$C_{t-1}$", "forget", "update")
    draw.label((7.2, belt + 0.38), "$C_t$", "update", "output")
    draw.belt(0.1, 1.49, belt, "forget", "update")
    draw.belt(1.97, 3.38, belt, "update")
    draw.belt(3.86, 7.5, belt, "update", "output")

    reads: tuple[Step, ...] = ("forget", "input", "output")
    draw.label((0.45, bus + 0.34), "$h_{t-1}$", *reads)
    draw.label((0.75, 0.25), "$x_t$", *reads)
    draw.wire((0.75, 0.5), (0.75, bus - 0.05), steps=reads)
    gates: tuple[tuple[float, str, str, str, Step], ...] = (
        (1.73, "forget", "σ", "$f_t$", "forget"),
        (2.95, "input", "σ", "$i_t$", "input"),
        (4.1, "candidate", "tanh", "$g_t$", "input"),
        (5.2, "output", "σ", "$o_t$", "output"),
    )
    start = 0.1
    for index, (x, name, symbol, result, own) in enumerate(gates):
        later = [gate[4] for gate in gates[index:]]
        draw.wire((start, bus), (x, bus), (x, layers - 0.26), steps=later)
        draw.layer((x, layers), symbol, own)
        draw.label((x, 0.95), names[name], own, size=9.5)
        shown = (own,) if own == "output" else (own, "update")
        draw.label((x + (0.27 if 0 < index < 3 else -0.27), 2.55), result, *shown)
        start = x

    draw.wire((1.73, 2.2), (1.73, belt - 0.24), steps=("forget", "update"))
    draw.operation((1.73, belt), "×", "forget", "update")
    draw.wire((2.95, 2.2), (2.95, 3.25), (3.38, 3.25), steps=("input", "update"))
    draw.wire((4.1, 2.2), (4.1, 3.25), (3.86, 3.25), steps=("input", "update"))
    draw.operation((3.62, 3.25), "×", "update")
    draw.wire((3.62, 3.49), (3.62, belt - 0.24), steps=("update",))
    draw.operation((3.62, belt), "+", "update")

    draw.fork((6.05, belt), "output", color=SERIES[0])
    draw.wire((6.05, belt), (6.05, 3.72), steps=("output",), color=SERIES[0])
    draw.operation((6.05, 3.4), "tanh", "output", radius=0.32)
    draw.wire((6.05, 3.08), (6.05, 2.74), steps=("output",), color=SERIES[0])
    draw.wire((5.2, 2.2), (5.2, 2.5), (5.81, 2.5), steps=("output",))
    draw.operation((6.05, 2.5), "×", "output")
    draw.wire((6.05, 2.26), (6.05, bus), (7.5, bus), steps=("output",))
    draw.label((7.2, bus + 0.34), "$h_t$", "output")
    return picture(figure, alt)


@page_style()
def gru_module(*, names: Mapping[str, str], alt: str) -> Picture:
    """The GRU in PyTorch's form: the state is the belt, and one gate divides old and new.

    Args:
        names: words for ``reset``, ``update`` and ``candidate``.
        alt: the description.
    """
    figure, axes = canvas(7.6, 5.0, SCALE_INCHES)
    draw = _Module(axes)
    belt, bus, layers = 4.1, 1.2, 1.95
    draw.frame(1.0, 0.75, 6.75, 4.65)
    draw.label((0.45, belt + 0.38), "$h_{t-1}$")
    draw.label((7.2, belt + 0.38), "$h_t$")
    draw.wire((0.1, belt), (3.31, belt), width=4.0)
    draw.wire((3.79, belt), (5.81, belt), width=4.0)
    draw.wire((6.29, belt), (7.5, belt), width=4.0)

    # The state goes down to the layers, and the word comes from below.
    draw.fork((1.4, belt))
    draw.wire((1.4, belt), (1.4, bus), (2.3, bus), (2.3, layers - 0.26))
    draw.label((0.75, 0.25), "$x_t$")
    draw.wire((0.75, 0.5), (0.75, bus), (1.32, bus))
    draw.wire((2.3, bus), (3.55, bus), (3.55, layers - 0.26))
    for x, name, symbol in ((2.3, "reset", "σ"), (3.55, "update", "σ"), (5.4, "candidate", "tanh")):
        draw.layer((x, layers), symbol)
        draw.label((x, 0.95), names[name], size=9.5)

    # The reset gate acts on what the candidate receives of the state, not of the word.
    draw.wire((3.55, bus), (5.4, bus), (5.4, layers - 0.26))
    draw.wire((4.5, bus), (4.5, layers - 0.24))
    draw.fork((4.5, bus))
    draw.label((4.22, 1.5), "$m_t$")
    draw.label((5.68, 1.42), "$x_t$")
    draw.operation((4.5, layers), "×")
    draw.wire((4.74, layers), (5.0, layers))
    draw.label((2.02, 2.52), "$r_t$")
    draw.wire((2.3, 2.2), (2.3, 2.75), (4.5, 2.75), (4.5, layers + 0.24))
    draw.label((3.27, 3.2), "$z_t$")
    draw.wire((3.55, 2.2), (3.55, belt - 0.24))
    draw.operation((3.55, belt), "×")
    draw.fork((3.55, 3.3))
    draw.wire((3.55, 3.3), (4.28, 3.3))
    draw.operation((4.6, 3.3), "1 −", radius=0.3)
    draw.wire((4.9, 3.3), (5.81, 3.3))
    draw.operation((6.05, 3.3), "×")
    draw.wire((5.4, 2.2), (5.4, 2.6), (6.05, 2.6), (6.05, 3.06))
    draw.label((6.35, 2.72), r"$\tilde{h}_t$")
    draw.wire((6.05, 3.54), (6.05, belt - 0.24))
    draw.operation((6.05, belt), "+")
    return picture(figure, alt)


@page_style()
def notation(texts: Mapping[str, str], *, alt: str) -> Picture:
    """What the signs of the modules mean, one below the other.

    Args:
        texts: for ``layer``, ``operation``, ``wire``, ``join`` and ``copy``.
        alt: the description.
    """
    figure, axes = canvas(7.4, 4.4, SCALE_INCHES)
    draw = _Module(axes)
    rows = dict(zip(("layer", "operation", "wire", "join", "copy"), range(5), strict=True))
    for name, row in rows.items():
        y = 3.95 - 0.87 * row
        axes.text(2.1, y, texts[name], ha="left", va="center_baseline", fontsize=10)
        if name == "layer":
            draw.layer((1.0, y), "σ")
        elif name == "operation":
            draw.operation((1.0, y), "×")
        else:
            draw.wire((0.3, y), (1.75, y))
        if name == "join":
            draw.wire((0.75, y - 0.42), (0.75, y - 0.05))
        elif name == "copy":
            draw.fork((0.9, y))
            draw.wire((0.9, y), (0.9, y + 0.42))
    return picture(figure, alt)


@page_style()
def attention(
    tokens: Sequence[str],
    weights_T: Sequence[float],
    *,
    names: Mapping[str, str],
    alt: str,
    language: str = "en",
) -> Picture:
    """How the last token attends to all: its query, their weights, and the mean of their values.

    Args:
        tokens: the text, at most six short words; the last one asks.
        weights_T: the weight of each token, which sum to one.
        names: words for ``query`` and ``mean``.
        alt: the description.
        language: in which numbers are written.
    """
    width = 1.22
    figure, axes = canvas(width * len(tokens) + 0.2, 4.3, SCALE_INCHES)
    draw = _Module(axes)
    middle = 0.1 + width * len(tokens) / 2
    draw.layer((middle, 3.7), "$y_t$")
    axes.text(middle + 0.6, 3.7, names["mean"], va="center_baseline", fontsize=9.5, color=MUTED)
    for index, (token, weight) in enumerate(zip(tokens, weights_T, strict=True)):
        x = 0.1 + width * (index + 0.5)
        start, end = (x, 1.75), (middle + 0.18 * (index - (len(tokens) - 1) / 2), 3.44)
        arrow(axes, start, end, color=SERIES[1], linewidth=0.6 + 5 * weight)
        draw.label((x, 1.5), localized(f"{weight:.2f}", language), size=9.5)
        draw.layer((x, 1.1), rf"$k_{index}, v_{index}$")
        draw.label((x, 0.5), token)
    last = 0.1 + width * (len(tokens) - 0.5)
    draw.label((last, 0.15), names["query"], size=9.5)
    return picture(figure, alt, language)
