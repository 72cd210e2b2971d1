"""Fitting the n-gram linear model: logistic regression over words, bigrams and trigrams.

The n-grams are counted, one regression per output is fitted over them, or per boundary of ordered
classes (`sentir.training.ordinal_regression`), and the strongest go into the model's table
(`sentir.training.ngram_table`). Reviews that fit in memory are counted and fitted to at once
(`sentir.training.ngram_regression`), more of them chunk by chunk
(`sentir.training.lbfgs_regression`).

Shapes: N reviews, O outputs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from sentir.data.batching import sorted_batches
from sentir.data.dataset import EncodedCorpus, Reviews, weighted_targets
from sentir.io.atomic import scratch_folder
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.ngram_linear import NgramLinear
from sentir.training.calibration import fit_calibration, set_calibration
from sentir.training.lbfgs_regression import FITTING, FitByChunks
from sentir.training.ngram_chunks import Advance, NgramChunks, fits_in_memory
from sentir.training.ngram_counts import Ngrams, count_ngrams
from sentir.training.ngram_regression import FittedWeights, fit_regressions
from sentir.training.ngram_table import NgramTable, choose_table, fill_table
from sentir.training.ordinal_regression import fit_ordinal_regressions, share_a_scale
from sentir.training.process_group import ALONE, ProcessGroup, agreed_interrupts, current

#: Inverse regularisation strengths (C of scikit-learn) that are tried.
STRENGTHS = (10.0, 30.0, 100.0)
#: The one of a fit before the network is trained.
FIRST_STRENGTH = 30.0
#: Reviews per batch when the model is applied.
BATCH = 256

LinearLogits = Callable[[Reviews], npt.NDArray[np.float64]]


class Fit(Protocol):
    """Fits of a model to reviews, in memory or chunk by chunk.

    Attributes:
        processes: those that share it.
    """

    @property
    def processes(self) -> ProcessGroup: ...

    def fit(
        self, corpora: Sequence[Reviews], strengths: Sequence[float]
    ) -> tuple[Ngrams, Iterator[FittedWeights]]:
        """The features, and for each regularisation strength their weights."""
        ...


@dataclass(frozen=True, kw_only=True)
class FitInMemory:
    """Fits to reviews in memory, by this process alone (`Fit`).

    Attributes:
        known: what goes on learning, or zero.
        classes: C.
        max_length: tokens read of a review.
        balanced: weigh both sides of a regression alike.
        ordered: fit the boundaries of the classes.
    """

    known: NgramLinear
    classes: int
    max_length: int
    balanced: bool
    ordered: bool = False

    @property
    def processes(self) -> ProcessGroup:
        return ALONE

    def fit(
        self, corpora: Sequence[Reviews], strengths: Sequence[float]
    ) -> tuple[Ngrams, Iterator[FittedWeights]]:
        counts = count_ngrams(self.known, corpora, self.classes, self.max_length)
        if self.ordered and share_a_scale(counts.ngrams):
            fits = fit_ordinal_regressions(counts, strengths, balanced=self.balanced)
        else:
            outputs = self.known.word_weights.shape[1]
            fits = fit_regressions(counts, outputs, strengths, balanced=self.balanced)
        return counts.ngrams, fits


def fit_ngram_linear(
    model: SentimentClassifier,
    train: Reviews,
    valid: EncodedCorpus,
    network_NO: npt.NDArray[np.float64],
    max_length: int,
    *,
    folder: Path,
    refit: bool = False,
    ordered: bool = False,
    advance: Advance = lambda what, count: None,
) -> npt.NDArray[np.float64]:
    """Fit `model.ngram_linear`, and calibrate its sum with the network's logits.

    Up to `sentir.training.ngram_counts.MAX_TOKENS` rank 0 fits in memory, and only its model
    changes. More reviews are fitted to chunk by chunk, by all processes of the group.

    Args:
        model: trained; its n-gram model is still zero, or that of the model that went on learning.
        train: reviews to fit to.
        valid: reviews by whose loss regularisation and calibration are chosen.
        network_NO: the network's own logits for `valid`.
        max_length: tokens read of a review.
        folder: where chunks of reviews are kept while it is fitted.
        refit: fit once more in the end, to `valid` too, with what was chosen. More reviews are
            better, but `valid` can measure nothing from then on.
        ordered: whether the classes, three or more, are to be fitted as ordered ones.
        advance: called with what is done chunk by chunk, and how many reviews more; 0: it is done.

    Returns:
        The calibrated logits for `valid` (N, O), before the refit.
    """
    known, processes = copy.deepcopy(model.ngram_linear), current()
    assert known is not None
    balanced = model.class_weights_C is not None

    def fit_with(fit: Fit) -> npt.NDArray[np.float64]:
        return _fit_and_calibrate(model, known, fit, train, valid, network_NO, max_length, refit)

    if fits_in_memory(train, max_length):
        in_memory = FitInMemory(
            known=known, classes=model.classes, max_length=max_length,
            balanced=balanced, ordered=ordered,
        )  # fmt: skip
        return processes.lead(lambda: fit_with(in_memory))
    with agreed_interrupts(), scratch_folder(folder / f"ngrams-{processes.rank}") as scratch:
        chunks = NgramChunks(
            known, model.classes, max_length, model.config.ngram_buckets,
            scratch, processes, advance,
        )  # fmt: skip
        calibrated_NO = fit_with(FitByChunks(chunks, balanced, ordered))
        processes.together(processes.raise_if_interrupted)
        advance(FITTING, 0)
        return calibrated_NO


def _fit_and_calibrate(
    model: SentimentClassifier,
    known: NgramLinear,
    fit: Fit,
    train: Reviews,
    valid: EncodedCorpus,
    network_NO: npt.NDArray[np.float64],
    max_length: int,
    refit: bool,
) -> npt.NDArray[np.float64]:
    """As `fit_ngram_linear`, whose arguments they are."""
    ngram_linear, limit = model.ngram_linear, model.config.ngram_buckets
    assert ngram_linear is not None
    candidates, targets = [], weighted_targets(valid, model.classes)
    table: NgramTable | None = None
    ngrams, fits = fit.fit([train], STRENGTHS)
    for strength, fitted in zip(STRENGTHS, fits, strict=True):
        # One table for all: what is strongest changes little, and would have to be placed anew.
        table = table or choose_table(known, ngrams, fitted, limit)
        fill_table(ngram_linear, known, table, fitted)
        parts = [network_NO, _apply(ngram_linear, valid, max_length) + fitted.intercepts_O]
        calibration = fit_calibration(model, parts, targets)
        candidates.append((calibration, strength, fitted, parts))
    losses = [calibration.loss for calibration, *_ in candidates]
    best = fit.processes.lead(lambda: int(np.argmin(losses)))  # hosts may round differently
    calibration, strength, fitted, parts = candidates[best]
    if refit:
        ngrams, (fitted,) = fit.fit([train, valid], [strength])
        table = choose_table(known, ngrams, fitted, limit)
    assert table is not None
    network, linear = calibration.weights
    scaled = {name: linear * getattr(fitted, name) for name in ("weights_FO", "known_OO")}
    fill_table(ngram_linear, known, table, fitted._replace(**scaled))
    intercepts_O = torch.from_numpy(linear * fitted.intercepts_O)
    set_calibration(model, network, calibration.shift_O + intercepts_O)
    return calibration.apply(parts)


def fit_linear_logits(model: SentimentClassifier, train: Reviews, max_length: int) -> LinearLogits:
    """Fit a copy of `model.ngram_linear` once, with a usual penalty; the model stays as it is.

    Of many reviews it is fitted to a random sample (`sentir.training.ngram_counts.sample_rows`).

    Returns:
        What gives the copy's logits (N, O) of reviews.
    """
    known = model.ngram_linear
    assert known is not None
    ngram_linear = copy.deepcopy(known)
    balanced = model.class_weights_C is not None
    fit = FitInMemory(known=known, classes=model.classes, max_length=max_length, balanced=balanced)
    ngrams, (fitted,) = fit.fit([train], [FIRST_STRENGTH])
    table = choose_table(known, ngrams, fitted, model.config.ngram_buckets)
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
