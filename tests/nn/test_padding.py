"""Padding is found, stays where it is, and counts for nothing."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from sentir.nn.padding import padding_mask, reversal_index, reverse_padded, scaled_sum


def test_the_mask() -> None:
    mask_TB = padding_mask(torch.zeros(3, 2, 5), torch.tensor([1, 3]))
    assert mask_TB.T.tolist() == [[False, True, True], [False, False, False]]


def test_texts_are_reversed_within_their_length() -> None:
    lengths_B = torch.tensor([1, 3, 5])
    reversal_index_TB = reversal_index(lengths_B, 5)
    assert reversal_index_TB.T.tolist() == [[0, 1, 2, 3, 4], [2, 1, 0, 3, 4], [4, 3, 2, 1, 0]]
    x_TBE = torch.randn(5, 3, 2)
    reversed_TBE = reverse_padded(x_TBE, reversal_index_TB)
    assert torch.equal(reversed_TBE[0, 1], x_TBE[2, 1])
    assert torch.equal(reversed_TBE[4, 1], x_TBE[4, 1])
    assert torch.equal(reverse_padded(reversed_TBE, reversal_index_TB), x_TBE)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_reversing_twice_changes_nothing(lengths: list[int]) -> None:
    time = max(lengths)
    index_TB = reversal_index(torch.tensor(lengths), time)
    x_TBE = torch.randn(time, len(lengths), 3)
    reversed_TBE = reverse_padded(x_TBE, index_TB)
    for row, length in enumerate(lengths):
        assert torch.equal(reversed_TBE[:length, row], x_TBE[:length, row].flip(0))
        assert torch.equal(reversed_TBE[length:, row], x_TBE[length:, row])
    assert torch.equal(reverse_padded(reversed_TBE, index_TB), x_TBE)


def test_the_scaled_sum_leaves_padding_out() -> None:
    x_TBE = torch.tensor([[[1.0], [2.0]], [[4.0], [torch.nan]], [[5.0], [torch.inf]]])
    sums_BE = scaled_sum(x_TBE, torch.tensor([3, 1]))
    torch.testing.assert_close(sums_BE, torch.tensor([[10 / 3**0.5], [2.0]]))
