"""Labelled reviews as texts and classes."""

from __future__ import annotations

from collections.abc import Iterable

from sentir.errors import DataError
from sentir.io.labels import LabelScheme
from sentir.io.reader import BadRows, Review


def texts_and_classes(
    reviews: Iterable[Review], labels: LabelScheme, bad_rows: BadRows
) -> tuple[list[str], list[int]]:
    """Texts and classes of the reviews, without those whose label the scheme leaves out."""
    texts, classes = [], []
    for review in reviews:
        try:
            class_id = labels.class_id(review.label or "", f"{review.path}:{review.line}")
        except DataError as error:
            bad_rows.report(error)
            continue
        if class_id is not None:
            texts.append(review.text)
            classes.append(class_id)
    return texts, classes
