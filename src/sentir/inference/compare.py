"""Runs compared: their settings and figures, and their answers to the same reviews."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sentir.bundle import Bundle, find_bundle, load_bundle
from sentir.config import ReadOptions, read_settings
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.evaluation.comparison.comparison import Comparison, compare_runs
from sentir.evaluation.comparison.groups import short_names
from sentir.evaluation.comparison.paired import PairedTest, mcnemar
from sentir.evaluation.comparison.runs import describe_run
from sentir.extras import require
from sentir.inference.evaluate import labelled_windows
from sentir.inference.predictor import Predictor
from sentir.io.label_tally import LabelTally
from sentir.io.labels import LabelScheme
from sentir.io.paths import Paths, path_list
from sentir.io.reader import BadRows
from sentir.io.row_reader import ColumnLog


def compare(
    runs: Sequence[str | Path],
    *,
    test: Paths = (),
    labels: str | None = None,
    progress: Callable[[int], None] = lambda count: None,
    **settings: Any,
) -> Comparison:
    """Put finished runs side by side; runs that differ only in their seed are one group.

    >>> import sentir
    >>> sentir.compare(["runs/a", "runs/b"]).groups[0].name  # doctest: +SKIP
    'a'

    What makes the figures incomparable is warned of (`sentir.SentirWarning`): other validation or
    test reviews, other classes, synthetic reviews.

    Args:
        runs: folders of runs of `sentir.train`, two or more.
        test: labelled reviews to measure all of them on, each against the first by McNemar's test;
            empty: nothing is measured anew.
        labels: how the labels of `test` become classes, as in `sentir.evaluate`; unset: as in the
            training of the first run.
        progress: called with the number of reviews of `test` that were read since the last call.
        **settings: how `test` is read (any field of `sentir.config.ReadOptions`).

    Raises:
        BundleError: a folder holds no finished classifier.
        ConfigError: an unknown setting, or a value out of range.
        DataError: a run or a file is damaged, or no review is left.
        MissingExtraError: with `test`, SciPy is not installed.
        UsageError: fewer than two runs, one of them twice, or other classes with `test`.
    """
    options, _ = read_settings(settings)
    sources = path_list(test, "test")
    paths = path_list(runs, "runs")
    if len(paths) < 2:
        raise UsageError(f"{len(paths)} run to compare", todo="give two runs or more")
    folders = _distinct_folders(paths)
    if sources:
        require("comparing on one file", "scipy")
    bundles, described = [], []
    for path, folder in zip(paths, folders, strict=True):
        bundle = load_bundle(folder)
        described.append(describe_run(folder, bundle, path))
        if sources:
            bundles.append(bundle)
    comparison = compare_runs(described)
    for warning in comparison.warnings:
        warnings.warn(warning, SentirWarning, stacklevel=2)
    if not sources:
        return comparison
    short = short_names(described)
    paired = _paired([short[path] for path in paths], bundles, sources, labels, options, progress)
    return dataclasses.replace(comparison, paired=paired)


def _columns(names: Sequence[str], bundles: Sequence[Bundle], options: ReadOptions) -> ColumnLog:
    """The columns that all runs were trained on.

    Raises:
        UsageError: they differ, and none is named.
    """
    for name, bundle in zip(names, bundles, strict=True):
        if bundle.columns != bundles[0].columns and not options.text_column:
            raise UsageError(
                f"{names[0]} and {name} were trained on other columns",
                todo="name the text to compare them on with --text-column",
            )
    return ColumnLog(bundles[0].columns)


def _distinct_folders(paths: Sequence[str]) -> list[Path]:
    """The folders of the models, of which none may be there twice."""
    seen: dict[Path, str] = {}
    folders = [find_bundle(path) for path in paths]
    for path, folder in zip(paths, folders, strict=True):
        other = seen.setdefault(folder.resolve(), path)
        if other is not path:
            raise UsageError("the same run twice", where=path, todo="name each run once")
    return folders


def _paired(
    names: Sequence[str],
    bundles: Sequence[Bundle],
    sources: Sequence[str],
    labels: str | None,
    options: ReadOptions,
    progress: Callable[[int], None],
) -> tuple[PairedTest, ...]:
    """Each run against the first, on the same reviews."""
    tally = LabelTally(_scheme(names, bundles, labels), is_given=labels not in (None, "auto"))
    columns = _columns(names, bundles, options)
    predictors = [Predictor(bundle, bulk=True) for bundle in bundles]
    bad_rows = BadRows(options.on_error)
    correct: list[list[np.ndarray]] = [[] for _ in predictors]
    windows = labelled_windows(sources, options, tally, bad_rows, columns, progress)
    for texts, classes_N in windows:
        for predictor, found in zip(predictors, correct, strict=True):
            scores_NC = predictor.decision_scores(predictor.predict_proba(texts))
            found.append(scores_NC.argmax(axis=1) == classes_N)
    bad_rows.warn(kept=sum(map(len, correct[0])))
    if not correct[0]:
        raise DataError("no labelled review to measure on", where=", ".join(sources))
    first_N, *others = (np.concatenate(found) for found in correct)
    return tuple(
        mcnemar(first_N, other_N, (names[0], name))
        for name, other_N in zip(names[1:], others, strict=True)
    )


def _scheme(names: Sequence[str], bundles: Sequence[Bundle], labels: str | None) -> LabelScheme:
    """How labels become classes: one truth for all models."""
    first = bundles[0].labels
    for name, bundle in zip(names, bundles, strict=True):
        if bundle.labels.names != first.names:
            raise UsageError(
                f"the classes {', '.join(bundle.labels.names)}, and those of {names[0]} are "
                f"{', '.join(first.names)}",
                where=name,
                todo="measure each with sentir evaluate, or leave out --test",
            )
    return first.renamed(labels) if labels else first
