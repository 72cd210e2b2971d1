"""Which bigrams and trigrams are fitted to, of more reviews than fit in memory.

Counted are the reviews that hold each n-gram, and their weights by class, by lossy counting (Manku
and Motwani 2002, *Approximate Frequency Counts over Data Streams*): when the table is full, the
n-grams of the fewest reviews are dropped, and it is noted how many reviews one may have had that is
absent. So an n-gram that more reviews hold is never lost. Tables of several processes add up, as
mergeable summaries do (Agarwal et al. 2012). The counts choose the n-grams only: those that the fit
uses are exact, as they are counted once more (`sentir.training.ngram_chunks`).

Shapes: N reviews of a chunk, K n-grams, S n-grams of all reviews, C classes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.data.distinct import is_first
from sentir.training.ngram_counts import MIN_REVIEWS, Floats, Ints
from sentir.training.ngram_regression import ngram_scale

#: N-grams that are fitted to, and that are counted at a time, for each row of the model's table:
#: with fewer the loss is higher (docs/decisions/0542).
FITTED_PER_ROW, COUNTED_PER_ROW = 8, 32


class LossyCounts(NamedTuple):
    """Counts of n-grams, by rising key; more than `missed` reviews hold none that is absent.

    An n-gram is held by at least `reviews_K` reviews, and by at most `missed_K` more. `weights_CK`
    are the weights of these reviews by class.
    """

    keys_K: Ints
    reviews_K: npt.NDArray[np.int32]
    missed_K: npt.NDArray[np.int32]
    weights_CK: Floats
    missed: int

    @classmethod
    def empty(cls, classes: int) -> LossyCounts:
        none, no_counts = np.empty(0, np.int64), np.empty(0, np.int32)
        return cls(none, no_counts, no_counts, np.empty((classes, 0), np.float32), 0)

    @classmethod
    def of(cls, keys_S: Ints, owners_S: Ints, weights_NC: Floats) -> LossyCounts:
        """Count the n-grams of some reviews, exactly.

        Args:
            keys_S: of all n-grams; those of one length stand in the order of the reviews.
            owners_S: the review of each.
            weights_NC: the weight of each review, divided among the classes.
        """
        order_S = np.argsort(keys_S, kind="stable")
        keys_S, owners_S = keys_S[order_S], owners_S[order_S]
        is_new_S = is_first(keys_S)
        is_new_S[1:] |= owners_S[1:] != owners_S[:-1]  # an n-gram counts once per review
        keys_S, owners_S = keys_S[is_new_S], owners_S[is_new_S]
        starts_K = np.flatnonzero(is_first(keys_S))
        reviews_K = np.diff(starts_K, append=len(keys_S)).astype(np.int32)
        weights_CS = weights_NC.T[:, owners_S]
        weights_CK = np.add.reduceat(weights_CS, starts_K, axis=1) if len(starts_K) else weights_CS
        return cls(keys_S[starts_K], reviews_K, np.zeros_like(reviews_K), weights_CK, 0)

    def __add__(self, other: LossyCounts) -> LossyCounts:  # type: ignore[override]
        """The counts of both; fastest where `other` has the fewer n-grams."""
        place_S = np.searchsorted(self.keys_K, other.keys_K)
        is_new_S = np.append(self.keys_K, -1)[place_S] != other.keys_K
        at_S = place_S + np.cumsum(is_new_S) - is_new_S  # where they come to be
        is_old_K = np.ones(len(self.keys_K) + int(is_new_S.sum()), bool)
        is_old_K[at_S[is_new_S]] = False

        def add(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
            sums = np.zeros((*ours.shape[:-1], len(is_old_K)), ours.dtype)
            sums[..., is_old_K] = ours
            sums[..., at_S] += theirs
            return sums

        more_K = add(self.missed_K - self.missed, other.missed_K - other.missed)
        return LossyCounts(
            add(self.keys_K, other.keys_K * is_new_S),
            add(self.reviews_K, other.reviews_K),
            more_K + (self.missed + other.missed),
            add(self.weights_CK, other.weights_CK),
            self.missed + other.missed,
        )

    def pruned(self, limit: int) -> LossyCounts:
        """As they are up to `limit` n-grams; of more, those of the most reviews, at most half."""
        size, kept = len(self.keys_K), limit // 2
        if size <= limit:
            return self
        most_K = self.reviews_K + self.missed_K
        dropped = int(np.partition(most_K, size - kept - 1)[size - kept - 1])
        is_kept_K = most_K > dropped
        return LossyCounts(
            self.keys_K[is_kept_K],
            self.reviews_K[is_kept_K],
            self.missed_K[is_kept_K],
            self.weights_CK[:, is_kept_K],
            max(self.missed, dropped),
        )

    def strongest(self, limit: int, total: int) -> Ints:
        """The keys of the n-grams that tell most, at most `limit`, by rising key.

        By their scale times the root of the number of reviews, as those of the model's table are
        chosen by their weight.

        Args:
            limit: how many.
            total: all reviews.
        """
        reviews_K = self.reviews_K + self.missed_K
        all_K = self.weights_CK.sum(axis=0, dtype=np.float64)
        score_K = np.zeros(len(reviews_K), np.float32)
        for inside_K in self.weights_CK[1:] if len(self.weights_CK) == 2 else self.weights_CK:
            scale_K = ngram_scale(inside_K, np.maximum(all_K - inside_K, 0), reviews_K, total)
            score_K = np.maximum(score_K, scale_K * np.sqrt(reviews_K).astype(np.float32))
        often = np.flatnonzero(reviews_K >= MIN_REVIEWS)
        strongest = often[np.argsort(-score_K[often], kind="stable")[:limit]]
        return self.keys_K[np.sort(strongest)]
