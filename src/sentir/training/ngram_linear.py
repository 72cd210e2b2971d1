"""Fitting the n-gram linear model: logistic regression over words, bigrams and trigrams.

An n-gram is scaled by the square root of its absolute naive-Bayes log-count ratio (Wang and Manning
2012) times its inverse document frequency (Sparck Jones 1972). The n-grams of a review are binary
features; the scaled vector is normalised to length one. With more than two classes there is one
regression per class against all others.

A model that goes on learning keeps its table of n-grams and their scales; new words are added, new
n-grams are not. Its old weights are one more feature, whose coefficient is fitted too: the fit
starts from what is known, and the penalty holds the new weights near to it.

Shapes: N reviews, F n-grams (V words, then K bigrams and trigrams), O outputs, M displacements.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sentir.data.batching import concatenate, shuffled_rows, sorted_batches, truncate
from sentir.data.dataset import EncodedCorpus, Reviews, class_probabilities, weighted_targets
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.low_precision import round_to_half
from sentir.nn.ngram_linear import NgramLinear, fingerprint, ngram_keys
from sentir.nn.ngrams import MIN_SQUARED_SCALE, owned_rows
from sentir.text.tokenizer import PAD
from sentir.training.calibration import fit_calibration, set_calibration
from sentir.training.ngram_placement import place_ngrams
from sentir.weights import NgramTableSize

#: Most tokens fitted to: more add little to a linear model, and all n-grams are in memory at once.
MAX_TOKENS = 20_000_000
#: Inverse regularisation strengths (C of scikit-learn) that are tried.
STRENGTHS = (10.0, 30.0, 100.0)
#: The one of a fit before the network is trained.
FIRST_STRENGTH = 30.0
#: Dual coordinate descent (Yu, Huang and Lin 2011) takes 10 to 30 passes.
TOLERANCE, MAX_ITERATIONS = 1e-3, 1000
#: An n-gram of a single review says nothing about another one.
MIN_REVIEWS = 2
#: The number of rows of a table is a multiple of this, so that it can be folded for an export.
ROW_UNIT = 64
#: The known logit is this much larger than it was, so that its coefficient is hardly penalised.
KNOWN_SCALE = 10.0
#: Reviews per batch when the model is applied.
BATCH = 256

Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.int64]
LinearLogits = Callable[[Reviews], npt.NDArray[np.float64]]


class NgramCounts(NamedTuple):
    """The n-grams of reviews: a binary matrix (N, F) and the hash keys of the K; the targets.

    `known_rows_K` are their rows in the table of the model that goes on learning, -1 without one;
    `known_weights_FO` and `known_squared_scales_FO` what it holds of them, 0 of what is new to it.
    """

    features_NF: Any
    keys_K: Keys
    targets_NC: Floats
    weights_N: Floats
    known_rows_K: npt.NDArray[np.int64]
    known_weights_FO: Floats
    known_squared_scales_FO: Floats


class NgramTable(NamedTuple):
    """Which bigrams and trigrams are in the table: columns (K,) of the features, rows and keys."""

    rows: int
    displacements_M: npt.NDArray[np.int32]
    columns_K: npt.NDArray[np.int64]
    rows_K: npt.NDArray[np.int64]
    keys_K: Keys


class FittedWeights(NamedTuple):
    """A fitted model: weights and squared scales, each (F, O), and intercepts (O,).

    `known_O` is the factor of the weights that a model had before it went on learning (O,).
    """

    weights_FO: Floats
    squared_scales_FO: Floats
    intercepts_O: Floats
    known_O: Floats


def fit_ngram_linear(
    model: SentimentClassifier,
    train: Reviews,
    valid: EncodedCorpus,
    network_NO: npt.NDArray[np.float64],
    max_length: int,
    *,
    refit: bool = False,
) -> npt.NDArray[np.float64]:
    """Fit `model.ngram_linear`, and calibrate its sum with the network's logits.

    Args:
        model: trained; its n-gram model is still zero, or that of the model that went on learning.
        train: reviews to fit to; a random sample of `MAX_TOKENS` if there are more.
        valid: reviews by whose loss regularisation and calibration are chosen.
        network_NO: the network's own logits for `valid`.
        max_length: tokens read of a review.
        refit: fit once more in the end, to `valid` too, with what was chosen. More reviews are
            better, but `valid` can measure nothing from then on.

    Returns:
        The calibrated logits for `valid` (N, O), before the refit.
    """
    ngram_linear = model.ngram_linear
    assert ngram_linear is not None
    known = copy.deepcopy(ngram_linear)
    balanced = model.class_weights_C is not None
    counts = _count(known, [train], model.classes, max_length)
    candidates, targets = [], weighted_targets(valid, model.classes)
    table: NgramTable | None = None
    outputs = ngram_linear.word_weights.shape[1]
    fits = _fit_regressions(counts, outputs, STRENGTHS, balanced=balanced)
    for strength, fitted in zip(STRENGTHS, fits, strict=True):
        # One table for all: what is strongest changes little, and would have to be placed anew.
        table = table or _table(known, counts, fitted, model.config.ngram_buckets)
        _fill(ngram_linear, known, table, fitted)
        parts = [network_NO, _apply(ngram_linear, valid, max_length) + fitted.intercepts_O]
        calibration = fit_calibration(model, parts, targets)
        candidates.append((calibration, strength, fitted, parts))
    calibration, strength, fitted, parts = min(candidates, key=lambda item: item[0].loss)
    if refit:
        counts = _count(known, [train, valid], model.classes, max_length)
        (fitted,) = _fit_regressions(counts, outputs, [strength], balanced=balanced)
        table = _table(known, counts, fitted, model.config.ngram_buckets)
    assert table is not None
    network, linear = calibration.weights
    scaled = {name: linear * getattr(fitted, name) for name in ("weights_FO", "known_O")}
    _fill(ngram_linear, known, table, fitted._replace(**scaled))
    intercepts_O = torch.from_numpy(linear * fitted.intercepts_O)
    set_calibration(model, network, calibration.shift_O + intercepts_O)
    return calibration.apply(parts)


def fit_linear_logits(model: SentimentClassifier, train: Reviews, max_length: int) -> LinearLogits:
    """Fit a copy of `model.ngram_linear` once, with a usual penalty; the model stays as it is.

    Returns:
        What gives the copy's logits (N, O) of reviews.
    """
    known = model.ngram_linear
    assert known is not None
    ngram_linear = copy.deepcopy(known)
    counts = _count(known, [train], model.classes, max_length)
    outputs, balanced = ngram_linear.word_weights.shape[1], model.class_weights_C is not None
    (fitted,) = _fit_regressions(counts, outputs, [FIRST_STRENGTH], balanced=balanced)
    table = _table(known, counts, fitted, model.config.ngram_buckets)
    _fill(ngram_linear, known, table, fitted)
    return lambda corpus: _apply(ngram_linear, corpus, max_length) + fitted.intercepts_O


def _fit_regressions(
    counts: NgramCounts, outputs: int, strengths: Sequence[float], *, balanced: bool
) -> Iterator[FittedWeights]:
    """For each regularisation strength, one logistic regression per output."""
    from scipy.sparse import diags, hstack
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    features_NF, weights_N = counts.features_NF, counts.weights_N
    problems = []
    for output in range(outputs):
        # One output: the second class against the first. More: each class against all others.
        share_N = counts.targets_NC[:, 1 if outputs == 1 else output]
        if 0 < share_N.sum() < len(share_N):  # a class without reviews keeps zeros
            scale_F = _ngram_scale(features_NF, share_N, weights_N)
            known_F = counts.known_weights_FO[:, output]
            known_scale_F = np.sqrt(counts.known_squared_scales_FO[:, output])
            scale_F = np.where(known_scale_F > 0, known_scale_F, scale_F)
            size_N = np.sqrt(features_NF @ scale_F**2 + MIN_SQUARED_SCALE)
            # A review with soft targets is an example of both sides, weighted by its shares.
            inside_N, outside_N = np.flatnonzero(share_N > 0), np.flatnonzero(share_N < 1)
            row_M = np.concatenate([inside_N, outside_N])
            is_in_M = np.arange(len(row_M)) < len(inside_N)
            part_M = np.where(is_in_M, share_N[row_M], 1 - share_N[row_M]) * weights_N[row_M]
            scaled_NF = diags(1 / size_N) @ features_NF @ diags(scale_F)
            if known_F.any():
                known_N1 = (KNOWN_SCALE * (features_NF @ known_F) / size_N)[:, None]
                scaled_NF = hstack([scaled_NF, known_N1]).tocsr()
            problems.append((output, scaled_NF[row_M], is_in_M, part_M, scale_F))
    for strength in strengths:
        weights_FO = counts.known_weights_FO.copy()  # of a class without reviews they stay
        squared_scales_FO = counts.known_squared_scales_FO.copy()
        intercepts_O, known_O = np.zeros(outputs, np.float32), np.ones(outputs, np.float32)
        for output, scaled_MF, is_in_M, part_M, scale_F in problems:
            fit = LogisticRegression(
                C=strength,
                solver="liblinear",
                dual=True,
                random_state=0,
                tol=TOLERANCE,
                max_iter=MAX_ITERATIONS,
                class_weight="balanced" if balanced else None,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # see MAX_ITERATIONS
                fit.fit(scaled_MF, is_in_M, part_M)
            own_F, known = np.split(fit.coef_[0], [len(scale_F)])
            if len(known):
                known_O[output] = KNOWN_SCALE * known[0]
            weights_FO[:, output] = known_O[output] * weights_FO[:, output] + own_F * scale_F
            squared_scales_FO[:, output] = scale_F**2
            intercepts_O[output] = fit.intercept_[0]
        yield FittedWeights(weights_FO, squared_scales_FO, intercepts_O, known_O)


def _ngram_scale(features_NF: Any, share_N: Floats, weights_N: Floats) -> Floats:
    """The scale of each n-gram, (F,)."""
    inside_F = (share_N * weights_N) @ features_NF + 1
    others_F = ((1 - share_N) * weights_N) @ features_NF + 1
    ratio_F = np.log(inside_F / inside_F.sum()) - np.log(others_F / others_F.sum())
    seen_F = inside_F + others_F - 2
    rarity_F = np.log((1 + len(share_N)) / (1 + seen_F)) + 1
    scale_F = np.sqrt(np.abs(ratio_F)) * rarity_F
    scale_F[features_NF.getnnz(axis=0) < MIN_REVIEWS] = 0
    scale: Floats = scale_F.astype(np.float32)
    return scale


def _is_fitted(known: NgramLinear) -> bool:
    """Whether it is that of a model that goes on learning."""
    return bool(known.word_squared_scales.any())


def _table(
    known: NgramLinear, counts: NgramCounts, fitted: FittedWeights, limit: int
) -> NgramTable:
    """The table of a model that goes on learning; of a new one that of the strongest n-grams."""
    if not _is_fitted(known):
        return _strongest(counts, fitted, limit)
    words, count = len(known.word_weights), len(counts.keys_K)
    return NgramTable(
        len(known.ngram_fingerprints),
        known.ngram_displacements.cpu().numpy(),
        words + np.arange(count),
        counts.known_rows_K,
        counts.keys_K,
    )


def _strongest(counts: NgramCounts, fitted: FittedWeights, limit: int) -> NgramTable:
    """A table of the n-grams of most weight, at most `limit`.

    The weight of one is the root of the sum of its squared weights over the reviews that it is in.
    Of Amazon's 795,274 n-grams a third does as well as all of them.
    """
    words = counts.features_NF.shape[1] - len(counts.keys_K)
    count_K = counts.features_NF.getnnz(axis=0)[words:]
    weight_K = np.abs(fitted.weights_FO[words:]).max(axis=1) * np.sqrt(count_K)
    strongest = np.argsort(-weight_K, kind="stable")
    strongest = strongest[weight_K[strongest] > 0][:limit]
    rows = min(limit, max(1, -(-len(strongest) // ROW_UNIT)) * ROW_UNIT)
    displacements_M, rows_K = place_ngrams(counts.keys_K[strongest], rows)
    is_placed_K = rows_K >= 0
    strongest, rows_K = strongest[is_placed_K], rows_K[is_placed_K]
    return NgramTable(rows, displacements_M, words + strongest, rows_K, counts.keys_K[strongest])


def _fill(
    ngram_linear: NgramLinear, known: NgramLinear, table: NgramTable, fitted: FittedWeights
) -> None:
    """Write fitted weights into the model's tables, rounded to 16 bits as they are saved.

    N-grams of a table that is kept, and that are not fitted, keep their weights times a factor.
    """
    ngram_linear.resize_table(NgramTableSize(table.rows, len(table.displacements_M)))
    if _is_fitted(known):
        factor_O = torch.from_numpy(fitted.known_O).to(known.ngram_weights)
        ngram_linear.ngram_weights.copy_(round_to_half(known.ngram_weights * factor_O))
        ngram_linear.ngram_squared_scales.copy_(known.ngram_squared_scales)
        ngram_linear.ngram_fingerprints.copy_(known.ngram_fingerprints)
    row_K = torch.from_numpy(table.rows_K)
    owners = fingerprint(torch.from_numpy(table.keys_K))
    ngram_linear.ngram_fingerprints[row_K] = owners.to(ngram_linear.ngram_fingerprints)
    ngram_linear.ngram_displacements.copy_(torch.from_numpy(table.displacements_M))
    words = len(ngram_linear.word_weights)
    for name, values_FO in (
        ("weights", fitted.weights_FO),
        ("squared_scales", fitted.squared_scales_FO),
    ):
        values = round_to_half(torch.from_numpy(values_FO)).to(ngram_linear.word_weights)
        getattr(ngram_linear, f"word_{name}").copy_(values[:words])
        getattr(ngram_linear, f"ngram_{name}")[row_K] = values[table.columns_K]


def _apply(ngram_linear: NgramLinear, corpus: Reviews, max_length: int) -> npt.NDArray[np.float64]:
    """The model's own logits, (N, O)."""
    logits_NO = np.empty((len(corpus), ngram_linear.word_weights.shape[1]))
    for batch in sorted_batches(corpus, batch_size=BATCH, max_length=max_length):
        on_device = batch.to(ngram_linear.word_weights.device)
        logits_NO[batch.rows_B] = (
            ngram_linear(on_device.ids_BT.T, on_device.lengths_B).cpu().numpy()
        )
    return logits_NO


