"""Pooling: from the hidden states of all tokens to one vector per review.

Shapes: B batch, T time, F features (directions times hidden units).

A new pooling needs its name in `sentir.config.ModelConfig.pooling` and a case in
`Pooling.forward`, and the same in the engines (`sentir.inference`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sentir.nn.kernels.availability import computes_with_numba
from sentir.nn.padding import padding_mask


class Pooling(nn.Module):
    """From hidden states of shape (T, B, F) to (B, F); padding never counts.

    Args:
        kind: ``last``, ``max``, ``mean`` or ``attention``.
        hidden_size: hidden units of one direction.
        bidirectional: whether the states are those of both directions, the forward one first.
    """

    def __init__(self, kind: str, hidden_size: int, *, bidirectional: bool) -> None:
        super().__init__()
        self.kind, self.hidden_size, self.bidirectional = kind, hidden_size, bidirectional
        features = hidden_size * (2 if bidirectional else 1)
        # No bias: the softmax cancels it.
        self.score = nn.Linear(features, 1, bias=False) if kind == "attention" else None

    def forward(self, states_TBF: Tensor, lengths_B: Tensor) -> Tensor:
        if self.kind == "last":
            return self._last(states_TBF, lengths_B)
        padding_mask_TB1 = padding_mask(states_TBF, lengths_B)[:, :, None]
        if self.kind == "max":
            return states_TBF.masked_fill(padding_mask_TB1, -torch.inf).amax(dim=0)
        if self.kind == "mean":
            total_BF = states_TBF.masked_fill(padding_mask_TB1, 0.0).sum(dim=0)
            return total_BF / lengths_B[:, None].to(total_BF.dtype)
        assert self.score is not None
        if self.training and computes_with_numba(states_TBF):
            # Imported only here, as Numba takes a second to load.
            from sentir.nn.kernels.attention_autograd import attend

            return attend(states_TBF, self.score.weight[0], lengths_B)
        # Additive attention with one learnt query (Bahdanau et al. 2015; Yang et al. 2016).
        scores_TB1 = self.score(torch.tanh(states_TBF)).masked_fill(padding_mask_TB1, -torch.inf)
        pooled_BF: Tensor = (scores_TB1.softmax(dim=0) * states_TBF).sum(dim=0)
        return pooled_BF

    def _last(self, states_TBF: Tensor, lengths_B: Tensor) -> Tensor:
        """The state after the last token that each direction reads: forward a text's last token,
        backward its first."""
        rows = torch.arange(len(lengths_B), device=lengths_B.device)
        last_BF = states_TBF[lengths_B - 1, rows]
        if not self.bidirectional:
            return last_BF
        first_BF = states_TBF[0]
        return torch.cat([last_BF[:, : self.hidden_size], first_BF[:, self.hidden_size :]], dim=1)
