"""The n-gram linear model: a weight for each word, bigram and trigram that tells the classes apart.

What single words and short runs of words say is learnt best by a convex fit (Wang and Manning
2012); what their order says, by the network. Each output is the sum of the weights of the text's
n-grams over the norm of the text's vector, and is added to the network's own (the wide part of
Cheng et al. 2016).

The row of a bigram or trigram in the table follows from its words by a hash (Weinberger et al.
2009) and a displacement, and so does its fingerprint, by another hash. A row belongs to the n-gram
whose fingerprint it holds. All others with the same row, most of which never occurred in training,
count for nothing.

Shapes: B batch, T time, V vocabulary, P rows of the table, M displacements, O outputs.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from sentir.nn.bigrams import previous_words
from sentir.nn.ngrams import (
    FIRST_MULTIPLIER,
    MAX_FINGERPRINT,
    MIN_SQUARED_SCALE,
    PREVIOUS_MULTIPLIER,
    WORD_MULTIPLIER,
    table_rows,
)
from sentir.nn.padding import padding_mask
from sentir.text.tokenizer import PAD
from sentir.weights import EMPTY_TABLE, NgramTableSize


class NgramLinear(nn.Module):
    """Outputs of shape (B, O); zero until it is fitted (`sentir.training.ngram_linear`).

    Every n-gram has a scale for each output, which says how well it tells the classes apart, and a
    learnt weight times that scale. The tables hold these weights and the squares of the scales: the
    norm of a text is the root of the sum of its n-grams' squares. An n-gram counts once per text.
    `PAD` counts for nothing.

    Args:
        vocabulary: V.
        outputs: O.
        size: of the table of bigrams and trigrams (P, M), which grows when it is fitted.
    """

    def __init__(self, vocabulary: int, outputs: int, size: NgramTableSize = EMPTY_TABLE) -> None:
        super().__init__()
        # Fitted after the network is trained, not by its gradient: so buffers, not parameters.
        self.register_buffer("word_weights", torch.zeros(vocabulary, outputs))
        self.register_buffer("word_squared_scales", torch.zeros(vocabulary, outputs))
        for name in ("ngram_weights", "ngram_squared_scales", "ngram_fingerprints"):
            self.register_buffer(name, None)
        self.register_buffer("ngram_displacements", None)
        self.resize_table(size)
        self.word_weights: Tensor
        self.word_squared_scales: Tensor
        self.ngram_weights: Tensor
        self.ngram_squared_scales: Tensor
        self.ngram_fingerprints: Tensor
        self.ngram_displacements: Tensor

    def resize_table(self, size: NgramTableSize) -> None:
        """Make the table of bigrams and trigrams anew, all rows 0 and without an owner."""
        new = self.word_weights.new_zeros
        outputs = self.word_weights.shape[1]
        self.ngram_weights = new(size.rows, outputs)
        self.ngram_squared_scales = new(size.rows, outputs)
        self.ngram_fingerprints = new(size.rows, dtype=torch.int32)
        self.ngram_displacements = new(size.displacements, dtype=torch.int32)

    def forward(self, ids_TB: Tensor, lengths_B: Tensor) -> Tensor:
        """Outputs of shape (B, O) for texts of `lengths_B` tokens each."""
        ids_TB = ids_TB.masked_fill(padding_mask(ids_TB, lengths_B), PAD)
        words_TB = without_repeats(ids_TB)
        weights_BO = self.word_weights[words_TB].sum(dim=0)
        squared_scales_BO = self.word_squared_scales[words_TB].sum(dim=0)
        for keys_TB in ngram_keys(ids_TB):
            keys_TB = without_repeats(keys_TB)
            rows_TB = table_rows(keys_TB, self.ngram_displacements, len(self.ngram_fingerprints))
            owns_TB1 = (self.ngram_fingerprints[rows_TB] == fingerprint(keys_TB))[:, :, None]
            weights_BO = weights_BO + (self.ngram_weights[rows_TB] * owns_TB1).sum(dim=0)
            squared_scales_BO = squared_scales_BO + (
                self.ngram_squared_scales[rows_TB] * owns_TB1
            ).sum(dim=0)
        return weights_BO / (squared_scales_BO + MIN_SQUARED_SCALE).sqrt()


def ngram_keys(ids_TB: Tensor) -> Iterator[Tensor]:
    """The keys of the bigrams that end at each token, (T, B), then those of the trigrams.

    0 where none ends.
    """
    keys_TB, words_TB = ids_TB * WORD_MULTIPLIER, ids_TB
    is_whole_TB = ids_TB != PAD
    for multiplier in (PREVIOUS_MULTIPLIER, FIRST_MULTIPLIER):
        words_TB = previous_words(words_TB)
        is_whole_TB = is_whole_TB & (words_TB != PAD)
        keys_TB = keys_TB + words_TB * multiplier
        yield keys_TB * is_whole_TB


def without_repeats(keys_TB: Tensor) -> Tensor:
    """The keys of each text in order, repeated ones replaced by 0, (T, B)."""
    sorted_TB = keys_TB.sort(dim=0).values
    is_repeat_TB = torch.zeros_like(sorted_TB, dtype=torch.bool)
    is_repeat_TB[1:] = sorted_TB[1:] == sorted_TB[:-1]
    return sorted_TB.masked_fill(is_repeat_TB, 0)


def fingerprint(keys: Tensor) -> Tensor:
    """The fingerprint of each key, 1 to `MAX_FINGERPRINT`; -1, which no row holds, for key 0."""
    return (keys % MAX_FINGERPRINT + 1).masked_fill(keys == 0, -1)
