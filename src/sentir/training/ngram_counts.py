"""Words, bigrams and trigrams of reviews, counted in memory: what the n-gram model is fitted to.

Shapes: N reviews, F n-grams (V words, then K bigrams and trigrams), C classes, O outputs; P rows
of the table of a model that goes on learning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sentir.data.batching import concatenate, shuffled_rows, truncate
from sentir.data.dataset import Reviews, class_probabilities
from sentir.data.distinct import is_first
from sentir.nn.ngram_linear import NgramLinear, ngram_keys
from sentir.nn.ngrams import owned_rows
from sentir.text.tokenizer import PAD

#: Most tokens of reviews that are held in memory.
MAX_TOKENS = 20_000_000
#: An n-gram of a single review says nothing about another one.
MIN_REVIEWS = 2

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


class Ngrams(NamedTuple):
    """The features: V words, then K bigrams and trigrams by their hash keys.

    `reviews_F` is how many reviews hold each. `known_rows_K` are their rows in the table of the
    model that goes on learning, -1 without one; `known_weights_FO` and `known_squared_scales_FO`
    what it holds of them, 0 of what is new to it.
    """

    keys_K: Ints
    reviews_F: Ints
    known_rows_K: Ints
    known_weights_FO: Floats
    known_squared_scales_FO: Floats

    @classmethod
    def of(cls, known: NgramLinear, keys_K: Ints, reviews_F: Ints) -> Ngrams:
        """With what `known` holds of them."""
        rows_K = known_rows(known, keys_K)
        return cls(
            keys_K,
            reviews_F,
            rows_K,
            _known_of(known.word_weights, known.ngram_weights, rows_K),
            _known_of(known.word_squared_scales, known.ngram_squared_scales, rows_K),
        )


class NgramCounts(NamedTuple):
    """The n-grams of reviews: a binary matrix (N, F); the reviews' targets and weights."""

    ngrams: Ngrams
    features_NF: Any
    targets_NC: Floats
    weights_N: Floats


class Tokens(NamedTuple):
    """The tokens of reviews, and their bigrams and trigrams: keys, and the review of each."""

    ids_T: Ints
    owners_T: Ints
    keys_S: Ints
    key_owners_S: Ints

    @classmethod
    def of(cls, reviews: Sequence[npt.NDArray[np.integer[Any]]]) -> Tokens:
        ids_T, owners_T = concatenate(reviews)
        ids_T1 = torch.from_numpy(ids_T)[:, None]
        keys_S = np.concatenate([keys_T1[:, 0] for keys_T1 in ngram_keys(ids_T1)])
        owners_S, is_word_T, is_key_S = np.tile(owners_T, 2), ids_T != PAD, keys_S != 0
        return cls(ids_T[is_word_T], owners_T[is_word_T], keys_S[is_key_S], owners_S[is_key_S])


def is_fitted(known: NgramLinear) -> bool:
    """Whether it is that of a model that goes on learning."""
    return bool(known.word_squared_scales.any())


def known_rows(known: NgramLinear, keys_K: Ints) -> Ints:
    """The row of each n-gram in the table of a model that goes on learning; -1: it has none."""
    if not is_fitted(known):
        return np.full(len(keys_K), -1, np.int64)
    fingerprints_P, displacements_M = (
        part.cpu().numpy() for part in (known.ngram_fingerprints, known.ngram_displacements)
    )
    return owned_rows(keys_K, fingerprints_P, displacements_M)


