"""Pictures of a search: the trials in their order, and the loss over each setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from sentir.evaluation.svg import INK, MUTED, SERIES, SIZE, Drawing, key, page_style, to_svg
from sentir.tuning.result import TrialResult, best_of
from sentir.tuning.space import Choice, Range

#: Pictures beside each other, and the inches of each.
COLUMNS, CELL = 3, (3.2, 2.4)


@page_style()
def draw_trials(trials: Sequence[TrialResult]) -> Drawing:
    """The loss of each trial, the lowest so far as a line, and the preset's."""
    complete = [trial for trial in trials if trial.loss is not None]
    losses = np.array([trial.loss for trial in complete], float)
    numbers = [trial.number for trial in complete]
    best_so_far = np.minimum.accumulate(losses)
    figure = Figure(figsize=(2 * SIZE[0], SIZE[1]), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(losses[0], color=MUTED, dashes=(1, 2), linewidth=1.4)
    axes.step(numbers, best_so_far, where="post", color=SERIES[1], dashes=(5, 2))
    axes.plot(numbers, losses, "o", ms=5, color=SERIES[0])
    early = [trial.number for trial in trials if trial.loss is None]
    axes.plot(
        early, [0.02] * len(early), "x", ms=5, color=MUTED, transform=axes.get_xaxis_transform()
    )
    axes.set(xlabel="trial", ylabel="validation loss (nats)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    alt = (
        f"Validation loss of {len(complete)} trials; {len(early)} more were ended early. The "
        f"preset has {losses[0]:.4f}, the best {best_so_far[-1]:.4f}."
    )
    return Drawing(svg=to_svg(figure, "trials"), alt=alt, legend=(key("lowest so far", 1),))


@page_style()
def draw_slices(trials: Sequence[TrialResult], space: Mapping[str, Range | Choice]) -> Drawing:
    """For each setting, the loss over its value; preset and best are marked."""
    complete = [trial for trial in trials if trial.loss is not None]
    best = best_of(tuple(complete))
    assert best is not None
    columns = min(COLUMNS, len(space))
    rows = -(-len(space) // columns)
    figure = Figure(figsize=(CELL[0] * columns, CELL[1] * rows), layout="constrained")
    losses = [trial.loss for trial in complete if trial.loss is not None]
    best_index = complete.index(best)
    for index, (name, where) in enumerate(space.items()):
        axes = figure.add_subplot(rows, columns, index + 1)
        x = _positions(where, [trial.settings[name] for trial in complete])
        axes.plot(x, losses, "o", ms=4, color=SERIES[0], alpha=0.7)
        axes.plot(x[0], losses[0], "s", ms=8, mfc="none", color=INK)
        axes.plot(x[best_index], losses[best_index], "o", ms=10, mfc="none", color=SERIES[1], mew=2)
        axes.set(xlabel=name)
        if isinstance(where, Choice):
            axes.set_xticks(range(len(where.values)), [f"{value:g}" for value in where.values])
        elif where.log:
            axes.set_xscale("log")
            ticks = [tick for tick in (0.001, 0.003, 0.01)
                     if where.low <= tick <= where.high]  # fmt: skip
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(MaxNLocator(4))
    words = ", ".join(f"{name} {best.settings[name]:g}" for name in space)
    alt = f"Validation loss over the value of each setting. The best trial has {words}."
    return Drawing(svg=to_svg(figure, "slices"), alt=alt)


def _positions(where: Range | Choice, values: Sequence[float]) -> list[float]:
    """Where values stand on the axis: those of a choice side by side."""
    return (
        [where.values.index(value) for value in values]
        if isinstance(where, Choice)
        else list(values)
    )
