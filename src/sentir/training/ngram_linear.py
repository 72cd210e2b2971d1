"""Fitting the linear part: logistic regression over words, pairs and triples of words.

A term's scale is how telling it is: the root of the size of its naive-Bayes weight (the log ratio
of its shares in the classes, Wang and Manning 2012) times its inverse document frequency (Sparck
Jones 1972). The terms that a review has, so scaled, make a vector that is scaled to length one.
With more than two classes each has a regression of its own against all others.

Shapes: N reviews, F terms (V words, then K pairs and triples), O outputs, P rows of the table.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sentir.data.batching import sorted_batches, truncate
from sentir.data.dataset import EncodedCorpus, Reviews
from sentir.nn.bigrams import row_of
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.ngram_linear import MIN_SQUARED_SCALE, NgramLinear, fingerprint_of, ngrams
from sentir.text.tokenizer import PAD
from sentir.training.calibration import fit_calibration, set_calibration

#: Tokens fitted to: more reviews add little to a linear fit, and all terms are in memory at once.
MOST_TOKENS = 20_000_000
#: Inverse strengths of the penalty that are tried.
STRENGTHS = (10.0, 30.0, 100.0)
#: Where the solver stops: its own tolerance of 1e-4 leaves the intercept a tenth off. Some 20 to 40
#: steps get there; a fit that takes more has settled for other reviews long before.
TOLERANCE, MOST_STEPS = 1e-5, 100
#: A term of one review only tells nothing about another.
LEAST_REVIEWS = 2
#: Reviews answered at once.
BATCH = 256

Floats = npt.NDArray[np.float32]
Keys = npt.NDArray[np.int64]


class Counted(NamedTuple):
    """Reviews as terms: which review has which (N, F), the numbers of the K, and the targets."""

    has_NF: Any
    keys_K: Keys
    targets_NC: Floats


class Fitted(NamedTuple):
    """What was learnt: weights and squares of scales, each (F, O), and intercepts (O,)."""

    weights_FO: Floats
    squared_scales_FO: Floats
    intercepts_O: Floats


def fit_ngram_linear(
    model: SentimentClassifier,
    train: Reviews,
    valid: EncodedCorpus,
    network_NO: npt.NDArray[np.float64],
    max_length: int,
    *,
    refit: bool = False,
) -> npt.NDArray[np.float64]:
    """Fill `model.terms`, and scale it and the head to their best mix.

    Args:
        model: trained, its linear part still zero.
        train: reviews to fit to, `MOST_TOKENS` of them at random if there are more.
        valid: reviews by whose loss the penalty and the mix are chosen.
        network_NO: the network's own logits for `valid`.
        max_length: what is read of a review.
        refit: fit once more in the end, to `valid` too, with the penalty and the mix that were
            chosen. The more reviews the better, but `valid` can measure nothing from then on.

    Returns:
        The logits of the mix for `valid` (N, O), before that.
    """
    terms = model.ngram_linear
    assert terms is not None
    balanced = model.class_weights_C is not None
    counted = _count(terms, [train], model.classes, max_length)
    found = []
    outputs = terms.word_weights.shape[1]
    fits = _fits(counted, outputs, STRENGTHS, balanced=balanced)
    for strength, fitted in zip(STRENGTHS, fits, strict=True):
        _put(terms, counted.keys_K, fitted)
        parts = [network_NO, _outputs(terms, valid, max_length) + fitted.intercepts_O]
        found.append((fit_calibration(model, parts, valid.labels_N), strength, fitted, parts))
    mix, strength, fitted, parts = min(found, key=lambda one: one[0].loss)
    if refit:
        counted = _count(terms, [train, valid], model.classes, max_length)
        (fitted,) = _fits(counted, outputs, [strength], balanced=balanced)
    network, linear = mix.weights
    _put(terms, counted.keys_K, fitted._replace(weights_FO=linear * fitted.weights_FO))
    set_calibration(model, network, mix.shift_O + torch.from_numpy(linear * fitted.intercepts_O))
    return mix.of(parts)


def _fits(
    counted: Counted, outputs: int, strengths: Sequence[float], *, balanced: bool
) -> Iterator[Fitted]:
    """For each strength a regression for each output."""
    from scipy.sparse import diags
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    has_NF = counted.has_NF
    problems = []
    for at in range(outputs):
        # One output: the second class against the first. More: each class against all others.
        share_N = counted.targets_NC[:, 1 if outputs == 1 else at]
        if 0 < share_N.sum() < len(share_N):  # a class that is not met keeps its zeros
            scale_F = _telling(has_NF, share_N)
            size_N = np.sqrt(has_NF @ scale_F**2 + MIN_SQUARED_SCALE)
            # A review that is partly in the class stands on both sides, each time as a part.
            inside_N, outside_N = np.flatnonzero(share_N > 0), np.flatnonzero(share_N < 1)
            row_M = np.concatenate([inside_N, outside_N])
            is_in_M = np.arange(len(row_M)) < len(inside_N)
            part_M = np.where(is_in_M, share_N[row_M], 1 - share_N[row_M])
            scaled_MF = (diags(1 / size_N) @ has_NF @ diags(scale_F))[row_M]
            problems.append((at, scaled_MF, is_in_M, part_M, scale_F))
    for strength in strengths:
        weights_FO = np.zeros((has_NF.shape[1], outputs), np.float32)
        squared_scales_FO = np.zeros_like(weights_FO)
        intercepts_O = np.zeros(outputs, np.float32)
        for at, scaled_MF, is_in_M, part_M, scale_F in problems:
            fit = LogisticRegression(
                C=strength,
                tol=TOLERANCE,
                max_iter=MOST_STEPS,
                class_weight="balanced" if balanced else None,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # MOST_STEPS says why
                fit.fit(scaled_MF, is_in_M, part_M)
            weights_FO[:, at], squared_scales_FO[:, at] = fit.coef_[0] * scale_F, scale_F**2
            intercepts_O[at] = fit.intercept_[0]
        yield Fitted(weights_FO, squared_scales_FO, intercepts_O)


def _telling(has_NF: Any, share_N: Floats) -> Floats:
    """The scale of each term, (F,)."""
    inside_F = share_N @ has_NF + 1
    others_F = (1 - share_N) @ has_NF + 1
    ratio_F = np.log(inside_F / inside_F.sum()) - np.log(others_F / others_F.sum())
    seen_F = inside_F + others_F - 2
    rarity_F = np.log((1 + len(share_N)) / (1 + seen_F)) + 1
    scale_F = np.sqrt(np.abs(ratio_F)) * rarity_F
    scale_F[np.rint(seen_F) < LEAST_REVIEWS] = 0
    scale: Floats = scale_F.astype(np.float32)
    return scale


def _put(terms: NgramLinear, keys_K: Keys, fitted: Fitted) -> None:
    """Fill the tables."""
    words = len(terms.word_weights)
    keys = torch.from_numpy(keys_K)
    row_K = row_of(keys, terms.rows)
    terms.ngram_fingerprints.zero_()
    terms.ngram_fingerprints[row_K] = fingerprint_of(keys).to(terms.ngram_fingerprints)
    for what, values_FO in (
        ("weights", fitted.weights_FO),
        ("squared_scales", fitted.squared_scales_FO),
    ):
        values = torch.from_numpy(values_FO).to(terms.word_weights)
        getattr(terms, f"word_{what}").copy_(values[:words])
        getattr(terms, f"ngram_{what}").zero_()[row_K] = values[words:]


def _outputs(terms: NgramLinear, corpus: Reviews, max_length: int) -> npt.NDArray[np.float64]:
    """The linear part's own answers, (N, O)."""
    found_NO = np.empty((len(corpus), terms.word_weights.shape[1]))
    for batch in sorted_batches(corpus, batch_size=BATCH, max_length=max_length):
        on_device = batch.to(terms.word_weights.device)
        found_NO[batch.rows_B] = terms(on_device.ids_BT.T, on_device.lengths_B).cpu().numpy()
    return found_NO


