"""Word vectors of which a training step reads, and changes, only the rows of its batch.

Shapes: B batch, T time, V vocabulary, E embedding, U ids in ascending order.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sentir.text.tokenizer import PAD


class RowEmbedding(nn.Embedding):
    """An embedding that can read from a copy of some of its rows.

    The gradient of `weight` has as many rows as the vocabulary, whatever is read. While rows are
    lent, the copy is read instead, whose gradient has the rows of the copy.

    Args:
        vocabulary: V, ids 0 to V - 1; 0 is padding.
        embedding_dim: E.
    """

    def __init__(self, vocabulary: int, embedding_dim: int) -> None:
        super().__init__(vocabulary, embedding_dim, padding_idx=PAD)
        self._lent: tuple[Tensor, Tensor] | None = None

    def lend(self, rows_UE: Tensor, ids_U: Tensor) -> None:
        """Read from these rows, and of no other ids, until `end_lending`; the first id is `PAD`."""
        place_V = ids_U.new_zeros(self.num_embeddings) if self._lent is None else self._lent[1]
        place_V[ids_U] = torch.arange(len(ids_U))
        self._lent = rows_UE, place_V

    def end_lending(self) -> None:
        """Read from `weight` again."""
        self._lent = None

    def forward(self, ids: Tensor) -> Tensor:
        """The vectors of ids of any shape."""
        rows, ids = self._source(ids)
        return F.embedding(ids, rows, PAD)

    def distinct(self, ids_BT: Tensor) -> tuple[Tensor, Tensor]:
        """The vector of each distinct id, (U, E), and the place of each token's among them, (B, T).

        As ``torch.unique`` finds them, without sorting.
        """
        rows, ids_BT = self._source(ids_BT)
        is_used = ids_BT.new_zeros(len(rows))
        is_used[ids_BT.flatten()] = 1
        place = is_used.cumsum(0) - 1
        return F.embedding(is_used.nonzero()[:, 0], rows, PAD), place[ids_BT]

    def _source(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The rows that are read, and the places of these ids in them."""
        if self._lent is None:
            return self.weight, ids
        rows_UE, place_V = self._lent
        return rows_UE, place_V[ids]
