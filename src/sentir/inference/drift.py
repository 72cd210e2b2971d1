"""Drift: unlabelled reviews, which are streamed, beside those that a model was validated on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sentir.bundle import Bundle, as_bundle, load_scheme, local_model
from sentir.config import read_settings
from sentir.evaluation.drift import Drift, Reference, measure_drift, warn_of_drift
from sentir.inference.predictor import WINDOW, Predictor
from sentir.io.first_rows import check_first_rows
from sentir.io.paths import Paths, path_list
from sentir.io.reader import BadRows, read_reviews
from sentir.io.row_reader import ColumnLog
from sentir.text.tokenizer import UNK


def drift(
    model: str | Path | Bundle | Predictor,
    files: Paths,
    *,
    progress: Callable[[int], None] = lambda count: None,
    **settings: Any,
) -> Drift:
    """Find out how far reviews are from those that a model was validated on; labels are not read.

    >>> import sentir
    >>> sentir.drift("runs/shop", "new.csv").estimated_accuracy  # doctest: +SKIP
    0.91

    A fall of confidence beyond chance and many unknown words are warned of
    (`sentir.SentirWarning`). The estimate and its error: `sentir.evaluation.drift`.

    Args:
        model: the folder of a model or a run, its address on the Hub (``hf://user/model``), a
            bundle, or a loaded model (`sentir.load`).
        files: reviews: a path, glob, URL or name of a data set, or a list of them.
        progress: called with the number of reviews that were read since the last call; 0: all are.
        **settings: how files are read (any field of `sentir.config.ReadOptions`).

    Raises:
        BundleError: there is no classifier in the folder, or it does not say how validation went.
        ConfigError: an unknown setting, or a value out of range.
        DataError: a file cannot be read, or no review is left.
    """
    options, _ = read_settings(settings)
    sources = path_list(files, "files")
    if isinstance(model, str | Path):
        model = local_model(model)
        _, trained_on = load_scheme(model)
        check_first_rows(sources, options, labelled=False, trained_on=trained_on)
    predictor = model if isinstance(model, Predictor) else Predictor(as_bundle(model), bulk=True)
    bundle, bad_rows = predictor.bundle, BadRows(options.on_error)
    reference = Reference.of(bundle.metrics)
    confidences: list[np.ndarray] = []
    unknown = tokens = 0
    reviews = read_reviews(
        sources, options, bad_rows=bad_rows, labelled=False, columns=ColumnLog(bundle.columns)
    )
    while texts := [review.text for review in islice(reviews, 4 * WINDOW)]:
        confidences.append(predictor.predict_proba(texts).max(axis=1))
        for ids in bundle.tokenizer.encode(texts):
            tokens += len(ids)
            unknown += ids.count(UNK)
        progress(len(texts))
    progress(0)
    bad_rows.warn(kept=sum(map(len, confidences)))
    found = measure_drift(
        np.concatenate(confidences), unknown=unknown, tokens=tokens, reference=reference
    )
    warn_of_drift(found)
    return found