def _count(
    terms: NgramLinear, corpora: Sequence[Reviews], classes: int, max_length: int
) -> Counted:
    """The terms of the reviews of some corpora, with those pairs and triples that get a row."""
    from scipy.sparse import csr_matrix, hstack

    reviews, targets = [], []
    classes_CC = np.eye(classes, dtype=np.float32)
    for corpus in corpora:
        rows_N = _part(np.minimum(corpus.lengths_N, max_length))
        reviews += [truncate(corpus[row], max_length) for row in rows_N]
        some = corpus.targets[rows_N]
        targets.append(some if some.ndim == 2 else classes_CC[some])
    # In one piece, with padding between reviews: no pair or triple reaches over it.
    ids_T = np.concatenate([part for ids in reviews for part in (ids, [PAD])], dtype=np.int64)
    owner_T = np.repeat(np.arange(len(reviews)), [len(ids) + 1 for ids in reviews])

    def has(columns: Keys, owners: npt.NDArray[np.int64], count: int) -> Any:
        ones = np.ones(len(columns), np.float32)
        return csr_matrix((ones, (owners, columns)), shape=(len(reviews), count)).sign()

    keys_2T = np.concatenate([keys[:, 0] for keys in ngrams(torch.from_numpy(ids_T)[:, None])])
    is_key = keys_2T != 0
    keys_K, column, seen_K = np.unique(keys_2T[is_key], return_inverse=True, return_counts=True)
    often_K = seen_K >= LEAST_REVIEWS  # most were seen once, and go before they take any room
    number_K = np.cumsum(often_K) - 1
    is_often = often_K[column]
    owners = np.concatenate([owner_T, owner_T])[is_key][is_often]
    ngrams_NK = has(number_K[column[is_often]], owners, int(often_K.sum()))
    chosen_K = _with_a_row(terms, keys_K[often_K], ngrams_NK.getnnz(axis=0))
    words_NV = has(ids_T[ids_T != PAD], owner_T[ids_T != PAD], len(terms.word_weights))
    return Counted(
        hstack([words_NV, ngrams_NK.tocsc()[:, chosen_K]]).tocsr(),
        keys_K[often_K][chosen_K],
        np.concatenate(targets),
    )


def _part(lengths_N: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """The reviews that are fitted to: all, or as many at random as have `MOST_TOKENS`."""
    order_N = np.random.default_rng(0).permutation(len(lengths_N))
    return np.sort(order_N[np.cumsum(lengths_N[order_N]) <= MOST_TOKENS])


def _with_a_row(
    terms: NgramLinear, keys_K: Keys, reviews_K: npt.NDArray[np.integer]
) -> npt.NDArray[np.int64]:
    """Which pairs and triples get the row on which they fall: of each, that of most reviews."""
    row_K = row_of(torch.from_numpy(keys_K), terms.rows).numpy()
    order_K = np.lexsort((keys_K, -reviews_K, row_K))
    is_first_K = np.diff(row_K[order_K], prepend=-1) != 0
    return np.sort(order_K[is_first_K & (reviews_K[order_K] >= LEAST_REVIEWS)])
