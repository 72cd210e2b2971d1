"""The memory experiment as a picture and as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from sentir.lesson.figures.style import (
    LineStyle,
    geometric_mean,
    lesson_figure,
    lesson_style,
    line_with_spread,
)
from sentir.lesson.language import localized, tr
from sentir.lesson.memory.experiment import CELLS, MEASURED, Memory

LINE_STYLES = {
    "rnn": LineStyle("C3", "o", ":"),
    "gru": LineStyle("C2", "s", "-."),
    "lstm": LineStyle("C0", "^", "-"),
    "lstm 0": LineStyle("C0", "v", "--"),
    "lstm 1": LineStyle("C0", "^", "-"),
}
#: Columns of the table of gradients, in steps back.
SHOWN = (1, 5, 10, 20, 50, 100, 200, 500)
TEXTS = {
    "en": {
        "recall": "Recall: which symbol was marked?",
        "adding": "Adding problem: the sum within 0.1",
        "accuracy": "accuracy",
        "gap": "gap in steps",
        "chance": "chance",
        "gradient": "Gradient at the state (LSTM: cell state) t steps back, untrained",
        "norm": "norm, as a share of the last state's",
        "distance": "t, steps back",
        "lstm 0": "LSTM, forget bias 0",
        "lstm 1": "LSTM, forget bias 1",
        "cell": "cell",
        "units": "units",
        "weights": "weights",
        "steps back": "{} back",
        "seeds": "mean over the seeds (lowest to highest); {steps} steps of Adam each",
    },
    "es": {
        "recall": "Recordar: ¿qué símbolo estaba marcado?",
        "adding": "Problema de la suma: con error de 0,1 como mucho",
        "accuracy": "aciertos",
        "gap": "distancia en pasos",
        "chance": "azar",
        "gradient": "Gradiente en el estado (LSTM: de celda) hace t pasos, sin entrenar",
        "norm": "norma, respecto a la del último estado",
        "distance": "t, pasos atrás",
        "lstm 0": "LSTM, sesgo de olvido 0",
        "lstm 1": "LSTM, sesgo de olvido 1",
        "cell": "celda",
        "units": "unidades",
        "weights": "pesos",
        "steps back": "hace {}",
        "seeds": "media de las semillas (de la menor a la mayor); {steps} pasos de Adam",
    },
}


def named(name: str, language: str) -> str:
    """The name of a cell in a legend."""
    return tr(TEXTS, language).get(name, name.upper())


@lesson_style()
def figure(memory: Memory, language: str = "en") -> Figure:
    """Accuracy by gap, one panel per task, and a panel with the fading gradients.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    panels = [*memory.hidden, "gradient"]
    drawing, all_axes = lesson_figure(len(panels))
    for panel, axes in zip(panels, all_axes, strict=True):
        axes.set_title(tr(TEXTS, language)[panel], loc="left", wrap=True)
        if panel == "gradient":
            _fading(axes, memory, language)
        else:
            _accuracy(axes, memory, panel, language)
    return drawing


def _accuracy(axes: Axes, memory: Memory, task: str, language: str) -> None:
    words = tr(TEXTS, language)
    gaps = sorted({run.gap for run in memory.recalls})
    for cell in CELLS:
        seeds = np.array([memory.accuracies(task, cell, gap) for gap in gaps]).T
        line_with_spread(axes, gaps, seeds, LINE_STYLES[cell], named(cell, language))
    axes.axhline(memory.chance[task], color="0.4", linewidth=1)
    axes.text(gaps[0], memory.chance[task] - 0.02, words["chance"], color="0.3", va="top")
    axes.set(xscale="log", ylim=(-0.02, 1.05), xlabel=words["gap"], ylabel=words["accuracy"])
    axes.set_xticks(gaps, [str(gap) for gap in gaps])
    axes.minorticks_off()
    axes.legend(frameon=False, loc="center left")


def _fading(axes: Axes, memory: Memory, language: str) -> None:
    words = tr(TEXTS, language)
    for name in MEASURED:
        seeds = np.array([run.norms for run in memory.gradients if run.name == name])
        style = LINE_STYLES[name]
        line_with_spread(axes, range(seeds.shape[1]), seeds, style, named(name, language),
                         every=10, logarithmic=True)  # fmt: skip
    axes.set(yscale="log", xlabel=words["distance"], ylabel=words["norm"])
    axes.legend(frameon=False, loc="lower left")


def tables(memory: Memory, language: str = "en") -> Iterator[Table]:
    """One table per task, and one of the gradients.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    gaps = sorted({run.gap for run in memory.recalls})
    for task, hidden in memory.hidden.items():
        table = Table(title=words[task], title_justify="left", box=None, pad_edge=False)
        table.add_column(words["cell"])
        for name in ("units", "weights"):
            table.add_column(words[name], justify="right")
        for gap in gaps:
            table.add_column(str(gap), justify="right")
        for cell in CELLS:
            seeds = [memory.accuracies(task, cell, gap) for gap in gaps]
            table.add_row(
                named(cell, language),
                str(hidden[cell]),
                localized(f"{memory.parameters[task][cell]:,}", language),
                *(_accuracies(runs, language) for runs in seeds),
            )  # fmt: skip
        table.add_row(words["chance"], "", "", *[f"{memory.chance[task]:.0%}"] * len(gaps))
        table.caption = words["seeds"].format(steps=memory.steps)
        table.caption_justify = "left"
        yield table
    table = Table(title=words["gradient"], title_justify="left", box=None, pad_edge=False)
    table.add_column(words["cell"])
    last = len(memory.gradients[0].norms) - 1
    shown = [distance for distance in SHOWN if distance <= last]
    for distance in shown:
        table.add_column(words["steps back"].format(distance), justify="right")
    for name in MEASURED:
        norms_SD = np.array([run.norms for run in memory.gradients if run.name == name])
        mean_D = geometric_mean(norms_SD)
        table.add_row(
            named(name, language),
            *(localized(f"{mean_D[distance]:.1e}", language) for distance in shown),
        )
    yield table


def _accuracies(seeds: list[float], language: str) -> str:
    """The mean over the seeds, and the range where it is a point or more."""
    mean = sum(seeds) / len(seeds)
    spread = f" ({min(seeds):.0%}-{max(seeds):.0%})" if max(seeds) - min(seeds) >= 0.01 else ""
    return localized(f"{mean:.1%}{spread}", language)
