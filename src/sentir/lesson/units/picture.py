"""What `sentir.lesson.units.experiment` found, as a table and as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from sentir.lesson.figures.style import lesson_figure, lesson_style
from sentir.lesson.language import tr
from sentir.lesson.units.experiment import Units
from sentir.lesson.units.properties import PROPERTIES

#: Characters of a picture.
SHOWN = 110
TEXTS = {
    "en": {
        "quotes": "inside quotation marks",
        "negation": "after a negation, to the end of the sentence",
        "sentence": "characters since the sentence began",
        "word": "characters since the word began",
        "auc": "AUC",
        "correlation": "correlation",
        "columns": ("what it tells", "unit", "score", "untrained network", "measure"),
        "caption": "{:.2f} bits a character, {:.2f} before training; units are chosen on "
        "other text than they are scored on",
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
        "columns": ("qué indica", "unidad", "valor", "red sin entrenar", "medida"),
        "caption": "{:.2f} bits por carácter, {:.2f} antes de entrenar; cada unidad se elige "
        "con un texto y se mide con otro",
        "title": "unidad {}: {}, {} {:.2f} (al azar {:.2f})",
        "cell": "estado de celda",
        "truth": "la propiedad misma",
    },
}


def table(found: Units, language: str = "en") -> Table:
    """For the terminal: a row for each property.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words: dict[str, Any] = tr(TEXTS, language)
    made = Table(box=None, pad_edge=False, caption_justify="left")
    made.caption = words["caption"].format(found.bits, found.bits_untrained)
    for at, name in enumerate(words["columns"]):
        made.add_column(name, justify="left" if at in (0, 4) else "right")
    for one in found.found:
        made.add_row(
            words[one.name], str(one.unit), f"{one.score:.3f}", f"{one.chance:.3f}", words[one.kind]
        )
    return made


@lesson_style()
def figure(found: Units, language: str = "en") -> Figure:
    """Each property's unit along a stretch of text, the property itself beneath it.

    The stretch is the first at which the property changes, whatever the unit does there.

    Raises:
        UsageError: the lesson does not speak that language.
    """
    words: dict[str, Any] = tr(TEXTS, language)
    made, axes = lesson_figure(len(found.found), columns=1, size_inches=(13, 2.5))
    for panel, one in zip(axes, found.found, strict=True):
        chosen = next(each for each in PROPERTIES if each.name == one.name)
        truth_T = chosen.of(found.text, language)
        changes = np.flatnonzero(np.diff(truth_T > truth_T.mean()))
        start = max(0, int(changes[0]) - SHOWN // 4) if len(changes) else 0
        part = slice(start, start + SHOWN)
        signs = found.text[part]
        places = np.arange(len(signs))
        panel.plot(places, one.sign * found.cells_TH[part, one.unit], "-", color="C0",
                   label=words["cell"])  # fmt: skip
        beside = panel.twinx()
        beside.fill_between(places, truth_T[part], step="mid", color="0.85", hatch="//",
                            edgecolor="0.7", label=words["truth"])  # fmt: skip
        beside.set_ylim(0, 2.5 * max(1.0, truth_T[part].max()))
        beside.set_yticks([])
        panel.set_zorder(beside.get_zorder() + 1)
        panel.patch.set_visible(False)
        letters = [sign if sign.strip() else "·" for sign in signs]
        panel.set_xticks(places, letters, family="monospace", fontsize=7)
        panel.tick_params(axis="x", length=0)
        panel.set_xlim(-0.5, len(signs) - 0.5)
        panel.set_title(
            words["title"].format(
                one.unit, words[one.name], words[one.kind], one.score, one.chance
            ),
            loc="left",
        )
        both = [*panel.get_legend_handles_labels()[0], *beside.get_legend_handles_labels()[0]]
        panel.legend(handles=both, frameon=False, loc="upper right")
    return made
