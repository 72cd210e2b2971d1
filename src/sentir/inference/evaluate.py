"""A trained model measured on labelled reviews, which are streamed.

Shapes: N reviews.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sentir.bundle import Bundle, as_bundle, load_scheme, local_model
from sentir.confidence import Answered
from sentir.config import ReadOptions, read_settings
from sentir.errors import DataError
from sentir.evaluation.metrics import Metrics, measure, warn_of_imbalance
from sentir.evaluation.mistakes import Mistake, Mistakes
from sentir.evaluation.selective import measure_answered, warn_of_coverage
from sentir.inference.predictor import WINDOW, Predictor
from sentir.io.first_rows import check_first_rows
from sentir.io.label_tally import LabelTally
from sentir.io.paths import Paths, path_list
from sentir.io.reader import BadRows, read_reviews
from sentir.io.row_reader import ColumnLog


class EvaluationResult(NamedTuple):
    """What `evaluate` measured.

    Attributes:
        metrics: accuracy and all other figures.
        mistakes: the most confident mistakes, the most confident first.
        skipped: rows left out under ``on_error="skip"``.
        answered: how many reviews reach the model's threshold of confidence, and the accuracy over
            them; None if it has none. `metrics` are of all reviews.
    """

    metrics: Metrics
    mistakes: list[Mistake]
    skipped: BadRows
    answered: Answered | None = None


def evaluate(
    model: str | Path | Bundle | Predictor,
    test: Paths,
    *,
    labels: str | None = None,
    mistakes: int = 20,
    progress: Callable[[int], None] = lambda count: None,
    **settings: Any,
) -> EvaluationResult:
    """Measure a model on labelled reviews; a few thousand of them are in memory at a time.

    >>> import sentir
    >>> sentir.evaluate("runs/shop", "test.csv").metrics.accuracy  # doctest: +SKIP
    0.93

    Texts and labels are read from the columns that they were read from in training, where these
    are there. Other columns, skipped rows, classes without a review, accuracy that hides a class
    that is hardly found, and a lower coverage than was promised, are warned of
    (`sentir.SentirWarning`).

    Args:
        model: the folder of a model or a run, a bundle, or a loaded model (`sentir.load`), which
            answers with its own engine and precision.
        test: labelled reviews: a path, glob, URL or name of a data set, or a list of them.
        labels: how the files' labels become the model's classes, such as
            ``bad=negative,good=positive``; unset: as in training.
        mistakes: how many mistakes to keep.
        progress: called with the number of reviews that were read since the last call; 0: all are.
        **settings: how files are read, such as ``text_column=("title", "body")`` or
            ``on_error="skip"`` (any field of `sentir.config.ReadOptions`).

    Raises:
        BundleError: there is no classifier in the folder.
        ConfigError: an unknown setting, or a value out of range.
        DataError: a file cannot be read, a label is unknown or means something else in training,
            or no review is left.
    """
    options, _ = read_settings(settings)
    sources = path_list(test, "test")
    if isinstance(model, str | Path):
        model = local_model(model)
        check_files(model, sources, options, labels=labels)
    predictor = model if isinstance(model, Predictor) else Predictor(as_bundle(model), bulk=True)
    bad_rows, worst = BadRows(options.on_error), Mistakes(mistakes)
    measured = answer_labelled(
        predictor, sources, options, bad_rows, labels=labels, mistakes=worst, progress=progress
    )
    metrics = measure(*measured, predictor.labels, predictor.bundle.decision)
    warn_of_imbalance(metrics)
    answered, threshold = None, predictor.bundle.threshold
    if threshold is not None:
        probabilities_NC, labels_N = measured
        answered = measure_answered(
            predictor.decision_scores(probabilities_NC), labels_N, threshold
        )
        warn_of_coverage(answered, threshold)
    return EvaluationResult(metrics, worst.worst(), bad_rows, answered)


def answer_labelled(
    predictor: Predictor,
    sources: Sequence[str],
    options: ReadOptions,
    bad_rows: BadRows,
    *,
    labels: str | None,
    mistakes: Mistakes,
    progress: Callable[[int], None],
) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities (N, C) of labelled reviews, and their classes (N,).

    Raises:
        ConfigError, DataError: as `evaluate`.
    """
    scheme = predictor.bundle.labels.renamed(labels) if labels else predictor.bundle.labels
    probabilities, classes = [], []
    tally = LabelTally(scheme, is_given=labels not in (None, "auto"))
    columns = ColumnLog(predictor.bundle.columns)
    windows = labelled_windows(sources, options, tally, bad_rows, columns, progress)
    for texts, classes_N in windows:
        probabilities.append(predictor.predict_proba(texts))
        classes.append(classes_N)
        mistakes.add(probabilities[-1], classes_N, texts, predictor.bundle.decision)
    bad_rows.warn(kept=sum(map(len, classes)))
    if not probabilities:
        raise DataError("no labelled review to measure on", where=", ".join(sources))
    return np.concatenate(probabilities), np.concatenate(classes)


def labelled_windows(
    sources: Sequence[str],
    options: ReadOptions,
    tally: LabelTally,
    bad_rows: BadRows,
    columns: ColumnLog,
    progress: Callable[[int], None],
) -> Iterator[tuple[list[str], np.ndarray]]:
    """A few thousand texts at a time and their classes (N,), without rows that are left out.

    Raises:
        DataError: as `read_reviews` and `LabelTally.check`, the latter at the end.
    """
    reviews = read_reviews(sources, options, bad_rows=bad_rows, columns=columns)
    while window := list(islice(reviews, 4 * WINDOW)):
        chosen = tally.classes(window, bad_rows)
        if chosen.texts:
            yield chosen.texts, np.array(chosen.classes)
        progress(len(window))
    progress(0)
    tally.check()


def check_files(
    model: str | Path, files: Sequence[str], options: ReadOptions, *, labels: str | None
) -> None:
    """Find what is wrong with the files and the labels before the model is loaded.

    Raises:
        BundleError: there is no classifier in the folder.
        ConfigError: `labels` cannot be read.
        DataError: as `check_first_rows`.
    """
    scheme, columns = load_scheme(model)
    if labels:
        scheme.renamed(labels)
    check_first_rows(files, options, trained_on=columns)
