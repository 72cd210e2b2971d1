"""Labelled reviews as texts and classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sentir.errors import DataError
from sentir.io.labels import LabelScheme
from sentir.io.reader import BadRows, Review


class LabelledTexts(NamedTuple):
    """Reviews by column: their texts, classes, and how much each counts."""

    texts: list[str]
    classes: list[int]
    weights: list[float]


def with_classes(
    reviews: Iterable[Review], labels: LabelScheme, bad_rows: BadRows
) -> LabelledTexts:
    """The reviews without those whose label the scheme leaves out."""
    chosen = LabelledTexts([], [], [])
    for review in reviews:
        try:
            class_id = labels.class_id(review.label or "", f"{review.path}:{review.line}")
        except DataError as error:
            bad_rows.report(error)
            continue
        if class_id is not None:
            chosen.texts.append(review.text)
            chosen.classes.append(class_id)
            chosen.weights.append(review.weight)
    return chosen
