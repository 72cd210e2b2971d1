"""Fitting the n-gram linear model: logistic regression over words, bigrams and trigrams.

The n-grams are counted (`sentir.training.ngram_counts`), one regression per output is fitted over
them (`sentir.training.ngram_regression`), or per boundary of ordered classes
(`sentir.training.ordinal_regression`), and the strongest go into the model's table
(`sentir.training.ngram_table`).

Shapes: N reviews, F n-grams, O outputs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from sentir.data.batching import sorted_batches
from sentir.data.dataset import EncodedCorpus, Reviews, weighted_targets
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.ngram_linear import NgramLinear
from sentir.training.calibration import fit_calibration, set_calibration
from sentir.training.ngram_counts import NgramCounts, count_ngrams
from sentir.training.ngram_regression import FittedWeights, fit_regressions
from sentir.training.ngram_table import NgramTable, choose_table, fill_table
from sentir.training.ordinal_regression import fit_ordinal_regressions, share_a_scale

#: Inverse regularisation strengths (C of scikit-learn) that are tried.
STRENGTHS = (10.0, 30.0, 100.0)
#: The one of a fit before the network is trained.
FIRST_STRENGTH = 30.0
#: Reviews per batch when the model is applied.
BATCH = 256

LinearLogits = Callable[[Reviews], npt.NDArray[np.float64]]


def fit_ngram_linear(
    model: SentimentClassifier,
    train: Reviews,
    valid: EncodedCorpus,
    network_NO: npt.NDArray[np.float64],
    max_length: int,
    *,
    refit: bool = False,
    ordered: bool = False,
) -> npt.NDArray[np.float64]:
    """Fit `model.ngram_linear`, and calibrate its sum with the network's logits.

    Args:
        model: trained; its n-gram model is still zero, or that of the model that went on learning.
        train: reviews to fit to; a random sample if there are many (`MAX_TOKENS`).
        valid: reviews by whose loss regularisation and calibration are chosen.
        network_NO: the network's own logits for `valid`.
        max_length: tokens read of a review.
        refit: fit once more in the end, to `valid` too, with what was chosen. More reviews are
            better, but `valid` can measure nothing from then on.
        ordered: whether the classes, three or more, are to be fitted as ordered ones.

    Returns:
        The calibrated logits for `valid` (N, O), before the refit.
    """
    ngram_linear = model.ngram_linear
    assert ngram_linear is not None
    known = copy.deepcopy(ngram_linear)
    balanced = model.class_weights_C is not None
    counts = count_ngrams(known, [train], model.classes, max_length)
    candidates, targets = [], weighted_targets(valid, model.classes)
    table: NgramTable | None = None
    outputs = ngram_linear.word_weights.shape[1]
    fits = _fit(counts, outputs, STRENGTHS, balanced=balanced, ordered=ordered)
    for strength, fitted in zip(STRENGTHS, fits, strict=True):
        # One table for all: what is strongest changes little, and would have to be placed anew.
        table = table or choose_table(known, counts.ngrams, fitted, model.config.ngram_buckets)
        fill_table(ngram_linear, known, table, fitted)
        parts = [network_NO, _apply(ngram_linear, valid, max_length) + fitted.intercepts_O]
        calibration = fit_calibration(model, parts, targets)
        candidates.append((calibration, strength, fitted, parts))
    calibration, strength, fitted, parts = min(candidates, key=lambda item: item[0].loss)
    if refit:
        counts = count_ngrams(known, [train, valid], model.classes, max_length)
        (fitted,) = _fit(counts, outputs, [strength], balanced=balanced, ordered=ordered)
        table = choose_table(known, counts.ngrams, fitted, model.config.ngram_buckets)
    assert table is not None
    network, linear = calibration.weights
    scaled = {name: linear * getattr(fitted, name) for name in ("weights_FO", "known_OO")}
    fill_table(ngram_linear, known, table, fitted._replace(**scaled))
    intercepts_O = torch.from_numpy(linear * fitted.intercepts_O)
    set_calibration(model, network, calibration.shift_O + intercepts_O)
    return calibration.apply(parts)


def _fit(
    counts: NgramCounts,
    outputs: int,
    strengths: Sequence[float],
    *,
    balanced: bool,
    ordered: bool,
) -> Iterator[FittedWeights]:
    """One logistic regression per output, or per boundary of ordered classes.

    A model that was fitted per class goes on so.
    """
    if ordered and share_a_scale(counts.ngrams):
        return fit_ordinal_regressions(counts, strengths, balanced=balanced)
    return fit_regressions(counts, outputs, strengths, balanced=balanced)


def fit_linear_logits(model: SentimentClassifier, train: Reviews, max_length: int) -> LinearLogits:
    """Fit a copy of `model.ngram_linear` once, with a usual penalty; the model stays as it is.

    Returns:
        What gives the copy's logits (N, O) of reviews.
    """
    known = model.ngram_linear
    assert known is not None
    ngram_linear = copy.deepcopy(known)
    counts = count_ngrams(known, [train], model.classes, max_length)
    outputs, balanced = ngram_linear.word_weights.shape[1], model.class_weights_C is not None
    (fitted,) = fit_regressions(counts, outputs, [FIRST_STRENGTH], balanced=balanced)
    table = choose_table(known, counts.ngrams, fitted, model.config.ngram_buckets)
    fill_table(ngram_linear, known, table, fitted)
    return lambda corpus: _apply(ngram_linear, corpus, max_length) + fitted.intercepts_O


def _apply(ngram_linear: NgramLinear, corpus: Reviews, max_length: int) -> npt.NDArray[np.float64]:
    """The model's own logits, (N, O)."""
    logits_NO = np.empty((len(corpus), ngram_linear.word_weights.shape[1]))
    for batch in sorted_batches(corpus, batch_size=BATCH, max_length=max_length):
        on_device = batch.to(ngram_linear.word_weights.device)
        logits_NO[batch.rows_B] = (
            ngram_linear(on_device.ids_BT.T, on_device.lengths_B).cpu().numpy()
        )
    return logits_NO
