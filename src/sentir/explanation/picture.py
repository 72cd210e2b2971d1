"""An explanation as a picture."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sentir.errors import UsageError
from sentir.explanation.gates import MEANING, Explanation
from sentir.extras import require
from sentir.inference.network import Floats
from sentir.io.atomic import atomic_write, report_unwritable
from sentir.io.terminal import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = ("svg", "png", "pdf")
_ROW_TOKENS = 32
_DIRECTIONS = {"forward": "forward direction", "backward": "backward direction"}


def draw(explanation: Explanation, path: Path) -> None:
    """Write the picture; a long text is broken into rows.

    Args:
        explanation: what is drawn.
        path: ends in .svg, .png or .pdf, which decides the format.

    Raises:
        UsageError: the name has another ending, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    kind = picture_format(path)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    count = len(explanation.tokens)
    rows = -(-count // _ROW_TOKENS)
    tokens_per_row = -(-count // rows)
    heights = [1.6, *(0.4 + 0.28 * len(gates) for gates in _gated(explanation).values()), 0.9]
    with rc_context({"font.size": 8, "text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # not every script has a font
        size_inches = (max(6.0, 2.8 + 0.3 * tokens_per_row), rows * (1.3 + sum(heights)))
        figure = Figure(figsize=size_inches, layout="constrained")
        for row, part in enumerate(figure.subfigures(rows, 1, squeeze=False)[:, 0]):
            axes = part.subplots(len(heights), 1, sharex=True, height_ratios=heights)
            _draw_row(axes, explanation, row * tokens_per_row, tokens_per_row)
        with report_unwritable(path), atomic_write(path) as new:
            figure.savefig(new, format=kind, dpi=150)


def picture_format(path: Path) -> str:
    """The format of a picture, by the ending of its name; asked before the work that it shows.

    Raises:
        UsageError: the ending is none of `FORMATS`.
        MissingExtraError: matplotlib is not installed.
    """
    require("a picture", "matplotlib")
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise UsageError(
            f"no picture format {path.suffix!r}",
            where=str(path),
            todo=f"end the name in .{', .'.join(FORMATS[:-1])} or .{FORMATS[-1]}",
        )
    return kind


def _gated(explanation: Explanation) -> dict[str, dict[str, Floats]]:
    """The gates of each direction, if the cell has any."""
    return {direction: gates for direction, gates in explanation.gates.items() if gates}


def _draw_row(axes: Sequence[Axes], explanation: Explanation, start: int, width: int) -> None:
    """Draw the answer, the gates and the memory at `width` tokens."""
    row = slice(start, start + width)
    tokens = explanation.tokens[row]
    x = range(len(tokens))
    first, *between, last = axes

    if len(explanation.labels) == 2:
        first.plot(x, explanation.answer_TC[row, 1], marker=".")
        first.set_title(
            f"probability of {printable(explanation.labels[1])} as the text is read", loc="left"
        )
    else:
        for answer, label in zip(explanation.answer_TC[row].T, explanation.labels, strict=True):
            first.plot(x, answer, marker=".", label=printable(label))
        first.set_title("probabilities as the text is read", loc="left")
        _draw_legend(first)
    first.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    first.set_ylim(-0.05, 1.05)

    for axis, (direction, gates) in zip(between, _gated(explanation).items(), strict=True):
        values = np.stack([gate[row] for gate in gates.values()])
        axis.imshow(values, aspect="auto", cmap="viridis", vmin=0, vmax=1)
        axis.set_yticks(range(len(gates)), [f"{gate}: {MEANING[gate]}" for gate in gates])
        axis.set_title(f"gates, {_DIRECTIONS[direction]} (0 closed, 1 open)", loc="left")
        for gate, token in np.ndindex(values.shape):
            shade = "black" if values[gate, token] > 0.6 else "white"
            number = f"{values[gate, token]:.2f}".removeprefix("0")
            axis.text(token, gate, number, color=shade, ha="center", va="center", fontsize=6)

    for direction, size in explanation.memory.items():
        style = "-" if direction == "forward" else "--"
        last.plot(x, size[row], style, marker=".", label=_DIRECTIONS[direction])
    last.set_title("size of the carried state (mean absolute value)", loc="left")
    last.set_ylim(0, 1.1 * max(size.max() for size in explanation.memory.values()))
    if len(explanation.memory) > 1:
        _draw_legend(last)

    names = [token if len(token) <= 20 else f"{token[:19]}…" for token in map(printable, tokens)]
    last.set_xticks(x, names, rotation=60, ha="right", rotation_mode="anchor")
    for tick, known in zip(last.get_xticklabels(), explanation.known[row], strict=True):
        tick.set(style="normal" if known else "italic", color="black" if known else "0.45")
    last.set_xlim(-0.5, width - 0.5)  # a short last row is as wide as the others


def _draw_legend(axis: Axes) -> None:
    """Draw the legend beside the lines, so that it hides none."""
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0)
