"""Labelled reviews become texts and classes."""

from __future__ import annotations

import pytest

from sentir.errors import DataError
from sentir.io.classes import with_classes
from sentir.io.labels import LabelScheme
from sentir.io.reader import BadRows, Review

SCHEME = LabelScheme(("negative", "positive"), {"1": 0, "3": None, "5": 1})


def review(text: str, label: str) -> Review:
    return Review(text, label, "a.csv", 1, None)


def test_reviews_that_the_scheme_leaves_out_are_left_out() -> None:
    reviews = [review("a", "1"), review("b", "3"), review("c", "5")]
    assert with_classes(reviews, SCHEME, BadRows()) == (["a", "c"], [0, 1], [1, 1])


def test_labels_that_the_scheme_does_not_know_are_bad_rows() -> None:
    reviews = [review("a", "1"), review("b", "7")]
    with pytest.raises(DataError, match="'7'"):
        with_classes(reviews, SCHEME, BadRows())
    bad_rows = BadRows("skip")
    assert with_classes(reviews, SCHEME, bad_rows) == (["a"], [0], [1])
    assert bad_rows.count == 1
