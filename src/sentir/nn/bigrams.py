"""Vectors for pairs of neighbouring words, hashed into a fixed number of rows.

A recurrent layer must learn from few examples that "not" turns the next word round; a vector for
the pair tells it at once. There are too many pairs for a row each, so they share rows by a hash,
and training sorts out who matters (Weinberger et al. 2009; fastText: Joulin et al. 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sentir.nn.dropout import Dropout
from sentir.text.tokenizer import PAD

# Knuth's multiplier and another odd one of its size (The Art of Computer Programming, 6.4): small
# ids, which are the frequent words, must not fall together whatever the number of rows is.
FIRST, SECOND, FOLD = 2_654_435_761, 2_246_822_519, 65_537


class HashedBigrams(nn.Module):
    """Adds to each token the vector of the pair it makes with the token before it.

    Vectors start at zero, so that training begins with the words alone.

    Args:
        buckets: rows that all pairs share; row 0 is for no pair.
        size: E, units of a vector.
        dropout: share of the pairs' features dropped in training.
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
        """The row of each token's pair, (T, B)."""
        return hashed_pairs(ids_TB, self.buckets)


def hashed_pairs(ids_TB: Tensor, buckets: int) -> Tensor:
    """The row, 1 to `buckets`, of each token's pair with the token before it, (T, B).

    0 for a text's first token and for padding.
    """
    before_TB = words_before(ids_TB)
    row_TB = row_of(before_TB * FIRST + ids_TB * SECOND, buckets) + 1
    return row_TB.masked_fill((before_TB == PAD) | (ids_TB == PAD), 0)


def words_before(ids_TB: Tensor) -> Tensor:
    """The word before each, padding before the first, (T, B)."""
    return torch.cat([torch.full_like(ids_TB[:1], PAD), ids_TB[:-1]])


def row_of(key: Tensor, rows: int) -> Tensor:
    """The row, 0 to `rows` - 1, on which several words fall, given the sum of their multiples."""
    return (key + key // FOLD) % rows
