"""What a recurrent cell does in one step, written to be read.

Shapes: B batch, T time, E input features, H hidden units; G gates of a cell stacked (1, 3 or 4).

These steps are the readable twins of ``torch.nn.RNN``, ``GRU`` and ``LSTM``: they take the same
weights, agree with them to the last digits, and return every gate, which the fast ones keep to
themselves. The classifier computes with the fast ones, `sentir explain` with these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Weights(NamedTuple):
    """One layer's weights in one direction, gates stacked in PyTorch's order."""

    input_GE: Tensor
    hidden_GH: Tensor
    input_bias_G: Tensor
    hidden_bias_G: Tensor


class State(NamedTuple):
    """What a cell carries from one token to the next; `cell_BH` is the LSTM's alone."""

    hidden_BH: Tensor
    cell_BH: Tensor | None = None


class Step(NamedTuple):
    """The state after a token, and the gates that made it, by name, each (B, H)."""

    state: State
    gates: dict[str, Tensor]


def rnn_step(x_BE: Tensor, before: State, weights: Weights) -> Step:
    """The plain recurrent cell (Elman 1990, *Finding structure in time*).

    Its whole memory passes through one matrix and one squashing at every token, so what it held a
    while ago is soon gone, and the gradient that would teach it with it (Bengio et al. 1994).
    """
    from_input = x_BE @ weights.input_GE.T + weights.input_bias_G
    from_memory = before.hidden_BH @ weights.hidden_GH.T + weights.hidden_bias_G
    hidden_BH = torch.tanh(from_input + from_memory)
    return Step(State(hidden_BH), {})


def lstm_step(x_BE: Tensor, before: State, weights: Weights) -> Step:
    """The long short-term memory cell (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    The cell state runs along the text like a conveyor belt. At each token the forget gate says how
    much of it stays, the input gate how much of the candidate is put on it, and the output gate
    how much of it is shown. A gate is a number between 0, nothing passes, and 1, all passes.
    """
    assert before.cell_BH is not None
    from_input = x_BE @ weights.input_GE.T + weights.input_bias_G
    from_memory = before.hidden_BH @ weights.hidden_GH.T + weights.hidden_bias_G
    input_BH, forget_BH, candidate_BH, output_BH = (from_input + from_memory).chunk(4, dim=1)

    forget_BH = torch.sigmoid(forget_BH)  # what to keep of the past
    input_BH = torch.sigmoid(input_BH)  # what to take in
    candidate_BH = torch.tanh(candidate_BH)  # what there is to take in
    cell_BH = forget_BH * before.cell_BH + input_BH * candidate_BH
    output_BH = torch.sigmoid(output_BH)  # what to show
    hidden_BH = output_BH * torch.tanh(cell_BH)

    gates = {
        "forget": forget_BH,
        "input": input_BH,
        "candidate": candidate_BH,
        "output": output_BH,
    }
    return Step(State(hidden_BH, cell_BH), gates)


def gru_step(x_BE: Tensor, before: State, weights: Weights) -> Step:
    """The gated recurrent unit (Cho et al. 2014), in the form of PyTorch and cuDNN.

    One gate does the work of two: what the update gate does not keep, the candidate replaces. The
    reset gate says how much of the past the candidate may see.
    """
    from_input = x_BE @ weights.input_GE.T + weights.input_bias_G
    from_memory = before.hidden_BH @ weights.hidden_GH.T + weights.hidden_bias_G
    reset_input, update_input, candidate_input = from_input.chunk(3, dim=1)
    reset_memory, update_memory, candidate_memory = from_memory.chunk(3, dim=1)

    reset_BH = torch.sigmoid(reset_input + reset_memory)  # what the candidate may see
    update_BH = torch.sigmoid(update_input + update_memory)  # what to keep of the past
    candidate_BH = torch.tanh(candidate_input + reset_BH * candidate_memory)
    hidden_BH = update_BH * before.hidden_BH + (1 - update_BH) * candidate_BH

    gates = {"reset": reset_BH, "update": update_BH, "candidate": candidate_BH}
    return Step(State(hidden_BH), gates)


STEPS: dict[str, Callable[[Tensor, State, Weights], Step]] = {
    "rnn": rnn_step,
    "gru": gru_step,
    "lstm": lstm_step,
}
MODULES: dict[str, type[nn.RNN] | type[nn.GRU] | type[nn.LSTM]] = {
    "rnn": nn.RNN,
    "gru": nn.GRU,
    "lstm": nn.LSTM,
}


def weights_of(layer: nn.RNNBase) -> Weights:
    """The weights of a one-layer, one-direction ``torch.nn`` module."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return Weights(*(layer.get_parameter(name) for name in names))


class Trace(NamedTuple):
    """What a cell did along a text: states and gates, each (T, B, H)."""

    hidden_TBH: Tensor
    cell_TBH: Tensor | None
    gates: dict[str, Tensor]


def unroll(cell: str, x_TBE: Tensor, weights: Weights) -> Trace:
    """Take one step after the other from the zero state, and remember everything.

    Args:
        cell: ``rnn``, ``gru`` or ``lstm``.
        x_TBE: inputs, at least one token.
        weights: of this layer and direction.
    """
    units = weights.hidden_GH.shape[1]
    zero_BH = x_TBE.new_zeros(x_TBE.shape[1], units)
    state = State(zero_BH, zero_BH if cell == "lstm" else None)
    steps: list[Step] = []
    for x_BE in x_TBE:
        steps.append(STEPS[cell](x_BE, state, weights))
        state = steps[-1].state
    cells = [step.state.cell_BH for step in steps if step.state.cell_BH is not None]
    return Trace(
        torch.stack([step.state.hidden_BH for step in steps]),
        torch.stack(cells) if cells else None,
        {name: torch.stack([step.gates[name] for step in steps]) for name in steps[0].gates},
    )
