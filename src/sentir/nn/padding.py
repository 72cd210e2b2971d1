"""Padding: where it is, how texts are reversed without it, and sums that leave it out.

Shapes: B batch, T time, E features of a token.

Padding is on the right: text b has its tokens at times 0 to ``lengths_B[b]`` - 1.
"""

from __future__ import annotations

import torch
from torch import Tensor


def padding_mask(x: Tensor, lengths_B: Tensor) -> Tensor:
    """Where `x`, whose first dimension is T, holds padding, (T, B)."""
    return torch.arange(len(x), device=lengths_B.device)[:, None] >= lengths_B


def reversal_index(lengths_B: Tensor, time: int) -> Tensor:
    """For each time of a text the time that takes its place when the text is reversed, (T, B).

    Padding stays where it is, so reversing twice changes nothing.

    Args:
        lengths_B: tokens of each text.
        time: T.
    """
    time_T1 = torch.arange(time, device=lengths_B.device)[:, None]
    last_1B = lengths_B[None, :] - 1
    return torch.where(time_T1 <= last_1B, last_1B - time_T1, time_T1)


def reverse_padded(x_TBE: Tensor, reversal_index_TB: Tensor) -> Tensor:
    """The texts reversed, each within its own length, (T, B, E)."""
    batch = x_TBE.shape[1]
    columns_B = torch.arange(batch, device=reversal_index_TB.device)
    rows = (reversal_index_TB * batch + columns_B).flatten()
    return x_TBE.flatten(0, 1).index_select(0, rows).view_as(x_TBE)


def scaled_sum(x_TBE: Tensor, lengths_B: Tensor) -> Tensor:
    """The sum of each text's vectors over the square root of its length, (B, E).

    The root gives short and long texts sums of the same spread.
    """
    total_BE = x_TBE.masked_fill(padding_mask(x_TBE, lengths_B)[:, :, None], 0.0).sum(dim=0)
    return total_BE / lengths_B[:, None].to(total_BE.dtype).sqrt()
