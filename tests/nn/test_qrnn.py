"""The parallel scan takes the same steps as a loop, and the layer those of the readable cell."""

from __future__ import annotations

import pytest
import torch

from sentir.nn.qrnn import QRNN, scan


@pytest.mark.parametrize("time", [1, 2, 3, 7, 8, 9, 200])
def test_a_scan_is_the_loop(time: int) -> None:
    torch.manual_seed(0)
    forget_TBH = torch.rand(time, 2, 3, dtype=torch.float64)
    taken_in_TBH = torch.randn(time, 2, 3, dtype=torch.float64)
    state_BH, states = torch.zeros(2, 3, dtype=torch.float64), []
    for forget_BH, taken_in_BH in zip(forget_TBH, taken_in_TBH, strict=True):
        state_BH = forget_BH * state_BH + taken_in_BH
        states.append(state_BH)
    torch.testing.assert_close(
        scan(forget_TBH, taken_in_TBH), torch.stack(states), rtol=0, atol=1e-12
    )


def test_a_closed_forget_gate_loses_the_past_and_no_more() -> None:
    """A long product of small gates becomes zero, and never not a number."""
    forget_TBH, taken_in_TBH = torch.full((1000, 1, 1), 1e-30), torch.ones(1000, 1, 1)
    assert torch.equal(scan(forget_TBH, taken_in_TBH), taken_in_TBH)


def test_a_long_sum_is_not_rounded_to_bfloat16() -> None:
    torch.manual_seed(0)
    layer = QRNN(5, 4)
    with torch.no_grad():
        layer.bias_ih_l0[:4] = 6  # it keeps nearly all
    x_TBE = torch.randn(500, 2, 5)
    expected_TBH = layer(x_TBE)[0]
    rounded_TBH = layer.bfloat16()(x_TBE.bfloat16())[0]
    assert rounded_TBH.dtype == torch.float32
    torch.testing.assert_close(rounded_TBH, expected_TBH, rtol=0, atol=0.01)
