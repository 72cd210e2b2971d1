"""A QRNN trained by the kernel has the states and gradients of the one in PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sentir.nn import recurrent
from sentir.nn.padding import reversal_index
from sentir.nn.recurrent import RecurrentLayer

# Relative to the largest number: sums are taken in other orders, and tanh is an approximation.
TOLERANCE = 1e-5
E = 5


def states_and_gradients(
    layer: RecurrentLayer, x_RE: Tensor, rows_TB: Tensor | None, reversal_index_TB: Tensor
) -> list[Tensor]:
    """The states, and the gradients of the inputs and of all weights; `rows_TB`: of words."""
    layer.zero_grad()
    x_RE = x_RE.clone().requires_grad_()
    states_TBF = (
        layer(x_RE.view(*reversal_index_TB.shape, E), reversal_index_TB)
        if rows_TB is None
        else layer.forward_words(x_RE, rows_TB, reversal_index_TB)
    )
    torch.manual_seed(1)
    states_TBF.backward(torch.randn_like(states_TBF))
    gradients = [x_RE.grad, *(weight.grad for weight in layer.parameters())]
    return [states_TBF.detach(), *(grad.clone() for grad in gradients if grad is not None)]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("units", [1, 7, 32])
@pytest.mark.parametrize("words", [0, 3])
@pytest.mark.parametrize(("time", "texts"), [(1, 1), (1, 6), (40, 1), (33, 7)])
def test_states_and_gradients_are_pytorchs(
    monkeypatch: pytest.MonkeyPatch,
    time: int,
    texts: int,
    words: int,
    units: int,
    bidirectional: bool,
    threads: int,
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    torch.manual_seed(0)
    layer = RecurrentLayer("qrnn", E, units, bidirectional=bidirectional)
    with torch.no_grad():  # no bias is zero
        for weight in layer.parameters():
            weight += 0.1 * torch.randn_like(weight)
    x_RE = torch.randn(words or time * texts, E)
    rows_TB = torch.randint(words, (time, texts)) if words else None
    reversal_index_TB = reversal_index(torch.randint(1, time + 1, (texts,)), time)
    kernel = states_and_gradients(layer, x_RE, rows_TB, reversal_index_TB)
    monkeypatch.setattr(recurrent, "computes_with_numba", lambda x: False)
    pytorch = states_and_gradients(layer, x_RE, rows_TB, reversal_index_TB)
    assert len(kernel) == len(pytorch) == 2 + 3 * (1 + bidirectional)
    for ours, theirs in zip(kernel, pytorch, strict=True):
        largest = float(theirs.abs().max().clamp(min=1e-3))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE * largest)


def test_frozen_weights_get_no_gradient() -> None:
    layer = RecurrentLayer("qrnn", E, 4, bidirectional=True)
    layer.forward_rnn.requires_grad_(False)
    assert layer.backward_rnn is not None
    states_TBF = layer(torch.randn(6, 3, E), reversal_index(torch.tensor([6, 2, 5]), 6))
    states_TBF.sum().backward()
    assert all(weight.grad is None for weight in layer.forward_rnn.parameters())
    assert all(weight.grad is not None for weight in layer.backward_rnn.parameters())