def count_ngrams(
    known: NgramLinear, corpora: Sequence[Reviews], classes: int, max_length: int
) -> NgramCounts:
    """The words of the reviews, and the bigrams and trigrams of at least `MIN_REVIEWS`.

    Args:
        known: what goes on learning, whose bigrams and trigrams are counted alone; or zero.
        corpora: the reviews; of each a random sample of `MAX_TOKENS` if there are more.
        classes: C.
        max_length: tokens read of a review.
    """
    from scipy.sparse import csr_matrix

    reviews, targets, weights = [], [], []
    for corpus in corpora:
        rows_N = sample_rows(corpus, max_length)
        reviews += [truncate(corpus[row], max_length) for row in rows_N]
        targets.append(class_probabilities(corpus, classes, rows_N))
        weights.append(corpus.weights_of(rows_N))
    tokens = Tokens.of(reviews)

    order_S = np.argsort(tokens.keys_S)
    keys_S, key_owners_S = tokens.keys_S[order_S], tokens.key_owners_S[order_S]
    starts_K = np.flatnonzero(is_first(keys_S))
    keys_K, seen_K = keys_S[starts_K], np.diff(starts_K, append=len(keys_S))
    goes_on = is_fitted(known)
    # Most occur once, and are dropped before they take memory.
    often_K = known_rows(known, keys_K) >= 0 if goes_on else seen_K >= MIN_REVIEWS
    keys_K, words = keys_K[often_K], len(known.word_weights)
    columns_S = np.repeat(words + np.arange(len(keys_K)), seen_K[often_K])
    owners_S = key_owners_S[np.repeat(often_K, seen_K)]
    owners_P, columns_P = distinct_pairs(
        np.concatenate([tokens.owners_T, owners_S]),
        np.concatenate([tokens.ids_T, columns_S]),
        words + len(keys_K),
    )
    reviews_F = np.bincount(columns_P, minlength=words + len(keys_K))
    is_chosen_F = reviews_F >= (1 if goes_on else MIN_REVIEWS)
    is_chosen_F[:words] = True
    is_chosen_P = is_chosen_F[columns_P]
    number_F = np.cumsum(is_chosen_F, dtype=np.int32) - np.int32(1)
    columns_P, owners_P = number_F[columns_P[is_chosen_P]], owners_P[is_chosen_P]
    starts_N1 = np.searchsorted(owners_P, np.arange(len(reviews) + 1)).astype(np.int32)
    shape = len(reviews), int(is_chosen_F.sum())
    ones_P = np.ones(len(columns_P), np.float32)
    return NgramCounts(
        Ngrams.of(known, keys_K[is_chosen_F[words:]], reviews_F[is_chosen_F]),
        csr_matrix((ones_P, columns_P, starts_N1), shape=shape),
        np.concatenate(targets),
        np.concatenate(weights),
    )


def distinct_pairs(
    owners_S: npt.NDArray[np.integer[Any]], columns_S: npt.NDArray[np.integer[Any]], columns: int
) -> tuple[Ints, Ints]:
    """Each review and each of its columns once, by review and column: (P,), (P,).

    Args:
        owners_S: reviews.
        columns_S: a column of each.
        columns: how many there are.
    """
    pairs_S = np.sort(owners_S * columns + columns_S)
    owners_P, columns_P = np.divmod(pairs_S[is_first(pairs_S)], columns)
    return owners_P, columns_P


def _known_of(words_VO: torch.Tensor, ngrams_PO: torch.Tensor, row_K: Ints) -> Floats:
    """What a model holds of each feature (F, O); 0 where the row is -1."""
    ngrams_KO = np.zeros((len(row_K), words_VO.shape[1]), np.float32)
    ngrams_KO[row_K >= 0] = ngrams_PO.cpu().numpy()[row_K[row_K >= 0]]
    return np.concatenate([words_VO.cpu().numpy(), ngrams_KO]).astype(np.float32)


def sample_rows(corpus: Reviews, max_length: int) -> Ints:
    """The rows that are read into memory: all, or a random sample of `MAX_TOKENS` tokens."""
    chosen, tokens = [np.empty(0, np.int64)], 0
    for rows, _ in shuffled_rows(len(corpus), (0,)):
        read = tokens + np.cumsum(np.minimum(corpus.lengths_of(rows), max_length))
        chosen.append(rows[read <= MAX_TOKENS])
        tokens = int(read[-1])
        if tokens > MAX_TOKENS:
            break
    return np.sort(np.concatenate(chosen))
