"""A linear part beside the network: a weight for each word, pair and triple of words that tells.

What single words and short runs of words say is learnt best by a convex fit (Wang and Manning
2012); what their order says, by the network. Each output is the sum of the text's weights over the
size of the text's vector of terms, and is added to the network's own (the wide part of Cheng et al.
2016).

A pair's or triple's row in the table follows from its words by a hash (Weinberger et al. 2009), and
so does its mark, by another. A row belongs to the one whose mark stands there: all others that fall
on it, most of which were never met in training, count for nothing.

Shapes: B batch, T time, V vocabulary, P rows of pairs and triples, E units of a vector, O outputs.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from sentir.nn.bigrams import FIRST, SECOND, row_of, words_before
from sentir.text.tokenizer import PAD

#: Multiplies the first word of a triple; odd and large as those of a pair.
THIRD = 3_266_489_917
#: Marks run from 1 to this prime; 0 is the mark of a row that nobody has.
FINGERPRINTS = 2_147_483_629
#: Keeps the size of a text without terms from being zero.
MIN_SQUARED_SCALE = 1e-6


class NgramLinear(nn.Module):
    """Outputs of shape (B, O); zero until weights are put in.

    Every term has a scale, which says how telling it is, and a weight, which is what was learnt for
    it times that scale. Here stand the weights and the squares of the scales: a text's size is the
    root of the sum of its terms' squares. A text has a term or not, however often. The word `PAD`
    has nothing.

    Args:
        vocabulary: V.
        rows: P, for pairs and triples.
        outputs: O.
    """

    def __init__(self, vocabulary: int, rows: int, outputs: int) -> None:
        super().__init__()
        self.rows = rows
        # Fitted after the network is trained, not by its gradient: so buffers, not parameters.
        for name, count in (("word", vocabulary), ("ngram", rows)):
            self.register_buffer(f"{name}_weights", torch.zeros(count, outputs))
            self.register_buffer(f"{name}_squared_scales", torch.zeros(count, outputs))
        self.register_buffer("ngram_fingerprints", torch.zeros(rows, dtype=torch.int32))
        self.word_weights: Tensor
        self.word_squared_scales: Tensor
        self.ngram_weights: Tensor
        self.ngram_squared_scales: Tensor
        self.ngram_fingerprints: Tensor

    def forward(self, ids_TB: Tensor, lengths_B: Tensor) -> Tensor:
        ids_TB = ids_TB.masked_fill(padding_mask(ids_TB, lengths_B), PAD)
        word_TB = once(ids_TB)
        weights_BO = self.word_weights[word_TB].sum(dim=0)
        squared_scales_BO = self.word_squared_scales[word_TB].sum(dim=0)
        for key_TB in ngrams(ids_TB):
            key_TB = once(key_TB)
            row_TB = row_of(key_TB, self.rows)
            owns_TB1 = (self.ngram_fingerprints[row_TB] == fingerprint_of(key_TB))[:, :, None]
            weights_BO = weights_BO + (self.ngram_weights[row_TB] * owns_TB1).sum(dim=0)
            squared_scales_BO = squared_scales_BO + (
                self.ngram_squared_scales[row_TB] * owns_TB1
            ).sum(dim=0)
        return weights_BO / (squared_scales_BO + MIN_SQUARED_SCALE).sqrt()


def ngrams(ids_TB: Tensor) -> Iterator[Tensor]:
    """A number for the pair that ends at each token, then for the triple, (T, B); 0: none does."""
    key_TB, word_TB = ids_TB * SECOND, ids_TB
    is_whole_TB = ids_TB != PAD
    for multiplier in (FIRST, THIRD):
        word_TB = words_before(word_TB)
        is_whole_TB = is_whole_TB & (word_TB != PAD)
        key_TB = key_TB + word_TB * multiplier
        yield key_TB * is_whole_TB


def once(key_TB: Tensor) -> Tensor:
    """Each text's numbers in order, one that stood before replaced by 0, (T, B).

    A word that is said three times tells no more than one said once.
    """
    sorted_TB = key_TB.sort(dim=0).values
    stood_TB = torch.zeros_like(sorted_TB, dtype=torch.bool)
    stood_TB[1:] = sorted_TB[1:] == sorted_TB[:-1]
    return sorted_TB.masked_fill(stood_TB, 0)


def fingerprint_of(key: Tensor) -> Tensor:
    """The mark of its row if it stands there, 1 to `FINGERPRINTS`; -1 for the number 0, which is none."""
    return (key % FINGERPRINTS + 1).masked_fill(key == 0, -1)


def summed(x_TBE: Tensor, lengths_B: Tensor) -> Tensor:
    """The sum of each text's vectors, (B, E)."""
    return x_TBE.masked_fill(padding_mask(x_TBE, lengths_B)[:, :, None], 0.0).sum(dim=0)


def scaled_sum(x_TBE: Tensor, lengths_B: Tensor) -> Tensor:
    """The sum of a text's vectors over the root of its length, (B, E): what a bag of words sees.

    The root keeps its spread the same for short and long texts.
    """
    total_BE = summed(x_TBE, lengths_B)
    return total_BE / lengths_B[:, None].to(total_BE.dtype).sqrt()


def padding_mask(x: Tensor, lengths_B: Tensor) -> Tensor:
    """Where `x`, whose first dimension is T, holds padding, (T, B)."""
    return torch.arange(len(x), device=lengths_B.device)[:, None] >= lengths_B
