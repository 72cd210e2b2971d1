"""The readable cells compute what PyTorch computes, and their gates do what their names say."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from sentir.nn.cells import (
    MODULES,
    STEPS,
    QrnnWeights,
    State,
    Weights,
    gru_step,
    lstm_step,
    qrnn_step,
    unroll,
    weights_of,
)
from sentir.nn.qrnn import QRNN
from sentir.weights import WITH_CELL_STATE

# The readable cells and PyTorch's differ in the order of some sums, in float64.
TOLERANCE = 1e-12
GATES = {
    "rnn": set(),
    "gru": {"reset", "update", "candidate"},
    "lstm": {"forget", "input", "candidate", "output"},
    "qrnn": {"forget", "candidate", "output"},
}
T, B, E, H = 9, 3, 5, 4


def layer_and_text(cell: str) -> tuple[torch.nn.RNNBase | QRNN, Tensor]:
    torch.manual_seed(0)
    return MODULES[cell](E, H).double(), torch.randn(T, B, E, dtype=torch.float64)


@pytest.mark.parametrize("cell", MODULES)
def test_an_unrolled_cell_computes_what_pytorch_does(cell: str) -> None:
    layer, x_TBE = layer_and_text(cell)
    fast_TBE = x_TBE.clone().requires_grad_()
    fast_TBH, last = layer(fast_TBE)
    readable_TBE = x_TBE.clone().requires_grad_()
    trace = unroll(cell, readable_TBE, weights_of(layer))

    torch.testing.assert_close(trace.hidden_TBH, fast_TBH, rtol=0, atol=TOLERANCE)
    if cell in WITH_CELL_STATE:
        assert trace.cell_TBH is not None
        torch.testing.assert_close(trace.cell_TBH[-1], last[1][0], rtol=0, atol=TOLERANCE)
    else:
        assert trace.cell_TBH is None

    slopes_TBH, weights = torch.randn_like(fast_TBH), weights_of(layer)
    fast = torch.autograd.grad((fast_TBH * slopes_TBH).sum(), (fast_TBE, *weights))
    readable = torch.autograd.grad((trace.hidden_TBH * slopes_TBH).sum(), (readable_TBE, *weights))
    assert len(fast) == (4 if cell == "qrnn" else 5)
    for ours, theirs in zip(readable, fast, strict=True):
        assert theirs.abs().max() > 0
        torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("cell", STEPS)
def test_gates_lie_between_0_and_1(cell: str) -> None:
    layer, x_TBE = layer_and_text(cell)
    gates = unroll(cell, 3 * x_TBE, weights_of(layer)).gates
    assert set(gates) == GATES[cell]
    for name, gate_TBH in gates.items():
        assert gate_TBH.shape == (T, B, H)
        assert gate_TBH.max() < 1
        assert gate_TBH.min() > (-1 if name == "candidate" else 0)
        assert gate_TBH.std() > 0.05


@pytest.mark.parametrize("cell", STEPS)
def test_a_text_starts_from_the_zero_state(cell: str) -> None:
    layer, x_TBE = layer_and_text(cell)
    weights = weights_of(layer)
    alone = unroll(cell, x_TBE[:1], weights)
    before = "previous_GE" if cell == "qrnn" else "hidden_GH"  # what is read of the past
    forgetful = weights._replace(**{before: torch.zeros_like(getattr(weights, before))})
    assert torch.equal(alone.hidden_TBH, unroll(cell, x_TBE[:1], forgetful).hidden_TBH)
    # Nothing is carried from one text to the next.
    unroll(cell, x_TBE, weights)
    assert torch.equal(alone.hidden_TBH, unroll(cell, x_TBE[:1], weights).hidden_TBH)


#: Biases that open a gate, or close it.
OPEN, CLOSED = 40.0, -40.0


def lstm_with(*, forget: float, input_of_first: float = OPEN) -> Weights:
    """One unit; feature 0 opens the input gate, feature 1 is what there is to take in."""
    return Weights(
        input_GE=torch.tensor([[input_of_first - CLOSED, 0], [0, 0], [0, 1], [0, 0]]),
        hidden_GH=torch.zeros(4, 1),
        input_bias_G=torch.tensor([CLOSED, forget, 0, OPEN]),
        hidden_bias_G=torch.zeros(4),
    )


def test_an_open_forget_gate_keeps_and_a_closed_one_drops() -> None:
    previous = State(torch.zeros(1, 1), torch.tensor([[0.7]]))
    nothing_BE = torch.zeros(1, 2)
    kept = lstm_step(nothing_BE, previous, lstm_with(forget=OPEN))
    assert kept.state.cell_BH is not None
    assert kept.state.cell_BH.item() == pytest.approx(0.7)
    assert kept.gates["forget"].item() == pytest.approx(1)
    dropped = lstm_step(nothing_BE, previous, lstm_with(forget=CLOSED))
    assert dropped.state.cell_BH is not None
    assert dropped.state.cell_BH.item() == pytest.approx(0)
    assert dropped.gates["forget"].item() == pytest.approx(0)


def test_what_the_first_token_put_in_is_carried_to_the_end() -> None:
    x_TBE = torch.zeros(50, 1, 2)
    x_TBE[0, 0] = torch.tensor([1.0, 0.5])
    x_TBE[1:, 0, 1] = -2.0  # offered, but the input gate is closed
    candidate = torch.tanh(torch.tensor(0.5)).item()
    kept = unroll("lstm", x_TBE, lstm_with(forget=OPEN)).cell_TBH
    dropped = unroll("lstm", x_TBE, lstm_with(forget=CLOSED)).cell_TBH
    assert kept is not None
    assert dropped is not None
    assert kept[:, 0, 0].tolist() == pytest.approx([candidate] * 50)
    assert dropped[:, 0, 0].tolist() == pytest.approx([candidate] + [0.0] * 49)


@pytest.mark.parametrize(("update", "expected"), [(OPEN, 0.7), (CLOSED, -0.3)])
def test_the_update_gate_keeps_or_replaces(update: float, expected: float) -> None:
    candidate = torch.atanh(torch.tensor(-0.3)).item()
    weights = Weights(
        input_GE=torch.zeros(3, 1),
        hidden_GH=torch.tensor([[0.0], [0.0], [5.0]]),
        # The reset gate is closed: the candidate sees nothing of the past.
        input_bias_G=torch.tensor([CLOSED, update, candidate]),
        hidden_bias_G=torch.zeros(3),
    )
    step = gru_step(torch.zeros(1, 1), State(torch.tensor([[0.7]])), weights)
    assert step.state.hidden_BH.item() == pytest.approx(expected)
    assert step.state.cell_BH is None


def qrnn_with(*, forget: float) -> QrnnWeights:
    """One unit; its candidate is tanh of this token's feature minus the last one's."""
    return QrnnWeights(
        input_GE=torch.tensor([[0.0], [1.0], [0.0]]),
        previous_GE=torch.tensor([[0.0], [-1.0], [0.0]]),
        bias_G=torch.tensor([forget, 0.0, OPEN]),
    )


def test_a_qrnn_keeps_or_replaces_and_sees_the_token_before() -> None:
    previous = State(torch.tensor([[0.7]]), torch.tensor([[0.7]]), torch.tensor([[0.2]]))
    token_BE = torch.tensor([[0.5]])
    assert qrnn_step(token_BE, previous, qrnn_with(forget=OPEN)).state.hidden_BH.item() == (
        pytest.approx(0.7)
    )
    replaced = qrnn_step(token_BE, previous, qrnn_with(forget=CLOSED)).state
    assert replaced.hidden_BH.item() == pytest.approx(math.tanh(0.5 - 0.2))
    assert replaced.input_BE is token_BE
    first = State(torch.tensor([[0.0]]), torch.tensor([[0.0]]))
    seen = qrnn_step(token_BE, first, qrnn_with(forget=CLOSED)).state.hidden_BH.item()
    assert seen == pytest.approx(math.tanh(0.5))
