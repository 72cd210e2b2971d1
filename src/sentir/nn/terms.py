"""A linear part beside the network: one weight for every word and for every pair of words.

What single words and pairs say is learnt best by a convex fit (Wang and Manning 2012); what their
order says, by the network. Each output is the sum of the text's weights over the root of its
length, and is added to the network's own (the wide part of Cheng et al. 2016).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sentir.nn.bigrams import hashed_pairs


class Terms(nn.Module):
    """Outputs of shape (B, O); zero until weights are put in.

    Args:
        vocabulary: V.
        pairs: rows that all pairs share.
        outputs: O.
    """

    def __init__(self, vocabulary: int, pairs: int, outputs: int) -> None:
        super().__init__()
        self.pairs = pairs
        # Fitted after the network is trained, not by its gradient: so buffers, not parameters.
        self.register_buffer("word_weights_VO", torch.zeros(vocabulary, outputs))
        self.register_buffer("pair_weights_PO", torch.zeros(pairs + 1, outputs))
        self.word_weights_VO: Tensor
        self.pair_weights_PO: Tensor

    def forward(self, ids_TB: Tensor, lengths_B: Tensor) -> Tensor:
        words_TBO = self.word_weights_VO[ids_TB]
        pairs_TBO = self.pair_weights_PO[hashed_pairs(ids_TB, self.pairs)]
        return scaled_sum(words_TBO + pairs_TBO, lengths_B)


def scaled_sum(x_TBE: Tensor, lengths_B: Tensor) -> Tensor:
    """The sum of a text's vectors over the root of its length, (B, E): what a bag of words sees.

    The root keeps its spread the same for short and long texts.
    """
    total_BE = x_TBE.masked_fill(outside(x_TBE, lengths_B), 0.0).sum(dim=0)
    return total_BE / lengths_B[:, None].to(total_BE.dtype).sqrt()


def outside(x_TBE: Tensor, lengths_B: Tensor) -> Tensor:
    """Where `x_TBE` holds padding, (T, B, 1)."""
    return (torch.arange(len(x_TBE), device=lengths_B.device)[:, None] >= lengths_B)[:, :, None]
