"""Slides of a chapter."""

from __future__ import annotations

from pathlib import Path

from fixtures.chapter_source import OPENING, twins, write_chapter
from press.running import Ran, Shown, run_chapter
from press.slides import Slide, slides

CELLS = "```python\nprint('printed')\n```\n\n"


def made(folder: Path, prose: str) -> list[Slide]:
    chapter = write_chapter(folder, OPENING + twins(prose, prose))
    return slides(chapter, run_chapter(chapter, "es"), "es")


def text(slide: Slide) -> str:
    return " ".join([slide.title, *slide.parts])


def test_the_first_slide_has_the_title_and_the_summary(tmp_path: Path) -> None:
    chapter = write_chapter(tmp_path, OPENING + CELLS)
    (first,) = slides(chapter, run_chapter(chapter, "es"), "es")
    assert "Título" in first.title
    assert "Resumen." in text(first)
    assert "printed" not in text(first)


def test_a_section_is_a_slide_of_first_sentences_formulas_and_lists(tmp_path: Path) -> None:
    prose = (
        "## Uno\n\nVale $a = 0.5$ aquí. Y más.\n\n$$x = 1$$\n\n- esto\n- eso\n\n"
        "## Dos\n\n¿Por qué? Sí."
    )
    _, first, second = made(tmp_path, prose)
    assert "aquí." in text(first)
    assert "Y más" not in text(first)
    assert text(first).count("<math") == 2
    assert text(first).count("<li>") == 2
    assert "¿Por qué?" in text(second)
    assert "Sí." not in text(second)


def test_what_does_not_fit_goes_on_under_the_same_heading(tmp_path: Path) -> None:
    items = "\n".join(f"- punto {number}" for number in range(14))
    rows = "\n".join(f"| {number} | b |" for number in range(14))
    table = f"| a | b |\n| --- | --- |\n{rows}"
    _, *others = made(tmp_path, f"## Uno\n\n{items}\n\n{table}")
    assert len(others) == 4
    assert len({slide.title for slide in others}) == 1
    whole = " ".join(map(text, others))
    assert whole.count("<li>") == 14
    assert whole.count("<tr>") == 14 + 2


def test_pictures_are_shown_and_tables_of_cells_are_not(tmp_path: Path) -> None:
    chapter = write_chapter(tmp_path, OPENING + CELLS)
    shown = [Shown("html", "<svg></svg>"), Shown("html", "<table></table>")]
    (first,) = slides(chapter, Ran(("# Título\n\nResumen.", shown)), "es")
    assert "<svg>" in text(first)
    assert "<table>" not in text(first)
