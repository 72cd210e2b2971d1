"""Fitting the linear part: logistic regression over words and pairs of words.

A term's scale is how telling it is: the root of the size of its naive-Bayes weight (the log ratio
of its shares in the classes, Wang and Manning 2012) times its inverse document frequency (Sparck
Jones 1972). A review's terms, so scaled, make a vector that is scaled to length one. With more than
two classes each has a regression of its own against all others.

Shapes: N reviews, F terms (V words, then P + 1 rows of pairs), O outputs.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sentir.data.batches import cut
from sentir.data.store import EncodedCorpus
from sentir.data.tokenizer import PAD
from sentir.nn.bigrams import hashed_pairs
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.terms import LEAST_SQUARE, Terms
from sentir.training.mixing import best_mix, put_mix

#: Reviews fitted to: more add little to a linear fit, and all their terms are in memory at once.
MOST_REVIEWS = 200_000
#: Inverse strengths of the penalty that are tried.
STRENGTHS = (10.0, 30.0, 100.0)
#: Steps of the solver; the loss on other reviews has settled long before.
MOST_STEPS = 60
#: A term of one review only tells nothing about another.
LEAST_REVIEWS = 2

Floats = npt.NDArray[np.float32]


def fit_terms(
    model: SentimentClassifier,
    train: EncodedCorpus,
    valid: EncodedCorpus,
    network_NO: npt.NDArray[np.float64],
    max_tokens: int,
) -> None:
    """Fill `model.terms`, and scale it and the head to their best mix.

    Args:
        model: trained, its linear part still zero.
        train: reviews to fit to, `MOST_REVIEWS` of them at random if there are more.
        valid: reviews by whose loss the penalty and the mix are chosen.
        network_NO: the network's own logits for `valid`.
        max_tokens: what is read of a review.
    """
    terms = model.terms
    assert terms is not None
    counts_NF = _counts(terms, valid, np.arange(len(valid)), max_tokens)
    found = []
    for weights_FO, squares_FO in _fitted(model, train, max_tokens):
        size_NO = np.sqrt(counts_NF @ squares_FO + LEAST_SQUARE)
        linear_NO = (counts_NF @ weights_FO) / size_NO
        mix = best_mix(model, [network_NO, linear_NO], valid.labels_N)
        found.append((mix, weights_FO, squares_FO))
    mix, weights_FO, squares_FO = min(found, key=lambda one: one[0].loss)
    network, linear = mix.weights
    put_mix(model, network, mix.shift_O)
    words = len(terms.word_weights)
    for part, values_FO in (("weights", linear * weights_FO), ("squares", squares_FO)):
        values = torch.from_numpy(values_FO)
        getattr(terms, f"word_{part}").copy_(values[:words])
        getattr(terms, f"pair_{part}").copy_(values[words:])


def _fitted(
    model: SentimentClassifier, train: EncodedCorpus, max_tokens: int
) -> Iterator[tuple[Floats, Floats]]:
    """Weights and squares, each (F, O), for each of `STRENGTHS`."""
    from scipy.sparse import diags
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    terms = model.terms
    assert terms is not None
    rows_N = np.sort(np.random.default_rng(0).permutation(len(train))[:MOST_REVIEWS])
    labels_N = train.labels_N[rows_N]
    counts_NF = _counts(terms, train, rows_N, max_tokens)
    outputs = terms.word_weights.shape[1]
    problems = []
    for at in range(outputs):
        # One output: the second class against the first. More: each class against all others.
        is_in_N = labels_N == (1 if outputs == 1 else at)
        if 0 < is_in_N.sum() < len(is_in_N):  # a class that is not met keeps its zeros
            scale_F = _telling(counts_NF, is_in_N)
            size_N = np.sqrt(counts_NF @ scale_F**2 + LEAST_SQUARE)
            problems.append((at, is_in_N, scale_F, diags(1 / size_N) @ counts_NF @ diags(scale_F)))
    for strength in STRENGTHS:
        weights_FO = np.zeros((counts_NF.shape[1], outputs), np.float32)
        squares_FO = np.zeros_like(weights_FO)
        for at, is_in_N, scale_F, scaled_NF in problems:
            fit = LogisticRegression(
                C=strength,
                max_iter=MOST_STEPS,
                class_weight=None if model.class_weights_C is None else "balanced",
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # MOST_STEPS says why
                fit.fit(scaled_NF, is_in_N)
            weights_FO[:, at], squares_FO[:, at] = fit.coef_[0] * scale_F, scale_F**2
        yield weights_FO, squares_FO


def _telling(counts_NF: Any, is_in_N: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """The scale of each term, (F,)."""
    held_NF = counts_NF.sign()
    inside_F = np.asarray(held_NF[is_in_N].sum(axis=0)).ravel() + 1
    others_F = np.asarray(held_NF[~is_in_N].sum(axis=0)).ravel() + 1
    ratio_F = np.log(inside_F / inside_F.sum()) - np.log(others_F / others_F.sum())
    seen_F = inside_F + others_F - 2
    rarity_F = np.log((1 + len(is_in_N)) / (1 + seen_F)) + 1
    scale_F = np.sqrt(np.abs(ratio_F)) * rarity_F
    scale_F[seen_F < LEAST_REVIEWS] = 0
    scale: Floats = scale_F.astype(np.float32)
    return scale


def _counts(
    terms: Terms, corpus: EncodedCorpus, rows_N: npt.NDArray[np.int64], max_tokens: int
) -> Any:
    """How often each review holds each word and pair, CSR (N, F)."""
    from scipy.sparse import csr_matrix

    reviews = [cut(corpus[row], max_tokens) for row in rows_N]
    # In one piece, with padding between reviews: padding makes no pair.
    ids_T = np.concatenate([part for ids in reviews for part in (ids, [PAD])], dtype=np.int64)
    owner_T = np.repeat(np.arange(len(reviews)), [len(ids) + 1 for ids in reviews])
    pairs_T = hashed_pairs(torch.from_numpy(ids_T)[:, None], terms.pairs)[:, 0].numpy()
    words = len(terms.word_weights)
    is_word_T, is_pair_T = ids_T != PAD, pairs_T != 0
    columns = np.concatenate([ids_T[is_word_T], words + pairs_T[is_pair_T]])
    owners = np.concatenate([owner_T[is_word_T], owner_T[is_pair_T]])
    shape = (len(reviews), words + terms.pairs + 1)
    made = csr_matrix((np.ones(len(columns), np.float32), (owners, columns)), shape=shape)
    made.sum_duplicates()
    return made
