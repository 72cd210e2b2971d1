"""The kernel learns as PyTorch's GRU does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sentir.nn import recurrent
from sentir.nn.kernels import availability
from sentir.nn.kernels.availability import MAX_HIDDEN, UNITS, can_train_with_numba
from sentir.nn.padding import reversal_index
from sentir.nn.recurrent import RecurrentLayer

# Shares of the largest number: sums are taken in other orders, and tanh is an approximation.
TOLERANCE = 1e-5


def learnt(layer: RecurrentLayer, x_TBE: Tensor, reversal_index_TB: Tensor) -> list[Tensor]:
    """The states, and the gradients of what is read and of all weights."""
    layer.zero_grad()
    x_TBE = x_TBE.clone().requires_grad_()
    states_TBF = layer(x_TBE, reversal_index_TB)
    torch.manual_seed(1)
    states_TBF.backward(torch.randn_like(states_TBF))
    weights = [weight.grad for weight in layer.parameters()]
    return [one.clone() for one in (states_TBF.detach(), x_TBE.grad, *weights) if one is not None]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("units", [UNITS, 3 * UNITS])
@pytest.mark.parametrize(("time", "texts"), [(1, 1), (1, 6), (40, 1), (17, 4), (33, 7)])
def test_states_and_gradients_are_pytorchs(
    monkeypatch: pytest.MonkeyPatch,
    time: int,
    texts: int,
    units: int,
    bidirectional: bool,
    threads: int,
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    torch.manual_seed(0)
    layer = RecurrentLayer("gru", 5, units, bidirectional=bidirectional)
    with torch.no_grad():  # PyTorch starts with all biases alike
        for weight in layer.parameters():
            weight += 0.1 * torch.randn_like(weight)
    x_TBE = torch.randn(time, texts, 5)
    reversal_index_TB = reversal_index(torch.randint(1, time + 1, (texts,)), time)
    assert can_train_with_numba(layer.forward_rnn, x_TBE)
    found = learnt(layer, x_TBE, reversal_index_TB)
    monkeypatch.setattr(recurrent, "can_train_with_numba", lambda layer, x_TBE: False)
    wanted = learnt(layer, x_TBE, reversal_index_TB)
    assert len(found) == len(wanted) == 2 + 4 * (1 + bidirectional)
    for ours, theirs in zip(found, wanted, strict=True):
        largest = float(theirs.abs().max().clamp(min=1e-3))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE * largest)


def test_frozen_inputs_and_weights_are_left_alone() -> None:
    layer = RecurrentLayer("gru", 5, UNITS, bidirectional=True)
    layer.forward_rnn.requires_grad_(False)
    assert layer.backward_rnn is not None
    states_TBF = layer(torch.randn(6, 3, 5), reversal_index(torch.tensor([6, 2, 5]), 6))
    states_TBF.sum().backward()
    assert all(weight.grad is None for weight in layer.forward_rnn.parameters())
    assert all(weight.grad is not None for weight in layer.backward_rnn.parameters())


def test_others_are_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    x_TBE = torch.randn(3, 2, 5)
    assert can_train_with_numba(torch.nn.GRU(5, UNITS), x_TBE)
    for other in (torch.nn.LSTM(5, UNITS), torch.nn.GRU(5, UNITS + 1),
                  torch.nn.GRU(5, MAX_HIDDEN + UNITS)):  # fmt: skip
        assert not can_train_with_numba(other, x_TBE)
    assert not can_train_with_numba(torch.nn.GRU(5, UNITS), x_TBE.double())
    with torch.no_grad():
        assert not can_train_with_numba(torch.nn.GRU(5, UNITS), x_TBE)
    monkeypatch.setattr(availability, "numba_is_installed", lambda: False)
    assert not can_train_with_numba(torch.nn.GRU(5, UNITS), x_TBE)
