from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.chapter_source import OPENING, twins, write_chapter
from press.chapter import Chapter, SourceError
from press.running import fill_in, inside_formula, not_run, run_chapter, split_format


def shown(chapter: Chapter, language: str = "es") -> list[str]:
    blocks = run_chapter(chapter, language).blocks
    return [
        block if isinstance(block, str) else " ".join(output.body for output in block)
        for block in blocks
    ]


def test_cells_show_what_they_print_and_their_last_value(tmp_path: Path) -> None:
    cells = "```python\nprint(language)\n1 + 1\n```\n\n```python\nx = 3\nNone\n```\n\n"
    prose = twins("Son {{x / 4:.1%}} de {{x - 1}}.", "It is {{x / 4:.1%}}.")
    chapter = write_chapter(tmp_path, OPENING + cells + prose)
    assert shown(chapter)[1:] == ["es 2", "", "Son 75,0\u00a0% de 2."]
    assert shown(chapter, "en")[1:] == ["en 2", "", "It is 75.0%."]


def test_spanish_values_have_a_decimal_comma_in_formulas_too() -> None:
    names = {"x": 0.25, "by": {"a:b": 1234.5}}
    spanish = "Vale {{x:.2f}}, es decir, $x = {{x:.2f}}$ y {{by['a:b']:,.1f}}."
    assert fill_in(spanish, names, "es") == "Vale 0,25, es decir, $x = 0{,}25$ y 1234,5."
    assert fill_in("It is ${{x:.2f}}$.", names, "en") == "It is $0.25$."


@pytest.mark.parametrize(
    ("inserted", "parts"),
    [("x", ("x", "")), ("x:.1%", ("x", ".1%")), ("x[1:3]", ("x[1:3]", "")),
     ("x['a:b']:.2f", ("x['a:b']", ".2f")), ("weights:,", ("weights", ","))],
)  # fmt: skip
def test_a_format_starts_at_the_colon_after_the_expression(
    inserted: str, parts: tuple[str, str]
) -> None:
    assert split_format(inserted) == parts


def test_a_position_is_inside_a_formula_between_dollars() -> None:
    text = "a $b$ c $$d$$ e"
    assert [inside_formula(text, text.index(letter)) for letter in "abcde"] == [
        False, True, False, True, False
    ]  # fmt: skip


def test_a_claim_that_does_not_hold_stops_the_run_at_its_line(tmp_path: Path) -> None:
    chapter = write_chapter(tmp_path, OPENING + "```python claims\nx = 1\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as error:
        run_chapter(chapter, "en")
    assert error.traceback[-1].lineno + 1 == 15
    assert chapter.path.read_text("utf-8").splitlines()[15 - 1] == "assert x == 2"


def test_a_bare_figure_is_refused(tmp_path: Path) -> None:
    cell = "```python\nfrom matplotlib.figure import Figure\n\nFigure()\n```\n"
    with pytest.raises(SourceError, match=r"01-test\.md:14: a bare figure"):
        run_chapter(write_chapter(tmp_path, OPENING + cell), "es")


def test_a_chapter_that_is_not_run_has_no_values(tmp_path: Path) -> None:
    text = OPENING + "```python\nx = 1 / 0\n```\n\n" + twins("Son {{x}}.", "It is {{x}}.")
    assert not_run(write_chapter(tmp_path, text), "en").blocks == (
        "# Title\n\nSummary.", [], "It is …."
    )  # fmt: skip
