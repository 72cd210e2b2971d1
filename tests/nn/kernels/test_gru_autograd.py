"""A GRU trained by the kernel has the states and gradients of PyTorch's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sentir.nn import recurrent
from sentir.nn.kernels.availability import TILE_UNITS, can_train_with_numba
from sentir.nn.padding import reversal_index
from sentir.nn.recurrent import RecurrentLayer

# Relative to the largest number: sums are taken in other orders, and tanh is an approximation.
TOLERANCE = 1e-5


def states_and_gradients(
    layer: RecurrentLayer, x_TBE: Tensor, reversal_index_TB: Tensor
) -> list[Tensor]:
    """The states, and the gradients of the inputs and of all weights."""
    layer.zero_grad()
    x_TBE = x_TBE.clone().requires_grad_()
    states_TBF = layer(x_TBE, reversal_index_TB)
    torch.manual_seed(1)
    states_TBF.backward(torch.randn_like(states_TBF))
    gradients = [x_TBE.grad, *(weight.grad for weight in layer.parameters())]
    return [states_TBF.detach(), *(grad.clone() for grad in gradients if grad is not None)]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("units", [TILE_UNITS, 3 * TILE_UNITS])
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
    with torch.no_grad():  # no two biases alike
        for weight in layer.parameters():
            weight += 0.1 * torch.randn_like(weight)
    x_TBE = torch.randn(time, texts, 5)
    reversal_index_TB = reversal_index(torch.randint(1, time + 1, (texts,)), time)
    assert can_train_with_numba(layer.forward_rnn, x_TBE)
    kernel = states_and_gradients(layer, x_TBE, reversal_index_TB)
    monkeypatch.setattr(recurrent, "can_train_with_numba", lambda layer, x_TBE: False)
    pytorch = states_and_gradients(layer, x_TBE, reversal_index_TB)
    assert len(kernel) == len(pytorch) == 2 + 4 * (1 + bidirectional)
    for ours, theirs in zip(kernel, pytorch, strict=True):
        largest = float(theirs.abs().max().clamp(min=1e-3))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE * largest)


def test_frozen_weights_get_no_gradient() -> None:
    layer = RecurrentLayer("gru", 5, TILE_UNITS, bidirectional=True)
    layer.forward_rnn.requires_grad_(False)
    assert layer.backward_rnn is not None
    states_TBF = layer(torch.randn(6, 3, 5), reversal_index(torch.tensor([6, 2, 5]), 6))
    states_TBF.sum().backward()
    assert all(weight.grad is None for weight in layer.forward_rnn.parameters())
    assert all(weight.grad is not None for weight in layer.backward_rnn.parameters())


@pytest.mark.parametrize("bidirectional", [False, True])
def test_words_that_tokens_share_are_multiplied_once(
    monkeypatch: pytest.MonkeyPatch, bidirectional: bool
) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer("gru", 5, TILE_UNITS, bidirectional=bidirectional)
    rows_TB = torch.randint(0, 9, (17, 4))
    reversal_index_TB = reversal_index(torch.randint(1, 18, (4,)), 17)

    def measure() -> list[Tensor]:
        layer.zero_grad()
        torch.manual_seed(1)
        words_UE = torch.randn(9, 5).requires_grad_()
        states_TBF = layer.forward_words(words_UE, rows_TB, reversal_index_TB)
        states_TBF.backward(torch.randn_like(states_TBF))
        gradients = [words_UE.grad, *(weight.grad for weight in layer.parameters())]
        return [states_TBF.detach(), *(grad.clone() for grad in gradients if grad is not None)]

    kernel = measure()
    monkeypatch.setattr(recurrent, "can_train_with_numba", lambda layer, x_TBE: False)
    for ours, theirs in zip(kernel, measure(), strict=True):
        largest = float(theirs.abs().max().clamp(min=1e-3))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE * largest)
