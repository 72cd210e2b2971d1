"""The best units of `sentir.lesson.units.experiment` as a table and as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from sentir.lesson.figures.style import lesson_figure, lesson_style
from sentir.lesson.language import localized, tr
from sentir.lesson.units.experiment import Units
from sentir.lesson.units.properties import PROPERTIES

#: Characters per panel.
SHOWN = 110
TEXTS = {
    "en": {
        "quotes": "inside quotation marks",
        "negation": "after a negation, to the end of the sentence",
        "sentence": "characters since the sentence began",
        "word": "characters since the word began",
        "auc": "AUC",
        "correlation": "correlation",
        "columns": ("property", "unit", "score", "untrained network", "measure"),
        "caption": "{:.2f} bits per character, {:.2f} before training; units are chosen on one "
        "text and scored on another",
        "title": "unit {}: {}, {} {:.2f} (chance {:.2f})",
        "cell": "cell state",
        "truth": "the property itself",
    },
    "es": {
        "quotes": "entre comillas",
        "negation": "tras una negación, hasta el final de la frase",
        "sentence": "caracteres desde el comienzo de la frase",
        "word": "caracteres desde el comienzo de la palabra",
        "auc": "AUC",
        "correlation": "correlación",
        "columns": ("propiedad", "unidad", "valor", "red sin entrenar", "medida"),
        "caption": "{:.2f} bits por carácter, {:.2f} antes de entrenar; cada unidad se elige "
        "con un texto y se mide con otro",
        "title": "unidad {}: {}, {} {:.2f} (al azar {:.2f})",
        "cell": "estado de celda",
        "truth": "la propiedad misma",
    },
}


def table(units: Units, language: str = "en") -> Table:
    """The table for the terminal: one row per property.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words: dict[str, Any] = tr(TEXTS, language)
    printed = Table(box=None, pad_edge=False, caption_justify="left")
    printed.caption = localized(words["caption"].format(units.bits, units.bits_untrained), language)
    for column, name in enumerate(words["columns"]):
        printed.add_column(name, justify="left" if column in (0, 4) else "right")
    for best in units.best:
        score, chance = (localized(f"{value:.3f}", language) for value in (best.score, best.chance))
        printed.add_row(words[best.name], str(best.unit), score, chance, words[best.kind])
    return printed


@lesson_style()
def figure(units: Units, language: str = "en") -> Figure:
    """The unit of each property along a stretch of text, with the property behind it.

    The stretch starts shortly before the first change of the property.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words: dict[str, Any] = tr(TEXTS, language)
    drawing, axes = lesson_figure(len(units.best), columns=1, size_inches=(13, 2.5))
    for panel, best in zip(axes, units.best, strict=True):
        tracked = next(each for each in PROPERTIES if each.name == best.name)
        truth_T = tracked.of(units.text, language)
        changes = np.flatnonzero(np.diff(truth_T > truth_T.mean()))
        start = max(0, int(changes[0]) - SHOWN // 4) if len(changes) else 0
        part = slice(start, start + SHOWN)
        characters = units.text[part]
        positions = np.arange(len(characters))
        panel.plot(positions, best.sign * units.cells_TH[part, best.unit], "-", color="C0",
                   label=words["cell"])  # fmt: skip
        background = panel.twinx()
        background.fill_between(positions, truth_T[part], step="mid", color="0.85", hatch="//",
                            edgecolor="0.7", label=words["truth"])  # fmt: skip
        background.set_ylim(0, 2.5 * max(1.0, truth_T[part].max()))
        background.set_yticks([])
        panel.set_zorder(background.get_zorder() + 1)
        panel.patch.set_visible(False)
        labels = [character if character.strip() else "·" for character in characters]
        panel.set_xticks(positions, labels, family="monospace", fontsize=7)
        panel.tick_params(axis="x", length=0)
        panel.set_xlim(-0.5, len(characters) - 0.5)
        panel.set_title(
            localized(
                words["title"].format(
                    best.unit, words[best.name], words[best.kind], best.score, best.chance
                ),
                language,
            ),
            loc="left",
        )
        handles = [
            *panel.get_legend_handles_labels()[0],
            *background.get_legend_handles_labels()[0],
        ]
        panel.legend(handles=handles, frameon=False, loc="upper right")
    return drawing
