"""The table of pitfalls, for the terminal and as Markdown, and its picture."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from sentir.lesson.figures.style import lesson_figure, lesson_style
from sentir.lesson.language import localized, tr
from sentir.lesson.pitfalls.experiment import Comparison

NAMES = {
    "en": {
        "fixed": "none (fixed)",
        "carried": "state carried between batches",
        "uninitialised": "state never set to zero",
        "left padding": "padding left, read as text",
        "right padding": "padding right, last step taken",
        "unknown": "unknown words read as padding",
        "all": "all but padding right, together",
    },
    "es": {
        "fixed": "ninguno (corregida)",
        "carried": "estado arrastrado entre lotes",
        "uninitialised": "estado nunca puesto a cero",
        "left padding": "relleno a la izquierda, leído",
        "right padding": "relleno a la derecha, último paso",
        "unknown": "desconocidas leídas como relleno",
        "all": "todos menos relleno a la derecha",
    },
}
TEXTS = {
    "en": {
        "pitfall": "pitfall",
        "test": "accuracy",
        "spread": "lowest - highest seed",
        "difference": "points lost",
        "valid": "validation accuracy",
        "step": "step",
        "fixed": "fixed",
        "chance": "chance",
        "caption": "{train:,} training and {test:,} test reviews; seeds: {seeds}",
    },
    "es": {
        "pitfall": "fallo",
        "test": "aciertos",
        "spread": "según semilla",
        "difference": "puntos menos",
        "valid": "aciertos en validación",
        "step": "paso",
        "fixed": "corregida",
        "chance": "azar",
        "caption": "{train:,} reseñas de entrenamiento y {test:,} de prueba; semillas: {seeds}",
    },
}


def rows(comparison: Comparison, language: str = "en") -> list[tuple[str, str, str, str]]:
    """For each pitfall its name, mean accuracy, range over the seeds, and the points it costs.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    names = tr(NAMES, language)
    fixed = [curve.test for curve in comparison.of("fixed")]
    lines = []
    for pitfall in comparison.pitfalls:
        tests = [curve.test for curve in comparison.of(pitfall)]
        mean, lost = np.mean(tests), ""
        if fixed and pitfall != "fixed":
            lost = f"{100 * (np.mean(fixed) - mean):.1f}"
        numbers = (f"{mean:.2%}", f"{min(tests):.2%} - {max(tests):.2%}", lost)
        mean_text, spread, lost = (localized(number, language) for number in numbers)
        lines.append((names[pitfall], mean_text, spread, lost))
    return lines


def table(comparison: Comparison, language: str = "en") -> Table:
    """The table for the terminal.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    printed = Table(
        box=None, pad_edge=False, caption=_caption(comparison, language), caption_justify="left"
    )
    printed.add_column(words["pitfall"])
    for name in ("test", "spread", "difference"):
        printed.add_column(words[name], justify="right")
    for row in rows(comparison, language):
        printed.add_row(*row)
    return printed


def markdown(comparison: Comparison, language: str = "en") -> str:
    """The table as Markdown.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    head = [words[name] for name in ("pitfall", "test", "spread", "difference")]
    lines = [head, ["---", *["--:"] * 3], *rows(comparison, language)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@lesson_style()
def figure(comparison: Comparison, language: str = "en") -> Figure:
    """One panel per pitfall: its validation curves, those of the fixed recipe dashed.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words, names = tr(TEXTS, language), tr(NAMES, language)
    shown = [pitfall for pitfall in comparison.pitfalls if pitfall != "fixed"] or ["fixed"]
    drawing, axes = lesson_figure(len(shown), columns=3, size_inches=(3.8, 2.7))
    fixed = comparison.of("fixed")
    for pitfall, panel in zip(shown, axes, strict=True):
        curves = comparison.of(pitfall)
        panel.set_title(names[pitfall], loc="left", fontsize=9)
        for curve in fixed:
            panel.plot(curve.steps, curve.valid, color="0.45", linestyle="--", linewidth=1)
        for curve in curves:
            panel.plot(curve.steps, curve.valid, color="C0", marker="o", markersize=3)
        for drawn, colour in ((curves, "C0"), (fixed, "0.45")):
            if drawn:
                level = float(np.mean([curve.test for curve in drawn]))
                panel.plot([drawn[0].steps[-1]], [level], marker="D", color=colour, clip_on=False)
        panel.axhline(0.5, color="0.4", linewidth=0.8)
        panel.text(0, 0.49, words["chance"], va="top", color="0.3", fontsize=8)
        panel.set(ylim=(0.3, 1.0), xlabel=words["step"], ylabel=words["valid"])
        panel.set_xlim(left=0)
    return drawing


def _caption(comparison: Comparison, language: str) -> str:
    seeds = len({curve.seed for curve in comparison.curves})
    caption: str = tr(TEXTS, language)["caption"].format(**comparison.reviews, seeds=seeds)
    return localized(caption, language)
