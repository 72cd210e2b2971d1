"""An explanation as a picture and as a table in the terminal."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from sentir.errors import UsageError
from sentir.explanation.gates import Explanation, Floats
from sentir.io.atomic import atomic_write, report_unwritable

#: What a gate does, in a word, for the reader of the table.
MEANING = {
    "forget": "keeps of the past",
    "input": "takes in",
    "output": "shows",
    "reset": "lets the past be seen",
    "update": "keeps of the past",
}
FORMATS = ("svg", "png", "pdf")
_BAR = "▏▎▍▌▋▊▉█"
_ARROWS = {"forward": "\n→", "backward": "\n←"}
_ROW_TOKENS = 32
_DIRECTIONS = {"forward": "reading ahead", "backward": "reading back"}


class ExplanationTable:
    """The explanation for a terminal: a line a token, a bar a gate, the answer so far."""

    def __init__(self, explanation: Explanation) -> None:
        self._told = explanation

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        told = self._told
        columns = {
            gate + (_ARROWS[side] if len(told.gates) > 1 else ""): values
            for side, gates in told.gates.items()
            for gate, values in gates.items()
        }
        # The bars' numbers want room; where it is narrower still, tokens are cut.
        roomy = options.max_width >= 35 + 15 * len(columns)
        width = 8 if roomy else 6
        table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
        table.add_column("token", overflow="ellipsis", max_width=24)
        table.add_column("answer so far", no_wrap=True, max_width=24)
        for name in columns:
            table.add_column(name, no_wrap=True)
        for at, token in enumerate(told.tokens):
            best = int(told.answer_TC[at].argmax())
            style = "green" if best == len(told.labels) - 1 else "red" if best == 0 else "yellow"
            table.add_row(
                Text(token, style="" if told.known[at] else "dim italic"),
                Text(f"{told.answer_TC[at, best]:6.1%} {told.labels[best]}", style=style),
                *(
                    bar(values[at], width) + (f" {values[at]:.2f}" if roomy else "")
                    for values in columns.values()
                ),
            )
        yield table
        names = dict.fromkeys(gate for gates in told.gates.values() for gate in gates)
        notes = [f"{gate}: {MEANING[gate]}, 0 nothing to 1 all" for gate in names]
        if not names:
            notes = ["a plain recurrent cell has no gates: only its answer can be followed"]
        if len(told.gates) > 1:
            notes.append("→ reads ahead, ← reads back")
        if not all(told.known):
            notes.append("in italics: words the model does not know")
        yield Text("; ".join(notes), style="dim")


def bar(share: float, width: int) -> str:
    """A bar `width` characters wide, filled to `share` (0 to 1)."""
    eighths = round(float(np.clip(share, 0, 1)) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_BAR[part - 1] if part else "")).ljust(width)


def draw(explanation: Explanation, path: Path) -> None:
    """Write the picture; its format follows from the name: svg, png or pdf.

    A long text is broken into rows, as on a page.

    Raises:
        UsageError: the name ends otherwise, or the place cannot be written.
    """
    kind = picture_format(path)
    count = len(explanation.tokens)
    rows = -(-count // _ROW_TOKENS)
    width = -(-count // rows)
    heights = [1.6, *(0.4 + 0.28 * len(gates) for gates in _gated(explanation).values()), 0.9]
    with rc_context({"font.size": 8, "text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # not every script has a font
        size_inches = (max(6.0, 2.8 + 0.3 * width), rows * (1.3 + sum(heights)))
        figure = Figure(figsize=size_inches, layout="constrained")
        for at, part in enumerate(figure.subfigures(rows, 1, squeeze=False)[:, 0]):
            axes = part.subplots(len(heights), 1, sharex=True, height_ratios=heights)
            _draw_row(axes, explanation, at * width, width)
        with report_unwritable(path), atomic_write(path) as beside:
            figure.savefig(beside, format=kind, dpi=150)


def picture_format(path: Path) -> str:
    """The format that a picture's name tells.

    Raises:
        UsageError: it tells none that can be drawn.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise UsageError(
            f"no picture format {path.suffix!r}",
            where=str(path),
            todo=f"end the name in .{', .'.join(FORMATS[:-1])} or .{FORMATS[-1]}",
        )
    return kind


def _gated(told: Explanation) -> dict[str, dict[str, Floats]]:
    """The directions that have gates: none of the plain cell's."""
    return {side: gates for side, gates in told.gates.items() if gates}


def _draw_row(axes: Sequence[Axes], told: Explanation, start: int, width: int) -> None:
    """The answer, the gates and the memory at `width` tokens."""
    row = slice(start, start + width)
    tokens, at = told.tokens[row], range(len(told.tokens[row]))
    first, *between, last = axes

    if len(told.labels) == 2:
        first.plot(at, told.answer_TC[row, 1], marker=".")
        first.set_title(f"probability of {told.labels[1]} as the text is read", loc="left")
    else:
        for answer, label in zip(told.answer_TC[row].T, told.labels, strict=True):
            first.plot(at, answer, marker=".", label=label)
        first.set_title("probabilities as the text is read", loc="left")
        _name_lines(first)
    first.axhline(0.5, color="0.8", linewidth=0.8, zorder=0)
    first.set_ylim(-0.05, 1.05)

    for axis, (side, gates) in zip(between, _gated(told).items(), strict=True):
        values = np.stack([gate[row] for gate in gates.values()])
        axis.imshow(values, aspect="auto", cmap="viridis", vmin=0, vmax=1)
        axis.set_yticks(range(len(gates)), [f"{gate}: {MEANING[gate]}" for gate in gates])
        axis.set_title(f"gates, {_DIRECTIONS[side]} (0 shut, 1 open)", loc="left")
        for gate, token in np.ndindex(values.shape):
            shade = "black" if values[gate, token] > 0.6 else "white"
            number = f"{values[gate, token]:.2f}".removeprefix("0")
            axis.text(token, gate, number, color=shade, ha="center", va="center", fontsize=6)

    for side, size in told.memory.items():
        style = "-" if side == "forward" else "--"
        last.plot(at, size[row], style, marker=".", label=_DIRECTIONS[side])
    last.set_title("size of what is carried (mean of the state)", loc="left")
    last.set_ylim(0, 1.1 * max(size.max() for size in told.memory.values()))
    if len(told.memory) > 1:
        _name_lines(last)

    shown = [token if len(token) <= 20 else f"{token[:19]}…" for token in tokens]
    last.set_xticks(at, shown, rotation=60, ha="right", rotation_mode="anchor")
    for name, known in zip(last.get_xticklabels(), told.known[row], strict=True):
        name.set(style="normal" if known else "italic", color="black" if known else "0.45")
    last.set_xlim(-0.5, width - 0.5)  # a short last row is as wide as the others


def _name_lines(axis: Axes) -> None:
    """Beside the lines, never upon them."""
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0)
