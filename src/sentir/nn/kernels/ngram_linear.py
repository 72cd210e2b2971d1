"""The sums of `sentir.nn.ngram_linear` over many texts at once, compiled by Numba.

Shapes: N all tokens of a batch, one text after the other, B texts, V vocabulary, P rows of pairs
and triples, X weights and squares of all outputs side by side, so that they are fetched at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sentir.nn.bigrams import KEY_FOLD, PREVIOUS_MULTIPLIER, WORD_MULTIPLIER
from sentir.nn.kernels.primitives import Floats, Ints, compiled
from sentir.nn.ngram_linear import FIRST_MULTIPLIER, MAX_FINGERPRINT

WORDS, PAIRS, TRIPLES = range(3)


@compiled
def add_ngram_linear(
    ids_N: Ints,
    starts_B: Ints,
    lengths_B: Ints,
    words_VX: Floats,
    ngrams_PX: Floats,
    marks_P: npt.NDArray[np.int32],
    sums_BX: Floats,
) -> None:
    """Add to each text's sums the row of every word, pair and triple that it has.

    Args:
        ids_N: the words, none of them padding.
        starts_B: each text's first token.
        lengths_B: how many tokens it has, the longest text first.
        words_VX: the rows of words.
        ngrams_PX: the rows of pairs and triples.
        marks_P: to whom each of those belongs.
        sums_BX: what is added to.
    """
    numbers_3T = np.empty((3, lengths_B[0]), np.int64)
    for text in range(len(starts_B)):
        length, before, earlier = lengths_B[text], 0, 0
        for at in range(length):
            word = ids_N[starts_B[text] + at]
            pair = word * WORD_MULTIPLIER + before * PREVIOUS_MULTIPLIER
            numbers_3T[WORDS, at] = word
            numbers_3T[PAIRS, at] = pair if at >= 1 else 0
            numbers_3T[TRIPLES, at] = pair + earlier * FIRST_MULTIPLIER if at >= 2 else 0
            before, earlier = word, before
        for kind in (WORDS, PAIRS, TRIPLES):
            last = 0
            for number in np.sort(numbers_3T[kind, :length]):
                if number == last:  # none, or one that stood before
                    continue
                last = number
                if kind == WORDS:
                    row_X = words_VX[number]
                else:
                    row = (number + number // KEY_FOLD) % len(marks_P)
                    if marks_P[row] != number % MAX_FINGERPRINT + 1:
                        continue
                    row_X = ngrams_PX[row]
                for at in range(len(row_X)):
                    sums_BX[text, at] += row_X[at]
