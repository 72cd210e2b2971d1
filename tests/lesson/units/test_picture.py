from __future__ import annotations

import numpy as np
import pytest

from sentir.errors import UsageError
from sentir.lesson.units.experiment import BestUnit, Units
from sentir.lesson.units.picture import figure, table

TEXT = "It was fine. It was not good at all. Then it was." * 5
UNITS = Units(
    bits=1.5,
    bits_untrained=4.25,
    best=[
        BestUnit(name="negation", kind="auc", unit=3, sign=-1, score=0.8125, chance=0.55),
        BestUnit(name="word", kind="correlation", unit=1, sign=1, score=0.75, chance=0.25),
    ],
    text=TEXT,
    cells_TH=np.zeros((len(TEXT), 4)),
)


def test_the_table_has_a_row_per_property() -> None:
    rows = [list(column.cells) for column in table(UNITS).columns]
    assert rows[1] == ["3", "1"]
    assert rows[2] == ["0.812", "0.750"]
    assert [list(column.cells) for column in table(UNITS, "es").columns][2] == ["0,812", "0,750"]
    assert str(table(UNITS, "es").caption).startswith("1,50 bits por carácter, 4,25")


@pytest.mark.parametrize(("language", "title"), [
    ("en", "unit 3: after a negation, to the end of the sentence, AUC 0.81 (chance 0.55)"),
    ("es", "unidad 3: tras una negación, hasta el final de la frase, AUC 0,81 (al azar 0,55)"),
])  # fmt: skip
def test_the_figure_has_a_panel_per_property(language: str, title: str) -> None:
    drawing = figure(UNITS, language)
    assert len(drawing.axes) == 2 * len(UNITS.best)
    assert drawing.axes[0].get_title(loc="left") == title


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="does not speak 'fr'"):
        table(UNITS, "fr")
