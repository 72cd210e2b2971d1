"""A quasi-recurrent layer in one direction (Bradbury et al. 2017).

Shapes: T time, B batch, E input features, H hidden units, G gates stacked (3 H: forget, candidate,
output).

The readable twin is `sentir.nn.cells.qrnn_step`. The gates of all tokens are two matrix products,
from each token and from the one before it, and the recurrence is a scan of one unit at a time:

- in training on a CPU with Numba, one pass over memory (`sentir.nn.kernels.qrnn_autograd`);
- elsewhere, on a GPU too, a parallel scan (`scan`), whose steps are as few as the doublings from
  one token to all of them.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class QRNN(nn.Module):
    """The layer; it takes and returns what ``torch.nn.LSTM`` does, from the zero state.

    Args:
        input_size: E.
        hidden_size: H.

    Attributes:
        weight_ih_l0: from a token to the gates, (G, E).
        weight_ph_l0: from the token before it, (G, E).
        bias_ih_l0: (G,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        gates = 3 * hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.empty(gates, input_size))
        self.weight_ph_l0 = nn.Parameter(torch.empty(gates, input_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(gates))
        for weight in self.parameters():  # as torch.nn.RNNBase draws its own
            nn.init.uniform_(weight, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))

    def forward(self, x_TBE: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The hidden states (T, B, H), and the last hidden and cell states, each (1, B, H)."""
        sums_TBG = F.linear(x_TBE, self.weight_ih_l0, self.bias_ih_l0)
        sums_TBG[1:] += F.linear(x_TBE[:-1], self.weight_ph_l0)
        if sums_TBG.dtype == torch.bfloat16:  # products may be rounded, a long sum must not be
            sums_TBG = sums_TBG.float()
        forget_TBH, candidate_TBH, output_TBH = sums_TBG.chunk(3, dim=2)
        forget_TBH = torch.sigmoid(forget_TBH)
        cell_TBH = scan(forget_TBH, (1 - forget_TBH) * torch.tanh(candidate_TBH))
        hidden_TBH = torch.sigmoid(output_TBH) * cell_TBH
        return hidden_TBH, (hidden_TBH[-1:], cell_TBH[-1:])


def scan(forget_TBH: Tensor, taken_in_TBH: Tensor) -> Tensor:
    """The cell states c' = f * c + i at all tokens, from zero, in log2(T) steps.

    Two neighbouring steps of such a recurrence are one of the same form: f2 * (f1 * c + i1) + i2 =
    (f2 * f1) * c + (f2 * i1 + i2). So every token takes in the one before it, then the two before
    these, then the four before those, all tokens at the same time (Hillis and Steele 1986; Blelloch
    1990).

    Args:
        forget_TBH: f, what a token keeps of the state.
        taken_in_TBH: i, what it adds.
    """
    distance, state_TBH = 1, taken_in_TBH
    while distance < len(state_TBH):
        earlier_TBH = forget_TBH[distance:] * state_TBH[:-distance]
        state_TBH = torch.cat([state_TBH[:distance], state_TBH[distance:] + earlier_TBH])
        kept_TBH = forget_TBH[distance:] * forget_TBH[:-distance]
        forget_TBH = torch.cat([forget_TBH[:distance], kept_TBH])
        distance *= 2
    return state_TBH
