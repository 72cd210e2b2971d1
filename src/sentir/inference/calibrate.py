"""The threshold of confidence of a trained model, found on labelled reviews it has not learnt from.

Shapes: N reviews, C classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentir.bundle import Bundle, load_bundle, save_threshold
from sentir.confidence import ConfidenceThreshold, wilson_interval
from sentir.config import read_settings
from sentir.errors import SentirWarning, UsageError
from sentir.evaluation.metrics import Metrics, measure
from sentir.evaluation.mistakes import Mistakes
from sentir.evaluation.selective import RiskCoverage, check_coverage, fit_threshold, risk_coverage
from sentir.inference.evaluate import answer_labelled, check_files
from sentir.inference.predictor import Predictor
from sentir.io.hub_model import find_address
from sentir.io.paths import Paths, path_list
from sentir.io.reader import BadRows


@dataclass(frozen=True, kw_only=True)
class CalibrationResult:
    """What `calibrate` found.

    Attributes:
        threshold: which the model keeps from now on.
        metrics: of all the reviews, as in `sentir.evaluate`.
        curve: the accuracy at every coverage.
        skipped: rows left out under ``on_error="skip"``.
    """

    threshold: ConfidenceThreshold
    metrics: Metrics
    curve: RiskCoverage
    skipped: BadRows


def calibrate(
    model: str | Path,
    valid: Paths,
    *,
    coverage: float = 0.9,
    labels: str | None = None,
    progress: Callable[[int], None] = lambda count: None,
    **settings: Any,
) -> CalibrationResult:
    """Give a model a threshold of confidence, below which its predictions are unsure.

    >>> import sentir
    >>> result = sentir.calibrate("runs/shop", "valid.csv", coverage=0.9)  # doctest: +SKIP
    >>> result.threshold.validation.accuracy  # doctest: +SKIP
    0.96

    It is kept in the model's folder, in place of an earlier one; the probabilities stay as they
    are. What it promises: `sentir.confidence.ConfidenceThreshold`. A loaded model keeps its own.

    Args:
        model: the folder of a model or a run.
        valid: labelled reviews that the model has not learnt from, like those that it will
            answer: a path, glob, URL or name of a data set, or a list of them.
        coverage: share of reviews to answer, above 0 and at most 1; 1: all, it is never unsure.
        labels: how the files' labels become the model's classes, as in `sentir.evaluate`.
        progress: called with the number of reviews that were read since the last call; 0: all are.
        **settings: how files are read (any field of `sentir.config.ReadOptions`).

    Raises:
        BundleError: there is no classifier in the folder.
        ConfigError: an unknown setting, or a value out of range.
        DataError: as `sentir.evaluate`.
        UsageError: the coverage is out of range, the model is on the Hub, or its folder cannot be
            written.

    Warns:
        SentirWarning: the reviews are too few, or so easy for the model that it has probably learnt
            from them.
    """
    options, _ = read_settings(settings)
    check_coverage(coverage)
    sources = path_list(valid, "valid")
    if find_address(model):
        raise UsageError(
            "a model on the Hub, which cannot be changed",
            where=str(model),
            todo="download it (hf download USER/MODEL --local-dir FOLDER), and give its folder",
        )
    check_files(model, sources, options, labels=labels)
    bundle, bad_rows = load_bundle(model), BadRows(options.on_error)
    predictor = Predictor(bundle, bulk=True)
    answers = answer_labelled(
        predictor, sources, options, bad_rows, labels=labels, mistakes=Mistakes(0),
        progress=progress,
    )  # fmt: skip
    probabilities_NC, labels_N = answers
    scores_NC = predictor.decision_scores(probabilities_NC)
    metrics = measure(probabilities_NC, labels_N, predictor.labels, bundle.decision)
    _warn_if_learnt(metrics, bundle)
    result = CalibrationResult(
        threshold=fit_threshold(scores_NC, labels_N, coverage),
        metrics=metrics,
        curve=risk_coverage(scores_NC, labels_N),
        skipped=bad_rows,
    )
    save_threshold(model, result.threshold)
    return result


def _warn_if_learnt(metrics: Metrics, bundle: Bundle) -> None:
    """Warn where a model does better than it did in validation, beyond chance."""
    validation = bundle.metrics.get("validation", {})
    accuracy, count = validation.get("accuracy"), validation.get("examples")
    if not accuracy or not count:
        return  # not measured by this version
    high = wilson_interval(round(accuracy * count), count)[1]
    if metrics.accuracy_interval[0] > high:
        warnings.warn(
            f"an accuracy of {metrics.accuracy:.1%} here, and {accuracy:.1%} in validation: if the "
            "model has learnt from these reviews, it will answer more of them and more often "
            "correctly than it will others; give reviews that are new to it",
            SentirWarning,
            stacklevel=3,
        )
