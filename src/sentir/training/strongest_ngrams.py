"""The words and longer n-grams that speak most for each class, for the report.

The tables of the n-gram linear model hold hashes, not words, so the n-grams of the largest weights
are looked up in the training reviews.

Shapes: R rows of a table, K rows that are looked up, N reviews, T tokens, O outputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sentir.bundle import Arrays
from sentir.data.batching import Ids, concatenate, truncate
from sentir.data.dataset import Reviews
from sentir.data.distinct import distinct
from sentir.evaluation.report import ClassNgrams, Ngram
from sentir.nn.ngrams import against_others, ngram_keys, owned_rows
from sentir.text.tokenizer import PAD, SPECIAL, Tokenizer
from sentir.training.ngram_counts import sample_rows
from sentir.weights import DISPLACEMENTS, NGRAM_FINGERPRINTS

#: N-grams that are shown of each class.
SHOWN = 12
#: So many times as many are looked up: those of reviews outside the sample are not found.
MARGIN = 4
#: Reviews that are looked at together.
PART = 1000

Rows = npt.NDArray[np.int64]


def strongest_ngrams(
    weights: Arrays,
    tokenizer: Tokenizer,
    names: Sequence[str],
    corpus: Reviews,
    max_length: int,
) -> list[ClassNgrams]:
    """Of each class the n-grams with the largest weights (`sentir.nn.ngrams.against_others`).

    Args:
        weights: of the whole model, which has an n-gram linear model.
        tokenizer: the model's.
        names: of the classes.
        corpus: the training reviews.
        max_length: tokens read of a review.
    """
    words_VO, ngrams_PO = (weights[f"ngram_linear.{part}_weights"] for part in ("word", "ngram"))
    words = [_largest(words_VO[len(SPECIAL) :], c) + len(SPECIAL) for c in range(len(names))]
    ngrams = [_largest(ngrams_PO, c) for c in range(len(names))]
    lookup = _Lookup(weights, words, ngrams)
    rows_N = sample_rows(corpus, max_length)
    for start in range(0, len(rows_N), PART):
        lookup.add([truncate(corpus[row], max_length) for row in rows_N[start : start + PART]])
    return [
        ClassNgrams(
            name=name,
            words=lookup.shown(words[c], against_others(words_VO[words[c]], c), tokenizer, 0),
            phrases=lookup.shown(ngrams[c], against_others(ngrams_PO[ngrams[c]], c), tokenizer, 1),
        )
        for c, name in enumerate(names)
    ]


class _Lookup:
    """Which n-grams own certain rows, and how many reviews hold them."""

    def __init__(self, weights: Arrays, words: list[Rows], ngrams: list[Rows]) -> None:
        self._owners = weights[NGRAM_FINGERPRINTS], weights[DISPLACEMENTS]
        self._rows = tuple(distinct(np.concatenate(parts)) for parts in (words, ngrams))
        self._found: tuple[dict[int, list[int]], ...] = ({}, {})
        self._reviews = tuple(np.zeros(len(rows_K), np.int64) for rows_K in self._rows)

    def add(self, reviews: Sequence[Ids]) -> None:
        """Look at some reviews."""
        ids_T, owner_T = concatenate(reviews)
        seen: tuple[list[Rows], list[Rows]] = ([], [])
        is_whole_T = np.ones(len(ids_T), bool)  # no n-gram reaches from one review into the next
        for length, keys_T in enumerate((ids_T, *ngram_keys(ids_T)), start=1):
            is_whole_T = is_whole_T[: len(keys_T)] & (ids_T[length - 1 :] != PAD)
            kind = int(length > 1)
            rows_T = owned_rows(keys_T, *self._owners) if kind else keys_T
            start_M = np.flatnonzero(is_whole_T & np.isin(rows_T, self._rows[kind]))
            place_M = np.searchsorted(self._rows[kind], rows_T[start_M])
            seen[kind].append(owner_T[start_M] * len(self._rows[kind]) + place_M)
            for start in start_M[np.unique(place_M, return_index=True)[1]]:
                ids = ids_T[start : start + length].tolist()
                self._found[kind].setdefault(int(rows_T[start]), ids)
        for reviews_K, parts in zip(self._reviews, seen, strict=True):
            if len(reviews_K):
                once = distinct(np.concatenate(parts))
                reviews_K += np.bincount(once % len(reviews_K), minlength=len(reviews_K))

    def shown(
        self, rows_K: Rows, weights_K: npt.NDArray[np.float64], tokenizer: Tokenizer, kind: int
    ) -> list[Ngram]:
        """The first of these rows that were found; kind 0 are words, 1 longer n-grams."""
        ngrams = [
            Ngram(
                text=tokenizer.join(self._found[kind][int(row)]),
                weight=float(weight),
                reviews=int(self._reviews[kind][np.searchsorted(self._rows[kind], row)]),
            )
            for row, weight in zip(rows_K, weights_K, strict=True)
            if int(row) in self._found[kind]
        ]
        return ngrams[:SHOWN]


def _largest(weights_RO: npt.NDArray[np.float32], class_id: int) -> Rows:
    """The rows that speak most for a class, the largest weight first."""
    weights_R = against_others(weights_RO, class_id)
    count = min(SHOWN * MARGIN, len(weights_R))
    rows_K = np.argpartition(-weights_R, count - 1)[:count]
    rows_K = rows_K[np.argsort(-weights_R[rows_K], kind="stable")]
    largest_K: Rows = rows_K[weights_R[rows_K] > 0]
    return largest_K
