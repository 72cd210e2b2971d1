"""Dropout zeroes its share of the numbers, and leaves the expectation as it was."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sentir.nn.dropout import Dropout


@pytest.mark.parametrize("p", [0.01, 0.1, 0.3, 0.5, 0.9])
def test_the_share_is_p_and_the_mean_stays(p: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(300_001)
    dropped = Dropout(p)(x)
    zeroed = float((dropped == 0).float().mean())
    assert zeroed == pytest.approx(p, abs=1 / 512 + 0.003)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert len(dropped.unique()) == 2


@given(st.lists(st.integers(0, 5), min_size=1, max_size=3), st.floats(0, 0.999))
def test_any_shape_and_share(shape: list[int], p: float) -> None:
    x = torch.randn(shape)
    dropped = Dropout(p)(x)
    assert dropped.shape == x.shape
    assert torch.isfinite(dropped).all()


def test_the_gradient_has_the_same_mask() -> None:
    torch.manual_seed(0)
    x = torch.randn(50, 7, requires_grad=True)
    dropped = Dropout(0.4)(x)
    dropped.sum().backward()
    assert x.grad is not None
    assert torch.allclose(dropped, x * x.grad)


def test_masks_follow_from_the_seed_and_differ_between_calls() -> None:
    dropout, x = Dropout(0.5), torch.ones(1000)
    torch.manual_seed(3)
    first, second = dropout(x), dropout(x)
    torch.manual_seed(3)
    assert torch.equal(dropout(x), first)
    assert not torch.equal(first, second)


def test_nothing_is_dropped_outside_training_or_if_p_is_zero() -> None:
    x = torch.randn(100)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)


def test_neighbours_and_rows_are_dropped_independently() -> None:
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(400, 800)) > 0).float()
    assert abs(float(torch.corrcoef(kept[:2])[0, 1])) < 0.15
    both = (kept[:, 1:] * kept[:, :-1]).mean()
    assert float(both) == pytest.approx(0.25, abs=0.005)
