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
    keys_3T = np.empty((3, lengths_B[0]), np.int64)
    for text in range(len(starts_B)):
        length, previous, earlier = lengths_B[text], 0, 0
        for time in range(length):
            word = ids_N[starts_B[text] + time]
            bigram = word * WORD_MULTIPLIER + previous * PREVIOUS_MULTIPLIER
            keys_3T[WORDS, time] = word
            keys_3T[BIGRAMS, time] = bigram if time >= 1 else 0
            keys_3T[TRIGRAMS, time] = bigram + earlier * FIRST_MULTIPLIER if time >= 2 else 0
            previous, earlier = word, previous
        for kind in (WORDS, BIGRAMS, TRIGRAMS):
            last_key = 0
            for key in np.sort(keys_3T[kind, :length]):
                if key == last_key:  # there is none, or it is repeated
                    continue
                last_key = key
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
