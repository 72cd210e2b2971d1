"""Which classes are ordered."""

from __future__ import annotations

import pytest

from sentir.class_order import are_ordered


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["1", "2", "3", "4", "5"], True),
        (["-1", "0", "1"], True),
        (["0.5", "1.0", "4"], True),
        (["1", "2"], False),
        (["5", "4", "3"], False),
        (["1", "1.0", "2"], False),
        (["bad", "fair", "good"], False),
        (["1", "2", "good"], False),
        (["1", "2", "inf"], False),
        (["1", "nan", "2"], False),
        ([], False),
    ],
)
def test_numbers_in_ascending_order_are_ordered(names: list[str], expected: bool) -> None:
    assert are_ordered(names) is expected
