"""The n-grams of reviews as chunks on disk: features of a fit whose memory does not grow with them.

A chunk is the reviews of about a million tokens, in the order of the corpus. Its file holds their
columns in the binary matrix of features (int32), where each review starts, and their targets and
weights. Of several processes (`sentir.training.process_group`) each has every W-th chunk.

Shapes: N reviews of a chunk, F n-grams (V words, then K bigrams and trigrams), S of them in all
reviews, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.data.batching import truncate
from sentir.data.dataset import Reviews, class_probabilities
from sentir.nn.ngram_linear import NgramLinear
from sentir.training import ngram_counts
from sentir.training.ngram_candidates import COUNTED_PER_ROW, FITTED_PER_ROW, LossyCounts
from sentir.training.ngram_counts import (
    Doubles,
    Floats,
    Ints,
    Ngrams,
    Tokens,
    distinct_pairs,
    is_fitted,
    known_rows,
)
from sentir.training.process_group import ProcessGroup

#: Tokens of a chunk, and reviews whose lengths are read at a time.
CHUNK_TOKENS, BLOCK = 2**20, 1024

Advance = Callable[[str, int], None]


class Chunk(NamedTuple):
    """Reviews of a chunk: a binary matrix (N, F), and their targets and weights."""

    features_NF: Any
    targets_NC: Floats
    weights_N: Floats


class Totals(NamedTuple):
    """Sums over all reviews: how many hold each n-gram, and their weights by class.

    `reviews` is how many there are, `weights_C` are their weights by class.
    """

    reviews_F: Ints
    weights_CF: Doubles
    weights_C: Doubles
    reviews: int

    def __add__(self, other: Totals) -> Totals:  # type: ignore[override]
        return Totals(
            self.reviews_F + other.reviews_F,
            self.weights_CF + other.weights_CF,
            self.weights_C + other.weights_C,
            self.reviews + other.reviews,
        )


@dataclass
class NgramChunks:
    """Chunks in a folder, of which this process has every W-th.

    Attributes:
        known: what goes on learning, whose bigrams and trigrams are counted alone; or zero.
        classes: C.
        max_length: tokens read of a review.
        rows: most rows of a new table of bigrams and trigrams.
        folder: for the files, this process's own.
        processes: the group that shares them.
        advance: called with what is done, and how many reviews of this process more.
        corpora: how many were added.
    """

    known: NgramLinear
    classes: int
    max_length: int
    rows: int
    folder: Path
    processes: ProcessGroup
    advance: Advance
    corpora: int = 0
    _keys_K: Ints | None = None
    _files: list[Path] = field(default_factory=list)
    _totals: Totals | None = None
    _ones_S: Doubles = field(default_factory=lambda: np.empty(0))

    def _choose(self, corpus: Reviews) -> Ints:
        """The keys of the bigrams and trigrams that are fitted to, by rising key."""
        own = self.processes.together(lambda: self._count(corpus))
        counts = LossyCounts.empty(self.classes)
        for of_rank in self.processes.each(own):
            counts = (counts + of_rank).pruned(self.rows * COUNTED_PER_ROW)
        if is_fitted(self.known):
            return counts.keys_K
        return counts.strongest(self.rows * FITTED_PER_ROW, len(corpus))

    def _count(self, corpus: Reviews) -> LossyCounts:
        counts = LossyCounts.empty(self.classes)
        goes_on = is_fitted(self.known)
        for rows_N, tokens in self._own_tokens(corpus, "counting n-grams"):
            keys_S, owners_S = tokens.keys_S, tokens.key_owners_S
            if goes_on:
                is_known_S = known_rows(self.known, keys_S) >= 0
                keys_S, owners_S = keys_S[is_known_S], owners_S[is_known_S]
            weights_NC = class_probabilities(corpus, self.classes, rows_N)
            weights_NC = weights_NC * corpus.weights_of(rows_N)[:, None]
            counts += LossyCounts.of(keys_S, owners_S, weights_NC)
            counts = counts.pruned(self.rows * COUNTED_PER_ROW)
        return counts

    def add(self, corpus: Reviews) -> None:
        """Write the chunks of a corpus, and add it to the totals.

        The first one's bigrams and trigrams are the features.
        """
        if self._keys_K is None:
            self._keys_K = self._choose(corpus)
        keys_K = self._keys_K
        own = self.processes.together(lambda: self._write(corpus, keys_K))
        for sums in (own.reviews_F, own.weights_CF, own.weights_C):
            self.processes.sum(sums)
        self._totals = self._totals + own if self._totals else own
        self.corpora += 1

    def ngrams(self) -> Ngrams:
        """The features."""
        assert self._keys_K is not None
        return Ngrams.of(self.known, self._keys_K, self.totals.reviews_F)

    @property
    def totals(self) -> Totals:
        """The sums over all reviews that were added."""
        assert self._totals is not None
        return self._totals

    def _write(self, corpus: Reviews, keys_K: Ints) -> Totals:
        words = len(self.known.word_weights)
        features = words + len(keys_K)
        reviews_F = np.zeros(features, np.int64)
        weights_CF, weights_C = np.zeros((self.classes, features)), np.zeros(self.classes)
        for rows_N, tokens in self._own_tokens(corpus, "storing n-grams"):
            order_S = np.argsort(tokens.keys_S)  # sorted keys are found faster
            keys_S, owners_S = tokens.keys_S[order_S], tokens.key_owners_S[order_S]
            place_S = np.searchsorted(keys_K, keys_S)
            is_fitted_S = np.append(keys_K, -1)[place_S] == keys_S
            owners_S, columns_S = distinct_pairs(
                np.concatenate([tokens.owners_T, owners_S[is_fitted_S]]),
                np.concatenate([tokens.ids_T, words + place_S[is_fitted_S]]),
                features,
            )
            starts_N1 = np.searchsorted(owners_S, np.arange(len(rows_N) + 1))
            targets_NC = class_probabilities(corpus, self.classes, rows_N)
            weights_N = corpus.weights_of(rows_N)
            reviews_F += np.bincount(columns_S, minlength=features)
            for label, weight_N in enumerate((targets_NC * weights_N[:, None]).T):
                weights_CF[label] += np.bincount(columns_S, weight_N[owners_S], features)
                weights_C[label] += weight_N.sum(dtype=np.float64)
            ints = columns_S.astype(np.int32), starts_N1.astype(np.int32)
            self._save(*ints, targets_NC, weights_N)
        return Totals(reviews_F, weights_CF, weights_C, len(corpus))

    def _save(self, *arrays: npt.NDArray[Any]) -> None:
        path = self.folder / f"{len(self._files)}.npy"
        with path.open("wb") as file:
            for array in arrays:
                np.save(file, array)
        self._files.append(path)

    def _own_tokens(self, corpus: Reviews, what: str) -> Iterator[tuple[Ints, Tokens]]:
        """The rows and the tokens of each chunk of this process."""
        all_rows = chunk_rows(corpus, self.max_length)
        for rows_N in islice(all_rows, self.processes.rank, None, self.processes.size):
            self.processes.raise_if_interrupted()
            yield rows_N, Tokens.of([truncate(corpus[row], self.max_length) for row in rows_N])
            self.advance(what, len(rows_N))

    def read(self, what: str) -> Iterator[Chunk]:
        """The chunks of this process, one after the other.

        Args:
            what: is being done.
        """
        from scipy.sparse import csr_matrix

        self.processes.raise_if_interrupted()  # also where this process has no chunk
        for path in self._files:
            with path.open("rb") as file:
                columns_S, starts_N1, targets_NC, weights_N = (
                    np.load(file, allow_pickle=False) for _ in range(4)
                )
            if len(self._ones_S) < len(columns_S):
                self._ones_S = np.ones(len(columns_S))
            ones_S = self._ones_S[: len(columns_S)]
            shape = len(weights_N), len(self.totals.reviews_F)
            features_NF = csr_matrix((ones_S, columns_S, starts_N1), shape=shape)
            yield Chunk(features_NF, targets_NC, weights_N)
            self.advance(what, len(weights_N))
            self.processes.raise_if_interrupted()


def chunk_rows(corpus: Reviews, max_length: int) -> Iterator[Ints]:
    """The rows of each chunk of a corpus."""
    first = tokens = 0
    for end, read in _lengths(corpus, max_length):
        tokens += read
        if tokens >= CHUNK_TOKENS or end == len(corpus):
            yield np.arange(first, end)
            first, tokens = end, 0


def fits_in_memory(corpus: Reviews, max_length: int) -> bool:
    """Whether a corpus has at most `sentir.training.ngram_counts.MAX_TOKENS` tokens."""
    tokens = 0
    for _, read in _lengths(corpus, max_length):
        tokens += read
        if tokens > ngram_counts.MAX_TOKENS:
            return False
    return True


def _lengths(corpus: Reviews, max_length: int) -> Iterator[tuple[int, int]]:
    """Where each block of reviews ends, and how many tokens are read of it."""
    for start in range(0, len(corpus), BLOCK):
        rows_N = np.arange(start, min(start + BLOCK, len(corpus)))
        lengths_N = np.minimum(corpus.lengths_of(rows_N), max_length)
        yield start + len(rows_N), int(lengths_N.sum())
