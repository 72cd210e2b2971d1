"""Attention pooling by the kernel has the values and gradients of PyTorch's operations."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sentir.nn import pooling
from sentir.nn.pooling import Pooling

# Relative to the largest number: sums are taken in other orders, and tanh is an approximation.
TOLERANCE = 1e-5
F = 12


def pooled_and_gradients(module: Pooling, states_TBF: Tensor, lengths_B: Tensor) -> list[Tensor]:
    module.zero_grad()
    states_TBF = states_TBF.clone().requires_grad_()
    pooled_BF = module(states_TBF, lengths_B)
    torch.manual_seed(1)
    pooled_BF.backward(torch.randn_like(pooled_BF))
    assert module.score is not None
    assert states_TBF.grad is not None
    assert module.score.weight.grad is not None
    return [pooled_BF.detach(), states_TBF.grad, module.score.weight.grad]


@pytest.mark.parametrize("lengths", [[1], [9], [9, 1, 4]])
@pytest.mark.parametrize("scale", [0.1, 20])
def test_values_and_gradients_are_pytorchs(
    monkeypatch: pytest.MonkeyPatch, lengths: list[int], scale: float
) -> None:
    torch.manual_seed(0)
    module = Pooling("attention", F, bidirectional=False)
    states_TBF, lengths_B = scale * torch.randn(9, len(lengths), F), torch.tensor(lengths)
    kernel = pooled_and_gradients(module, states_TBF, lengths_B)
    monkeypatch.setattr(pooling, "computes_with_numba", lambda x: False)
    pytorch = pooled_and_gradients(module, states_TBF, lengths_B)
    for ours, theirs in zip(kernel, pytorch, strict=True):
        largest = float(theirs.abs().max().clamp(min=1e-3))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE * largest)
    assert not kernel[1][~(torch.arange(9)[:, None] < lengths_B)].any()
