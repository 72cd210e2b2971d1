"""Vectors of bigrams (pairs of neighbouring words), hashed into a fixed number of rows.

A recurrent layer must learn from few examples that "not" reverses the next word; a vector of the
bigram says it directly. There are too many bigrams for a row each, so they share rows by a hash
(Weinberger et al. 2009; fastText: Joulin et al. 2017).

Shapes: B batch, T time, E embedding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sentir.nn.dropout import Dropout
from sentir.nn.ngrams import PREVIOUS_MULTIPLIER, WORD_MULTIPLIER, hash_bucket
from sentir.text.tokenizer import PAD


class HashedBigrams(nn.Module):
    """The vector of the bigram that each token makes with the one before it.

    Vectors start at zero, so that training starts from the words alone.

    Args:
        buckets: rows that all bigrams share; row 0 is for no bigram.
        size: E.
        dropout: share of the vectors' numbers that are dropped in training.
    """

    def __init__(self, buckets: int, size: int, dropout: float) -> None:
        super().__init__()
        self.buckets = buckets
        self.vectors = nn.Embedding(buckets + 1, size, padding_idx=0)
        nn.init.zeros_(self.vectors.weight)
        self.dropout = Dropout(dropout)

    def forward(self, ids_TB: Tensor) -> Tensor:
        """Vectors of shape (T, B, E); zero for a text's first token and for padding."""
        vectors_TBE: Tensor = self.dropout(self.vectors(self.rows(ids_TB)))
        return vectors_TBE

    def rows(self, ids_TB: Tensor) -> Tensor:
        """The row of each token's bigram, (T, B)."""
        return bigram_rows(ids_TB, self.buckets)


def bigram_rows(ids_TB: Tensor, buckets: int) -> Tensor:
    """The row, 1 to `buckets`, of each token's bigram with the token before it, (T, B).

    0 for a text's first token and for padding.
    """
    previous_TB = previous_words(ids_TB)
    keys_TB = previous_TB * PREVIOUS_MULTIPLIER + ids_TB * WORD_MULTIPLIER
    rows_TB = hash_bucket(keys_TB, buckets) + 1
    return rows_TB.masked_fill((previous_TB == PAD) | (ids_TB == PAD), 0)


def previous_words(ids_TB: Tensor) -> Tensor:
    """The word before each, padding before the first, (T, B)."""
    return torch.cat([torch.full_like(ids_TB[:1], PAD), ids_TB[:-1]])
