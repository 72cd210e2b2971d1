"""A batch without its padding.

Shapes: B texts, T time, N tokens of a batch, one text after the other and the longest first, O
numbers a token.
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
    """All tokens of a batch in one piece; `order_B` says where each text stood in it."""

    order_B: Ints
    sorted_BT: Tensor
    inside_BT: npt.NDArray[np.bool_]
    ids_N: Ints
    starts_B: Ints
    lengths_B: Ints

    @classmethod
    def of(cls, batch: Batch) -> PackedBatch:
        """Leave the padding out."""
        lengths_B = batch.lengths_B.numpy()
        order_B = np.argsort(-lengths_B, kind="stable")
        lengths_B, sorted_BT = lengths_B[order_B], batch.ids_BT[torch.from_numpy(order_B)]
        inside_BT = np.arange(sorted_BT.shape[1]) < lengths_B[:, None]
        starts_B = np.cumsum(lengths_B) - lengths_B
        return cls(order_B, sorted_BT, inside_BT, sorted_BT.numpy()[inside_BT], starts_B, lengths_B)

    def pair_rows(self, buckets: int) -> Ints:
        """The row of each token's pair; see `sentir.nn.bigrams`."""
        found: Ints = bigram_rows(self.sorted_BT.T, buckets).T.numpy()[self.inside_BT]
        return found

    def sums(self, values_NO: Floats) -> Floats:
        """The sum over each text's tokens, (B, O)."""
        found: Floats = np.add.reduceat(values_NO, self.starts_B)
        return found
