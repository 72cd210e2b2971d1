from __future__ import annotations

import pytest

from fixtures.toy_bundle import toy
from sentir.errors import UsageError
from sentir.lesson.memory.horizon import figure, horizon, table

TEXTS = ["the film was not good", "a wonderful hotel", "dull , bad , good", ""]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_answers_agree_where_all_is_visible_and_depend_on_the_side_where_it_is_not(
    bidirectional: bool,
) -> None:
    measured = horizon(toy(bidirectional=bidirectional), TEXTS, kept=(0, 1, 2, 5))
    assert measured.texts == 3
    for side in ("last", "first"):
        assert measured.agreement[side][-1] == 1.0
        assert measured.moved[side][-1] == 0.0
        assert measured.moved[side][0] > 0
    assert measured.moved["last"][0] == measured.moved["first"][0], "nothing kept at either end"
    assert measured.moved["last"][1] != measured.moved["first"][1]


def test_progress_is_reported() -> None:
    advanced: list[int] = []
    horizon(toy(), TEXTS, kept=(0, 1), advance=advanced.append)
    assert sum(advanced) == 4


def test_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="no text holds a word"):
        horizon(toy(), ["", " "])


def test_the_table_and_the_figure_show_both_sides() -> None:
    measured = horizon(toy(), TEXTS, kept=(0, 5))
    spanish = table(measured, "es")
    assert spanish.row_count == 2
    assert [list(column.cells)[1] for column in spanish.columns] == [
        "5", "100,0\u00a0%", "0,000", "100,0\u00a0%", "0,000"
    ]  # fmt: skip
    assert len(figure(measured, "en").axes) == 2
