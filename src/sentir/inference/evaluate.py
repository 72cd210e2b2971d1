"""A trained model measured on labelled reviews, streamed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from sentir.data.encoding import texts_and_classes
from sentir.errors import DataError
from sentir.evaluation.metrics import Metrics, Mistake, Mistakes, measure
from sentir.inference.predictor import WINDOW, Predictor
from sentir.io.reader import BadRows, ReadOptions, read_reviews


class Measured(NamedTuple):
    """The figures, and the mistakes the model was surest of."""

    metrics: Metrics
    mistakes: list[Mistake]


def evaluate(
    predictor: Predictor,
    sources: Sequence[str],
    *,
    options: ReadOptions,
    bad_rows: BadRows,
    labels: str | None = None,
    keep: int = 20,
    advance: Callable[[int], None] = lambda count: None,
) -> Measured:
    """Measure on files of labelled reviews; memory holds a few thousand of them at a time.

    Args:
        predictor: the model.
        sources: files, globs, URLs, ``-`` or names of data sets.
        options: how they are read.
        faults: where bad rows go, labels that the model does not know among them.
        labels: how labels become the model's classes (``bad=negative,good=positive``); unset: as in
            training.
        keep: mistakes kept.
        advance: told how many more reviews went through.

    Raises:
        DataError: a file cannot be read, a label is unknown, or no review is left.
    """
    scheme = predictor.bundle.labels.renamed(labels) if labels else predictor.bundle.labels
    mistakes = Mistakes(keep)
    answers, classes = [], []
    reviews = read_reviews(sources, options, bad_rows=bad_rows)
    while window := list(islice(reviews, 4 * WINDOW)):
        texts, labels_B = texts_and_classes(window, scheme, bad_rows)
        if texts:
            answers.append(predictor.predict_proba(texts))
            classes.append(np.array(labels_B))
            mistakes.add(answers[-1], classes[-1], texts)
        advance(len(window))
    if not answers:
        raise DataError("no labelled review to measure on", where=", ".join(sources))
    metrics = measure(np.concatenate(answers), np.concatenate(classes), predictor.labels)
    return Measured(metrics, mistakes.worst())
