"""An explanation as a picture and as a table in the terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from sentir.atomic import written_whole
from sentir.errors import UsageError
from sentir.explain.gates import Explanation

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
_WIDTH = 8
_NAMED_AHEAD = {"ahead": "reading ahead", "back": "reading back"}


class ExplanationTable:
    """The explanation for a terminal: a line a token, a bar a gate, the answer so far."""

    def __init__(self, explanation: Explanation) -> None:
        self._told = explanation

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        told = self._told
        table = Table(box=None, padding=(0, 1), header_style="bold")
        table.add_column("token", no_wrap=True, max_width=24)
        table.add_column("answer so far", no_wrap=True)
        columns = []
        for direction, gates in told.gates.items():
            side = " ←" if direction == "back" else " →"
            for gate, values in gates.items():
                table.add_column(gate + (side if len(told.gates) > 1 else ""), no_wrap=True)
                columns.append(values)
        for at, token in enumerate(told.tokens):
            best = int(told.answer_TC[at].argmax())
            style = "green" if best == len(told.labels) - 1 else "red" if best == 0 else "yellow"
            table.add_row(
                Text(token, style="" if told.known[at] else "dim italic"),
                Text(f"{told.answer_TC[at, best]:6.1%} {told.labels[best]}", style=style),
                *(f"{bar(values[at])} {values[at]:.2f}" for values in columns),
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


def bar(share: float) -> str:
    """A bar `_WIDTH` characters wide, filled to `share` (0 to 1)."""
    eighths = round(float(np.clip(share, 0, 1)) * _WIDTH * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_BAR[part - 1] if part else "")).ljust(_WIDTH)


def draw(explanation: Explanation, path: Path) -> None:
    """Write the picture; its format follows from the name: svg, png or pdf.

    Raises:
        UsageError: the name ends otherwise.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise UsageError(
            f"no picture format {path.suffix!r}", where=str(path), todo=f"end it in {FORMATS}"
        )
    told = explanation
    count = len(told.tokens)
    panels = [(side, gates) for side, gates in told.gates.items() if gates]
    heights = [2.2] + [0.5 + 0.33 * len(gates) for _, gates in panels] + [1.2]
    figure = Figure(figsize=(max(6.0, 1.6 + 0.3 * count), 1.2 + sum(heights)), layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]

    _draw_answer(axes[0], told)
    image = None
    for axis, (side, gates) in zip(axes[1:], panels, strict=False):
        image = axis.imshow(
            np.stack(list(gates.values())), aspect="auto", cmap="cividis", vmin=0, vmax=1
        )
        axis.set_yticks(range(len(gates)), [f"{gate}: {MEANING[gate]}" for gate in gates])
        axis.set_title(_NAMED_AHEAD[side], fontsize=9, loc="left")
    if image is not None:
        bars = figure.colorbar(image, ax=list(axes[1:-1]), pad=0.01)
        bars.set_label("mean of the gate", fontsize=8)
    for side, size in told.memory.items():
        axes[-1].plot(range(count), size, label=_NAMED_AHEAD[side],
                      linestyle="-" if side == "ahead" else "--")  # fmt: skip
    axes[-1].set_title("size of what is carried (mean of the state)", fontsize=9, loc="left")
    axes[-1].set_ylim(bottom=0)
    if len(told.memory) > 1:
        axes[-1].legend(fontsize=8, frameon=False, loc="upper left")
    axes[-1].set_xticks(range(count), told.tokens, rotation=60, ha="right", fontsize=9)
    axes[-1].set_xlim(-0.5, count - 0.5)
    with written_whole(path) as beside:
        figure.savefig(beside, format=kind, dpi=150)


def _draw_answer(axis: Axes, told: Explanation) -> None:
    count = len(told.tokens)
    shown = [1] if len(told.labels) == 2 else range(len(told.labels))
    for at in shown:
        axis.plot(range(count), told.answer_TC[:, at], marker=".", label=told.labels[at])
    axis.set_ylim(-0.03, 1.03)
    axis.set_ylabel("probability")
    axis.axhline(0.5, color="0.7", linewidth=0.8)
    axis.legend(fontsize=8, frameon=False, loc="best")
    axis.set_title("the answer as the text is read", fontsize=9, loc="left")
