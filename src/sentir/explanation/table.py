"""An explanation as a table in the terminal."""

from __future__ import annotations

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from sentir.explanation.gates import MEANING, Explanation
from sentir.io.terminal import printable

_BAR = "▏▎▍▌▋▊▉█"
_ARROWS = {"forward": "\n→", "backward": "\n←"}


class ExplanationTable:
    """The explanation for a terminal: per token one line with the answer so far and the gates."""

    def __init__(self, explanation: Explanation) -> None:
        self._explanation = explanation

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        explanation = self._explanation
        columns = {
            gate + (_ARROWS[direction] if len(explanation.gates) > 1 else ""): values
            for direction, gates in explanation.gates.items()
            for gate, values in gates.items()
        }
        # In a narrow terminal the bars have no numbers; in a narrower one tokens are abbreviated.
        has_numbers = options.max_width >= 35 + 15 * len(columns)
        width = 8 if has_numbers else 6
        table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
        table.add_column("token", overflow="ellipsis", max_width=24)
        table.add_column("answer so far", no_wrap=True, max_width=24)
        for name in columns:
            table.add_column(name, no_wrap=True)
        for row, token in enumerate(explanation.tokens):
            best = int(explanation.answer_TC[row].argmax())
            last = len(explanation.labels) - 1
            style = "green" if best == last else "red" if best == 0 else "yellow"
            answer = f"{explanation.answer_TC[row, best]:6.1%} {explanation.labels[best]}"
            table.add_row(
                Text(printable(token), style="" if explanation.known[row] else "dim italic"),
                Text(printable(answer), style=style),
                *(
                    bar(values[row], width) + (f" {values[row]:.2f}" if has_numbers else "")
                    for values in columns.values()
                ),
            )
        yield table
        names = dict.fromkeys(gate for gates in explanation.gates.values() for gate in gates)
        notes = [f"{gate}: {MEANING[gate]}, 0 nothing to 1 all" for gate in names]
        if not names:
            notes = ["a plain recurrent cell has no gates, so only its answer is shown"]
        if len(explanation.gates) > 1:
            notes.append("→ forward direction, ← backward direction")
        if not all(explanation.known):
            notes.append("in italics: words the model does not know")
        yield Text("; ".join(notes), style="dim")


def bar(share: float, width: int) -> str:
    """A bar `width` characters wide, filled to `share` (0 to 1)."""
    eighths = round(float(np.clip(share, 0, 1)) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_BAR[part - 1] if part else "")).ljust(width)
