"""The softmax over a vocabulary, and its estimate from a sample of the words.

Shapes: N tokens to predict, E embedding, V vocabulary, S sampled words.

Most of a language model's arithmetic would be the normaliser of the softmax: a logit for every word
of the vocabulary at every token. It is a sum over the vocabulary, so a sample of the words
estimates it. Each word has its own probability to be in the sample, which is 1 for the frequent
ones; the term of a sampled word is divided by that probability, so the estimate is unbiased
(Horvitz and Thompson 1952; for language models Bengio and Senécal 2008, Jean et al. 2015). All
tokens share one sample, so the logits are one dense matrix product.
"""

from __future__ import annotations

from collections import deque

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sentir.nn.low_precision import linear
from sentir.text.tokenizer import PAD

#: Logit of a word that must not count; not infinite, so that no gradient is undefined.
_MASKED = -1e4


class SampledSoftmax(nn.Module):
    """Cross-entropy of the word to predict, with the embedding as output weights.

    Sharing one matrix halves the parameters, and a word means the same as input and as output
    (Press and Wolf 2017; Inan et al. 2017).

    Args:
        vocabulary: V. Ids are taken to be sorted by falling frequency. Those of words are, those of
            subwords nearly; where they are not, the estimate is still unbiased.
        num_sampled: expected number of words in a sample; with V or more all of them are taken.

    Attributes:
        compute_dtype: the number format of the logits of a sample; None is that of the weights, in
            which exact losses always are.
        samples: the last two samples, of either direction of a language model.
    """

    def __init__(self, vocabulary: int, num_sampled: int) -> None:
        super().__init__()
        self.compute_dtype: torch.dtype | None = None
        self.samples: deque[Tensor] = deque(maxlen=2)
        self.bias_V = nn.Parameter(torch.zeros(vocabulary))
        inclusion_V = inclusion_probabilities(vocabulary, num_sampled)
        self.register_buffer("inclusion_V", inclusion_V, persistent=False)
        self.inclusion_V: Tensor

    def logits(self, outputs_NE: Tensor, embedding_VE: Tensor) -> Tensor:
        """The logits of all words, (N, V); that of padding is minus infinity."""
        logits_NV = F.linear(outputs_NE, embedding_VE, self.bias_V)
        return logits_NV.index_fill(1, torch.tensor([PAD], device=logits_NV.device), -torch.inf)

    def full_loss(self, outputs_NE: Tensor, embedding_VE: Tensor, targets_N: Tensor) -> Tensor:
        """The exact cross-entropy of each token (nats), (N,)."""
        return F.cross_entropy(self.logits(outputs_NE, embedding_VE), targets_N, reduction="none")

    def forward(self, outputs_NE: Tensor, embedding_VE: Tensor, targets_N: Tensor) -> Tensor:
        """The cross-entropy of each token, estimated from a new sample of words (nats), (N,)."""
        sample_S = (torch.rand_like(self.inclusion_V) < self.inclusion_V).nonzero()[:, 0]
        self.samples.append(sample_S)
        return self.sampled_loss(sample_S, outputs_NE, embedding_VE, targets_N)

    def sampled_loss(
        self, sample_S: Tensor, outputs_NE: Tensor, embedding_VE: Tensor, targets_N: Tensor
    ) -> Tensor:
        """`forward` with this sample: the target's own term is exact, the others are weighted."""
        target_logits_N = (outputs_NE * F.embedding(targets_N, embedding_VE)).sum(1)
        target_logits_N = target_logits_N + self.bias_V[targets_N]
        bias_S = self.bias_V[sample_S] - self.inclusion_V[sample_S].log()
        logits_NS = linear(outputs_NE, embedding_VE[sample_S], bias_S, self.compute_dtype)
        # A target that is in the sample must not count twice.
        column_V = torch.full_like(self.inclusion_V, -1, dtype=torch.int64)
        column_V[sample_S] = torch.arange(len(sample_S), device=sample_S.device)
        column_N = column_V[targets_N]
        sampled_N = (column_N >= 0).nonzero()[:, 0]
        logits_NS[sampled_N, column_N[sampled_N]] = _MASKED
        return torch.logaddexp(logits_NS.logsumexp(1), target_logits_N) - target_logits_N


def inclusion_probabilities(vocabulary: int, num_sampled: int) -> Tensor:
    """The probability that each id is in a sample of `num_sampled` words on average, (V,).

    It falls with the rank of the word as its frequency does (Zipf 1935), and is 1 for the most
    frequent. Padding is never sampled.
    """
    ranks = torch.arange(1, vocabulary, dtype=torch.float64)
    low, high = 0.0, float(vocabulary)
    for _ in range(60):  # bisection: the sum grows with the scale
        scale = (low + high) / 2
        if float((scale / ranks).clamp(max=1).sum()) < num_sampled:
            low = scale
        else:
            high = scale
    inclusion_V = torch.zeros(vocabulary)
    inclusion_V[1:] = (high / ranks).clamp(max=1)
    return inclusion_V
