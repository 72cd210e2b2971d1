"""The table of faults, for the terminal and as Markdown, and its picture."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from sentir.lesson.figures.style import lesson_figure, lesson_style
from sentir.lesson.language import tr
from sentir.lesson.pitfalls.experiment import Comparison

NAMES = {
    "en": {
        "fixed": "none (fixed)",
        "carried": "state carried between batches",
        "uninitialised": "state never set to zero",
        "left padding": "padding left, read as text",
        "right padding": "padding right, last step taken",
        "unknown": "unknown words read as padding",
        "all": "the lesson's own together",
    },
    "es": {
        "fixed": "ninguno (corregida)",
        "carried": "estado arrastrado entre lotes",
        "uninitialised": "estado nunca puesto a cero",
        "left padding": "relleno a la izquierda, leído",
        "right padding": "relleno a la derecha, último paso",
        "unknown": "desconocidas leídas como relleno",
        "all": "los de la lección, juntos",
    },
}
TEXTS = {
    "en": {
        "fault": "fault",
        "test": "right",
        "spread": "of the seeds",
        "difference": "points lost",
        "valid": "validation reviews right",
        "step": "step",
        "fixed": "fixed",
        "chance": "chance",
        "caption": "{train:,} reviews learnt from, {test:,} tested on; {seeds} seeds",
    },
    "es": {
        "fault": "fallo",
        "test": "aciertos",
        "spread": "según semilla",
        "difference": "puntos menos",
        "valid": "aciertos en validación",
        "step": "paso",
        "fixed": "corregida",
        "chance": "azar",
        "caption": "{train:,} reseñas para aprender, {test:,} de prueba; {seeds} semillas",
    },
}


def rows(found: Comparison, language: str = "en") -> list[tuple[str, str, str, str]]:
    """For each fault its name, mean accuracy, spread, and the points it costs.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    names = tr(NAMES, language)
    best = [curve.test for curve in found.of("fixed")]
    told = []
    for pitfall in found.pitfalls:
        tests = [curve.test for curve in found.of(pitfall)]
        mean, lost = np.mean(tests), ""
        if best and pitfall != "fixed":
            lost = f"{100 * (np.mean(best) - mean):.1f}"
        told.append((names[pitfall], f"{mean:.2%}", f"{min(tests):.2%} - {max(tests):.2%}", lost))
    return told


def table(found: Comparison, language: str = "en") -> Table:
    """For the terminal.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    made = Table(
        box=None, pad_edge=False, caption=_caption(found, language), caption_justify="left"
    )
    made.add_column(words["fault"])
    for name in ("test", "spread", "difference"):
        made.add_column(words[name], justify="right")
    for row in rows(found, language):
        made.add_row(*row)
    return made


def markdown(found: Comparison, language: str = "en") -> str:
    """The same as Markdown.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words = tr(TEXTS, language)
    head = [words[name] for name in ("fault", "test", "spread", "difference")]
    lines = [head, ["---", *["--:"] * 3], *rows(found, language)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@lesson_style()
def figure(found: Comparison, language: str = "en") -> Figure:
    """A panel a fault: its validation curves, and the fixed recipe's beside them, dashed.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words, names = tr(TEXTS, language), tr(NAMES, language)
    shown = [pitfall for pitfall in found.pitfalls if pitfall != "fixed"] or ["fixed"]
    made, axes = lesson_figure(len(shown), columns=3, size_inches=(3.8, 2.7))
    fixed = found.of("fixed")
    for pitfall, panel in zip(shown, axes, strict=True):
        curves = found.of(pitfall)
        panel.set_title(names[pitfall], loc="left", fontsize=9)
        for curve in fixed:
            panel.plot(curve.steps, curve.valid, color="0.45", linestyle="--", linewidth=1)
        for curve in curves:
            panel.plot(curve.steps, curve.valid, color="C0", marker="o", markersize=3)
        for drawn, colour in ((curves, "C0"), (fixed, "0.45")):
            if drawn:
                level = float(np.mean([one.test for one in drawn]))
                panel.plot([drawn[0].steps[-1]], [level], marker="D", color=colour, clip_on=False)
        panel.axhline(0.5, color="0.4", linewidth=0.8)
        panel.text(0, 0.49, words["chance"], va="top", color="0.3", fontsize=8)
        panel.set(ylim=(0.3, 1.0), xlabel=words["step"], ylabel=words["valid"])
        panel.set_xlim(left=0)
    return made


def _caption(found: Comparison, language: str) -> str:
    seeds = len({curve.seed for curve in found.curves})
    return tr(TEXTS, language)["caption"].format(**found.reviews, seeds=seeds)
