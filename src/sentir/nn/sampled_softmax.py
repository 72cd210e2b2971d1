"""The softmax over a vocabulary, and its estimate from a sample of the words.

Shapes: N places of text, E embedding, V vocabulary, K sampled words.

Most of a language model's arithmetic would be the normaliser of the softmax: a score for every word
at every place of text. It is a sum over the vocabulary, so a sample of the words estimates it. Each
word is in the sample with a probability of its own, the frequent ones always; the term of a sampled
word is divided by that probability, so that the estimate is right on average (Horvitz and Thompson
1952; for language models Bengio and Senécal 2008, Jean et al. 2015). All places share one sample,
so the scores are one dense product of matrices.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sentir.nn.low_precision import linear
from sentir.text.tokenizer import PAD

#: Added to a score that must not count; not infinite, so that no gradient is undefined.
_NEVER = -1e4


class SampledSoftmax(nn.Module):
    """Cross-entropy of the next word, its weights the embedding itself.

    One matrix for both halves the parameters, and what a word means as input and as output is the
    same (Press and Wolf 2017; Inan et al. 2017).

    Args:
        vocabulary: V; ids are taken to go by falling frequency. Those of words do, those of pieces
            roughly; where they do not, the estimate is still right on average.
        negatives: K, expected number of words in a sample; V or more takes all of them.

    Attributes:
        format: the number format in which a sample is scored; exact losses are in that of the
            weights. None: that of the weights.
    """

    def __init__(self, vocabulary: int, negatives: int) -> None:
        super().__init__()
        self.format: torch.dtype | None = None
        self.bias_V = nn.Parameter(torch.zeros(vocabulary))
        shares_V = inclusion(vocabulary, negatives)
        self.register_buffer("shares_V", shares_V, persistent=False)
        self.shares_V: Tensor

    def scores(self, outputs_NE: Tensor, embedding_VE: Tensor) -> Tensor:
        """Logarithms of the words' probabilities up to a constant, (N, V); padding never comes."""
        scores_NV = F.linear(outputs_NE, embedding_VE, self.bias_V)
        return scores_NV.index_fill(1, torch.tensor([PAD], device=scores_NV.device), -torch.inf)

    def full_loss(self, outputs_NE: Tensor, embedding_VE: Tensor, targets_N: Tensor) -> Tensor:
        """The exact cross-entropy of each place, nats, (N,)."""
        return F.cross_entropy(self.scores(outputs_NE, embedding_VE), targets_N, reduction="none")

    def forward(self, outputs_NE: Tensor, embedding_VE: Tensor, targets_N: Tensor) -> Tensor:
        """The cross-entropy of each place as a new sample of words estimates it, nats, (N,)."""
        sample_K = (torch.rand_like(self.shares_V) < self.shares_V).nonzero()[:, 0]
        return self.loss_from(sample_K, outputs_NE, embedding_VE, targets_N)

    def loss_from(
        self, sample_K: Tensor, outputs_NE: Tensor, embedding_VE: Tensor, targets_N: Tensor
    ) -> Tensor:
        """`forward` on this sample: the target's own term is exact, the others are weighed."""
        target_N = (outputs_NE * F.embedding(targets_N, embedding_VE)).sum(1)
        target_N = target_N + self.bias_V[targets_N]
        weighed_K = self.bias_V[sample_K] - self.shares_V[sample_K].log()
        others_NK = linear(outputs_NE, embedding_VE[sample_K], weighed_K, self.format)
        place_V = torch.full_like(self.shares_V, -1, dtype=torch.int64)
        place_V[sample_K] = torch.arange(len(sample_K), device=sample_K.device)
        place_N = place_V[targets_N]
        hit_N = (place_N >= 0).nonzero()[:, 0]  # a target in the sample must not count twice
        others_NK[hit_N, place_N[hit_N]] = _NEVER
        return torch.logaddexp(others_NK.logsumexp(1), target_N) - target_N


def inclusion(vocabulary: int, expected: int) -> Tensor:
    """The probability that each id is in a sample of `expected` words on average, (V,).

    It falls with the rank of the word as its frequency does (Zipf 1935), and is 1 for the most
    frequent. Padding is never in it.
    """
    ranks = torch.arange(1, vocabulary, dtype=torch.float64)
    low, high = 0.0, float(vocabulary)
    for _ in range(60):  # by halving: the sum grows with the scale
        scale = (low + high) / 2
        if float((scale / ranks).clamp(max=1).sum()) < expected:
            low = scale
        else:
            high = scale
    shares_V = torch.zeros(vocabulary)
    shares_V[1:] = (high / ranks).clamp(max=1)
    return shares_V
