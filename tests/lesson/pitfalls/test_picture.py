from __future__ import annotations

from pathlib import Path

import pytest

from sentir.errors import UsageError
from sentir.lesson.pitfalls.experiment import Comparison
from sentir.lesson.pitfalls.picture import NAMES, figure, markdown, rows, table
from sentir.lesson.pitfalls.recipes import PITFALLS, Curve, Recipe


def comparison(*pitfalls: str) -> Comparison:
    """Two seeds per pitfall; the fixed recipe reaches 90 and 80 %, the others 30 points less."""
    curves = [
        Curve(pitfall=pitfall, seed=seed, steps=[1, 2], valid=[0.5, 0.6],
              test=(0.9 - 0.1 * seed) - 0.3 * (pitfall != "fixed"))
        for pitfall in pitfalls for seed in (0, 1)
    ]  # fmt: skip
    reviews = {"train": 7200, "valid": 800, "test": 2500}
    return Comparison(recipe=Recipe(), reviews=reviews, curves=curves)


ALL = comparison(*PITFALLS)


def test_points_lost_are_against_the_fixed_recipe() -> None:
    assert rows(ALL)[0] == ("none (fixed)", "85.00%", "80.00% - 90.00%", "")
    assert rows(ALL)[1][1:] == ("55.00%", "50.00% - 60.00%", "30.0")
    assert rows(ALL, "es")[1][1:] == ("55,00\u00a0%", "50,00\u00a0% - 60,00\u00a0%", "30,0")
    assert rows(comparison("carried"))[0][3] == ""


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_pitfall_has_its_row_and_its_panel(language: str, tmp_path: Path) -> None:
    assert [row[0] for row in rows(ALL, language)] == [NAMES[language][name] for name in PITFALLS]
    assert markdown(ALL, language).count("\n") == len(PITFALLS) + 1
    assert table(ALL, language).row_count == len(PITFALLS)
    drawing = figure(ALL, language)
    assert len(drawing.axes) == len(PITFALLS) - 1
    drawing.savefig(tmp_path / "pitfalls.svg")


def test_a_single_pitfall_has_one_panel() -> None:
    assert len(figure(comparison("carried")).axes) == 1


def test_the_caption_counts_reviews_and_seeds() -> None:
    assert table(ALL).caption == "7,200 training and 2,500 test reviews; seeds: 2"
    assert str(table(ALL, "es").caption).startswith("7200 reseñas de entrenamiento")


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="does not speak 'fr'"):
        table(ALL, "fr")
