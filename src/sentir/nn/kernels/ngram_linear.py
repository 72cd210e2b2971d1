"""The sums of `sentir.nn.ngram_linear` over many texts at once, compiled by Numba.

Shapes: N all tokens of a batch, one text after the other, B texts, T tokens of the longest, V
vocabulary, P rows of n-grams, M displacements, X weights and squared scales of all outputs side by
side, so that they are read together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sentir.nn.kernels.primitives import Floats, Ints, compiled
from sentir.nn.ngrams import (
    FINGERPRINTS,
    FIRST_MULTIPLIER,
    KEY_FOLD,
    MAX_FINGERPRINT,
    PREVIOUS_MULTIPLIER,
    WORD_MULTIPLIER,
)

WORDS, BIGRAMS, TRIGRAMS = range(3)


@compiled
def add_ngram_linear(
    ids_N: Ints,
    starts_B: Ints,
    lengths_B: Ints,
    words_VX: Floats,
    ngrams_PX: Floats,
    fingerprints_P: npt.NDArray[np.int32],
    displacements_M: npt.NDArray[np.int32],
    sums_BX: Floats,
) -> None:
    """Add to the sums of each text the row of every word, bigram and trigram that it has.

    Args:
        ids_N: the words, none of them padding.
        starts_B: each text's first token.
        lengths_B: the tokens of each text, the longest text first.
        words_VX: the rows of words.
        ngrams_PX: the rows of bigrams and trigrams.
        fingerprints_P: the owner of each of these rows.
        displacements_M: by which the row of an n-gram is found (`sentir.nn.ngrams.table_rows`).
        sums_BX: changed in place.
    """
    # The n-grams that a text had before, by hash; a row that it fills has its mark.
    rows = 4
    while rows < 2 * lengths_B[0]:
        rows *= 2
    keys_R, marks_R = np.empty(rows, np.int64), np.zeros(rows, np.int64)
    mark = 0
    for text in range(len(starts_B)):
        for kind in (WORDS, BIGRAMS, TRIGRAMS):
            mark += 1
            previous = earlier = 0
            for time in range(lengths_B[text]):
                word = ids_N[starts_B[text] + time]
                key = word
                if kind != WORDS:
                    key = word * WORD_MULTIPLIER + previous * PREVIOUS_MULTIPLIER
                if kind == TRIGRAMS:
                    key += earlier * FIRST_MULTIPLIER
                previous, earlier = word, previous
                if time < kind:  # none ends here
                    continue
                slot = (key + key // KEY_FOLD) & (rows - 1)
                while marks_R[slot] == mark and keys_R[slot] != key:
                    slot = (slot + 1) & (rows - 1)
                if marks_R[slot] == mark:  # it is repeated
                    continue
                keys_R[slot], marks_R[slot] = key, mark
                if kind == WORDS:
                    row_X = words_VX[key]
                else:
                    fingerprint = key % MAX_FINGERPRINT + 1
                    shift = displacements_M[fingerprint * len(displacements_M) // FINGERPRINTS]
                    row = (key + key // KEY_FOLD + shift) % len(fingerprints_P)
                    if fingerprints_P[row] != fingerprint:
                        continue
                    row_X = ngrams_PX[row]
                for column in range(len(row_X)):
                    sums_BX[text, column] += row_X[column]
