"""A linear part beside the network: one weight for every word and for every pair of words.

What single words and pairs say is learnt best by a convex fit (Wang and Manning 2012); what their
order says, by the network. Each output is the sum of the text's weights over the size of the text's
vector of terms, and is added to the network's own (the wide part of Cheng et al. 2016).

Shapes: B batch, T time, V vocabulary, P rows of pairs, E units of a vector, O outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sentir.nn.bigrams import hashed_pairs

#: Keeps the size of a text without terms from being zero.
LEAST_SQUARE = 1e-6


class Terms(nn.Module):
    """Outputs of shape (B, O); zero until weights are put in.

    Every term has a scale, which says how telling it is, and a weight, which is what was learnt for
    it times that scale. Here stand the weights and the squares of the scales: a text's size is the
    root of the sum of its terms' squares.

    Args:
        vocabulary: V.
        pairs: P, rows that all pairs share.
        outputs: O.
    """

    def __init__(self, vocabulary: int, pairs: int, outputs: int) -> None:
        super().__init__()
        self.pairs = pairs
        # Fitted after the network is trained, not by its gradient: so buffers, not parameters.
        for name, rows in (("word", vocabulary), ("pair", pairs + 1)):
            self.register_buffer(f"{name}_weights", torch.zeros(rows, outputs))
            self.register_buffer(f"{name}_squares", torch.zeros(rows, outputs))
        self.word_weights: Tensor
        self.pair_weights: Tensor
        self.word_squares: Tensor
        self.pair_squares: Tensor

    def forward(self, ids_TB: Tensor, lengths_B: Tensor) -> Tensor:
        rows_TB = hashed_pairs(ids_TB, self.pairs)
        weights_TBO = self.word_weights[ids_TB] + self.pair_weights[rows_TB]
        squares_TBO = self.word_squares[ids_TB] + self.pair_squares[rows_TB]
        size_BO = (summed(squares_TBO, lengths_B) + LEAST_SQUARE).sqrt()
        return summed(weights_TBO, lengths_B) / size_BO


def summed(x_TBE: Tensor, lengths_B: Tensor) -> Tensor:
    """The sum of each text's vectors, (B, E)."""
    return x_TBE.masked_fill(outside(x_TBE, lengths_B), 0.0).sum(dim=0)


def scaled_sum(x_TBE: Tensor, lengths_B: Tensor) -> Tensor:
    """The sum of a text's vectors over the root of its length, (B, E): what a bag of words sees.

    The root keeps its spread the same for short and long texts.
    """
    total_BE = summed(x_TBE, lengths_B)
    return total_BE / lengths_B[:, None].to(total_BE.dtype).sqrt()


def outside(x_TBE: Tensor, lengths_B: Tensor) -> Tensor:
    """Where `x_TBE` holds padding, (T, B, 1)."""
    return (torch.arange(len(x_TBE), device=lengths_B.device)[:, None] >= lengths_B)[:, :, None]
