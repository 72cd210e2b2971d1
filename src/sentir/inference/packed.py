"""A batch without its padding.

Shapes: B texts, T time, N tokens of the batch, one text after the other, the longest text first,
O numbers per token.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sentir.data.batching import Batch
from sentir.nn.bigrams import bigram_rows
from sentir.nn.kernels.primitives import Floats, Ints


class PackedBatch(NamedTuple):
    """All tokens of a batch as one array.

    Attributes:
        order_B: the index in the batch of each text here.
        ids_BT: the padded ids, in the order of here.
        token_mask_BT: where these are tokens rather than padding.
        ids_N: the ids of all tokens.
        starts_B: the index of each text's first token.
        lengths_B: the tokens of each text, from the longest text to the shortest.
    """

    order_B: Ints
    ids_BT: Tensor
    token_mask_BT: npt.NDArray[np.bool_]
    ids_N: Ints
    starts_B: Ints
    lengths_B: Ints

    @classmethod
    def of(cls, batch: Batch) -> PackedBatch:
        """Remove the padding of a batch."""
        lengths_B = batch.lengths_B.numpy()
        order_B = np.argsort(-lengths_B, kind="stable")
        lengths_B, ids_BT = lengths_B[order_B], batch.ids_BT[torch.from_numpy(order_B)]
        token_mask_BT = np.arange(ids_BT.shape[1]) < lengths_B[:, None]
        ids_N = ids_BT.numpy()[token_mask_BT]
        starts_B = np.cumsum(lengths_B) - lengths_B
        return cls(order_B, ids_BT, token_mask_BT, ids_N, starts_B, lengths_B)

    def bigram_rows(self, buckets: int) -> Ints:
        """The row of each token's bigram, (N,); see `sentir.nn.bigrams`."""
        rows_N: Ints = bigram_rows(self.ids_BT.T, buckets).T.numpy()[self.token_mask_BT]
        return rows_N

    def sums(self, values_NO: Floats) -> Floats:
        """The sum over each text's tokens, (B, O)."""
        sums_BO: Floats = np.add.reduceat(values_NO, self.starts_B)
        return sums_BO
