"""A batch without its padding.

Shapes: B texts, T time, N tokens of the batch, one text after the other, the longest text first,
O numbers per token.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.data.batching import PaddedBatch
from sentir.nn.ngrams import PREVIOUS_MULTIPLIER, WORD_MULTIPLIER, hash_bucket

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class PackedBatch(NamedTuple):
    """All tokens of a batch as one array.

    Attributes:
        order_B: the index in the batch of each text here.
        ids_N: the ids of all tokens.
        starts_B: the index of each text's first token.
        lengths_B: the tokens of each text, from the longest text to the shortest.
    """

    order_B: Ints
    ids_N: Ints
    starts_B: Ints
    lengths_B: Ints

    @classmethod
    def of(cls, batch: PaddedBatch) -> PackedBatch:
        """Remove the padding of a batch."""
        order_B = np.argsort(-batch.lengths_B, kind="stable")
        lengths_B, ids_BT = batch.lengths_B[order_B], batch.ids_BT[order_B]
        ids_N = ids_BT[np.arange(ids_BT.shape[1]) < lengths_B[:, None]]
        return cls(order_B, ids_N, np.cumsum(lengths_B) - lengths_B, lengths_B)

    def bigram_rows(self, buckets: int) -> Ints:
        """The row of each token's bigram, (N,), as `sentir.nn.bigrams.bigram_rows`."""
        previous_N = np.roll(self.ids_N, 1)
        keys_N: Ints = previous_N * PREVIOUS_MULTIPLIER + self.ids_N * WORD_MULTIPLIER
        rows_N = hash_bucket(keys_N, buckets) + 1
        rows_N[self.starts_B] = 0
        return rows_N

    def sums(self, values_NO: Floats) -> Floats:
        """The sum over each text's tokens, (B, O)."""
        sums_BO: Floats = np.add.reduceat(values_NO, self.starts_B)
        return sums_BO
