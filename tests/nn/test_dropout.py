"""Dropout zeroes its share of the numbers, and leaves the expectation as it was."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sentir.nn.dropout import Dropout


@pytest.mark.parametrize("p", [0.01, 0.1, 0.3, 0.5, 0.9])
def test_the_share_is_the_one_asked_for_and_the_mean_stays(p: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(300_001)
    got = Dropout(p)(x)
    zeroed = float((got == 0).float().mean())
    assert zeroed == pytest.approx(p, abs=1 / 512 + 0.003)
    assert float(got.mean()) == pytest.approx(1, abs=0.02)
    assert len(got.unique()) == 2


@given(st.lists(st.integers(0, 5), min_size=1, max_size=3), st.floats(0, 0.999))
def test_any_shape_and_share(shape: list[int], p: float) -> None:
    x = torch.randn(shape)
    got = Dropout(p)(x)
    assert got.shape == x.shape
    assert torch.isfinite(got).all()


def test_the_gradient_goes_where_the_numbers_went() -> None:
    torch.manual_seed(0)
    x = torch.randn(50, 7, requires_grad=True)
    got = Dropout(0.4)(x)
    got.sum().backward()
    assert x.grad is not None
    assert torch.allclose(got, x * x.grad)


def test_masks_follow_from_the_seed_and_differ_from_call_to_call() -> None:
    dropout, x = Dropout(0.5), torch.ones(1000)
    torch.manual_seed(3)
    first, second = dropout(x), dropout(x)
    torch.manual_seed(3)
    assert torch.equal(dropout(x), first)
    assert not torch.equal(first, second)


def test_nothing_is_dropped_outside_training_or_at_nought() -> None:
    x = torch.randn(100)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)


def test_neighbours_and_rows_are_dropped_independently() -> None:
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(400, 800)) > 0).float()
    assert abs(float(torch.corrcoef(kept[:2])[0, 1])) < 0.15
    both = (kept[:, 1:] * kept[:, :-1]).mean()
    assert float(both) == pytest.approx(0.25, abs=0.005)