def _count(
    known: NgramLinear, corpora: Sequence[Reviews], classes: int, max_length: int
) -> NgramCounts:
    """The words of the reviews, and the bigrams and trigrams of at least `MIN_REVIEWS`."""
    from scipy.sparse import csr_matrix, hstack

    reviews, targets, weights = [], [], []
    for corpus in corpora:
        rows_N = sample_rows(corpus, max_length)
        reviews += [truncate(corpus[row], max_length) for row in rows_N]
        targets.append(class_probabilities(corpus, classes, rows_N))
        weights.append(corpus.weights_of(rows_N))
    ids_T, owner_T = concatenate(reviews)

    def binary(columns: Keys, owners: npt.NDArray[np.int64], count: int) -> Any:
        ones = np.ones(len(columns), np.float32)
        return csr_matrix((ones, (owners, columns)), shape=(len(reviews), count)).sign()

    keys_2T = np.concatenate([keys[:, 0] for keys in ngram_keys(torch.from_numpy(ids_T)[:, None])])
    is_key = keys_2T != 0
    keys_K, column, seen_K = np.unique(keys_2T[is_key], return_inverse=True, return_counts=True)
    known_row_K, is_fitted = np.full(len(keys_K), -1, np.int64), _is_fitted(known)
    if is_fitted:
        fingerprints_P, displacements_M = (
            part.cpu().numpy() for part in (known.ngram_fingerprints, known.ngram_displacements)
        )
        known_row_K = owned_rows(keys_K, fingerprints_P, displacements_M)
    # Most occur once, and are dropped before they take memory.
    often_K = known_row_K >= 0 if is_fitted else seen_K >= MIN_REVIEWS
    number_K = np.cumsum(often_K) - 1
    is_often = often_K[column]
    owners = np.concatenate([owner_T, owner_T])[is_key][is_often]
    ngrams_NK = binary(number_K[column[is_often]], owners, int(often_K.sum()))
    chosen_K = np.flatnonzero(ngrams_NK.getnnz(axis=0) >= (1 if is_fitted else MIN_REVIEWS))
    words_NV = binary(ids_T[ids_T != PAD], owner_T[ids_T != PAD], len(known.word_weights))
    known_row_K = known_row_K[often_K][chosen_K]
    return NgramCounts(
        hstack([words_NV, ngrams_NK.tocsc()[:, chosen_K]]).tocsr(),
        keys_K[often_K][chosen_K],
        np.concatenate(targets),
        np.concatenate(weights),
        known_row_K,
        _known_of(known.word_weights, known.ngram_weights, known_row_K),
        _known_of(known.word_squared_scales, known.ngram_squared_scales, known_row_K),
    )


def _known_of(words_VO: torch.Tensor, ngrams_PO: torch.Tensor, row_K: Keys) -> Floats:
    """What a model holds of each feature (F, O); 0 where the row is -1."""
    ngrams_KO = np.zeros((len(row_K), words_VO.shape[1]), np.float32)
    ngrams_KO[row_K >= 0] = ngrams_PO.cpu().numpy()[row_K[row_K >= 0]]
    return np.concatenate([words_VO.cpu().numpy(), ngrams_KO]).astype(np.float32)


def sample_rows(corpus: Reviews, max_length: int) -> npt.NDArray[np.int64]:
    """The rows that are fitted to: all, or a random sample of `MAX_TOKENS` tokens."""
    chosen, tokens = [np.empty(0, np.int64)], 0
    for rows, _ in shuffled_rows(len(corpus), (0,)):
        read = tokens + np.cumsum(np.minimum(corpus.lengths_of(rows), max_length))
        chosen.append(rows[read <= MAX_TOKENS])
        tokens = int(read[-1])
        if tokens > MAX_TOKENS:
            break
    return np.sort(np.concatenate(chosen))
