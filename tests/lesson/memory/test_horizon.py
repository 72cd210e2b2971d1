from __future__ import annotations

import pytest

from fixtures.toy_bundle import toy
from sentir.errors import UsageError
from sentir.lesson.memory.horizon import horizon

TEXTS = ["the film was not good", "a wonderful hotel", "dull , bad , good", ""]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_nothing_changes_where_all_is_kept_and_all_is_the_same_where_nothing_is(
    bidirectional: bool,
) -> None:
    found = horizon(toy(bidirectional=bidirectional), TEXTS, kept=(0, 1, 2, 5))
    assert found.texts == 3
    for side in ("last", "first"):
        assert found.agreement[side][-1] == 1.0
        assert found.moved[side][-1] == 0.0
        assert found.moved[side][0] > 0
    assert found.moved["last"][0] == found.moved["first"][0], "nothing kept at either end"
    assert found.moved["last"][1] != found.moved["first"][1]


def test_it_tells_of_its_progress() -> None:
    told: list[int] = []
    horizon(toy(), TEXTS, kept=(0, 1), advance=told.append)
    assert sum(told) == 4


def test_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="no text holds a word"):
        horizon(toy(), ["", " "])
