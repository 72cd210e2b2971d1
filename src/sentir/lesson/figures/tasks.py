"""Shapes of tasks for a recurrent network: what it reads and when it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sentir.lesson.figures.diagrams import arrow, canvas
from sentir.lesson.figures.pictures import MUTED, SERIES, Picture, page_style, picture


class Task(NamedTuple):
    """A task as a chain of steps, and at which of them it reads and answers.

    Attributes:
        name: its heading.
        reads, writes: below the steps that read and above those that answer, None at the others.
    """

    name: str
    reads: Sequence[str | None]
    writes: Sequence[str | None]


@page_style()
def task_shapes(tasks: Sequence[Task], *, alt: str) -> Picture:
    """The tasks one below the other, each a chain of the same cell.

    Args:
        tasks: each with at most five steps of short words.
        alt: the description.
    """
    height, step = 2.5, 1.4
    figure, axes = canvas(step * 5 + 0.4, height * len(tasks), 0.62)
    for row, task in enumerate(tasks):
        y = height * (len(tasks) - row) - 1.5
        axes.text(0.1, y + 1.18, task.name, fontsize=9.5, fontweight="bold", va="center_baseline")
        pairs = zip(task.reads, task.writes, strict=True)
        for index, (read, written) in enumerate(pairs):
            x = 0.8 + step * index
            axes.plot(x, y, "s", markersize=15, markerfacecolor="none", markeredgecolor=SERIES[0],
                      markeredgewidth=2)  # fmt: skip
            if index:
                arrow(axes, (x - step + 0.24, y), (x - 0.24, y), color=SERIES[1], linewidth=2)
            if read is not None:
                arrow(axes, (x, y - 0.55), (x, y - 0.24))
                axes.text(x, y - 0.8, read, ha="center", fontsize=8.5, style="italic", color=MUTED)
            if written is not None:
                arrow(axes, (x, y + 0.24), (x, y + 0.55))
                axes.text(x, y + 0.65, written, ha="center", fontsize=8.5)
    return picture(figure, alt)
