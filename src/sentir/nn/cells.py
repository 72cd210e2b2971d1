"""What a recurrent cell does in one step, written to be read.

Shapes: B batch, T time, E input features, H hidden units; G gates of a cell stacked (1, 3 or 4
times H).

In the formulas x is the input at a token, h the hidden state, h' that after the token, c the cell
state of the LSTM, W and U the weights from the input and from the hidden state, b the bias (PyTorch
keeps two and adds them), σ the logistic sigmoid and * the product of one unit at a time.

These steps are the readable twins of ``torch.nn.RNN``, ``GRU`` and ``LSTM``, and of
`sentir.nn.qrnn.QRNN`: they take the same weights, agree with them to the last digits, and return
every gate, which the modules do not. The classifier computes with the modules, the lesson with
these, and `sentir explain` with their twins in NumPy, `sentir.inference.cells`.

A new cell needs its step here, in `STEPS` and `MODULES`, and in NumPy, its name in `sentir.config`,
its number of gates in `sentir.weights.GATES`, what its gates mean in `sentir.explanation.gates`,
and its operator in `sentir.inference.onnx_graph`; the engine ``torch`` needs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, overload

import torch
from torch import Tensor, nn

from sentir.nn.qrnn import QRNN
from sentir.weights import GATES, QRNN_WEIGHTS, RNN_WEIGHTS, WITH_CELL_STATE


class Weights(NamedTuple):
    """One layer's weights in one direction, the gates stacked in PyTorch's order."""

    input_GE: Tensor
    hidden_GH: Tensor
    input_bias_G: Tensor
    hidden_bias_G: Tensor


class QrnnWeights(NamedTuple):
    """The weights of one layer of a QRNN in one direction: forget, candidate and output stacked."""

    input_GE: Tensor
    previous_GE: Tensor
    bias_G: Tensor


class State(NamedTuple):
    """What a cell carries from one token to the next.

    Attributes:
        hidden_BH: what the layer shows of it.
        cell_BH: the cell state of the LSTM and of the QRNN; the others have none.
        input_BE: the vectors of the token before, which only the QRNN reads again; None before the
            first token.
    """

    hidden_BH: Tensor
    cell_BH: Tensor | None = None
    input_BE: Tensor | None = None


class Step(NamedTuple):
    """The state after a token, and the gates that led to it, by name, each (B, H)."""

    state: State
    gates: dict[str, Tensor]


def rnn_step(x_BE: Tensor, previous: State, weights: Weights) -> Step:
    """The plain recurrent cell (Elman 1990, *Finding structure in time*).

    ::

        h' = tanh(W x + U h + b)

    All that it remembers passes through one matrix and one tanh at every token. So it soon
    forgets, and the gradient that would teach it to remember vanishes too (Bengio et al. 1994).

    Args:
        x_BE: the vectors of the next token of each text.
        previous: the state before it.
        weights: gates in the order of ``torch.nn.RNN``: one.

    Returns:
        The state after the token; there are no gates.
    """
    from_input = x_BE @ weights.input_GE.T + weights.input_bias_G
    from_hidden = previous.hidden_BH @ weights.hidden_GH.T + weights.hidden_bias_G
    hidden_BH = torch.tanh(from_input + from_hidden)
    return Step(State(hidden_BH), {})


def gru_step(x_BE: Tensor, previous: State, weights: Weights) -> Step:
    """The gated recurrent unit (Cho et al. 2014), in the form of PyTorch and cuDNN.

    ::

        r  = σ(W_r x + U_r h + b_r)                  reset gate
        z  = σ(W_z x + U_z h + b_z)                  update gate
        n  = tanh(W_n x + b_n + r * (U_n h + d_n))   candidate
        h' = z * h + (1 - z) * n

    One gate does the work of the LSTM's forget and input gates: what the update gate does not keep,
    the candidate replaces. The reset gate says how much of the past the candidate sees.

    Args:
        x_BE: the vectors of the next token of each text.
        previous: the state before it.
        weights: gates in the order of ``torch.nn.GRU``: reset, update, candidate.

    Returns:
        The state after the token, and the gates ``reset``, ``update`` and ``candidate``.
    """
    from_input = x_BE @ weights.input_GE.T + weights.input_bias_G
    from_hidden = previous.hidden_BH @ weights.hidden_GH.T + weights.hidden_bias_G
    reset_input, update_input, candidate_input = from_input.chunk(3, dim=1)
    reset_hidden, update_hidden, candidate_hidden = from_hidden.chunk(3, dim=1)

    reset_BH = torch.sigmoid(reset_input + reset_hidden)  # what the candidate sees of the past
    update_BH = torch.sigmoid(update_input + update_hidden)  # what to keep of the past
    candidate_BH = torch.tanh(candidate_input + reset_BH * candidate_hidden)
    hidden_BH = update_BH * previous.hidden_BH + (1 - update_BH) * candidate_BH

    gates = {"reset": reset_BH, "update": update_BH, "candidate": candidate_BH}
    return Step(State(hidden_BH), gates)


def lstm_step(x_BE: Tensor, previous: State, weights: Weights) -> Step:
    """The long short-term memory cell (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    ::

        f  = σ(W_f x + U_f h + b_f)      forget gate
        i  = σ(W_i x + U_i h + b_i)      input gate
        g  = tanh(W_g x + U_g h + b_g)   candidate
        o  = σ(W_o x + U_o h + b_o)      output gate
        c' = f * c + i * g
        h' = o * tanh(c')

    The cell state runs along the text like a conveyor belt. At each token the forget gate says how
    much of it stays, the input gate how much of the candidate is put on it, and the output gate
    how much of it is shown. A gate is a number between 0, nothing passes, and 1, all passes.

    Args:
        x_BE: the vectors of the next token of each text.
        previous: the state before it, with its `cell_BH`.
        weights: gates in the order of ``torch.nn.LSTM``: input, forget, candidate, output.

    Returns:
        The state after the token, and the gates ``forget``, ``input``, ``candidate`` and
        ``output``.
    """
    assert previous.cell_BH is not None
    from_input = x_BE @ weights.input_GE.T + weights.input_bias_G
    from_hidden = previous.hidden_BH @ weights.hidden_GH.T + weights.hidden_bias_G
    for_input, for_forget, for_candidate, for_output = (from_input + from_hidden).chunk(4, dim=1)

    forget_BH = torch.sigmoid(for_forget)  # how much to keep of the past
    input_BH = torch.sigmoid(for_input)  # how much to take in
    candidate_BH = torch.tanh(for_candidate)  # what there is to take in
    output_BH = torch.sigmoid(for_output)  # how much to show
    cell_BH = forget_BH * previous.cell_BH + input_BH * candidate_BH
    hidden_BH = output_BH * torch.tanh(cell_BH)

    gates = {
        "forget": forget_BH,
        "input": input_BH,
        "candidate": candidate_BH,
        "output": output_BH,
    }
    return Step(State(hidden_BH, cell_BH), gates)


def qrnn_step(x_BE: Tensor, previous: State, weights: QrnnWeights) -> Step:
    """The quasi-recurrent cell (Bradbury et al. 2017), with a window of two tokens and fo-pooling.

    ::

        f  = σ(W_f x + V_f x_before + b_f)      forget gate
        z  = tanh(W_z x + V_z x_before + b_z)   candidate
        o  = σ(W_o x + V_o x_before + b_o)      output gate
        c' = f * c + (1 - f) * z
        h' = o * c'

    The gates see this token and the one before it, but no state. So those of all tokens are one
    matrix product, before the first step is taken. What is left of the recurrence is a product and
    a sum for each unit, which knows nothing of the other units: the cell state is a moving average
    of the candidates, and the forget gate says how slowly it moves.

    Args:
        x_BE: the vectors of the next token of each text.
        previous: the state before it, with its `cell_BH` and, unless it is the first, `input_BE`.
        weights: gates in the order forget, candidate, output.

    Returns:
        The state after the token, and the gates ``forget``, ``candidate`` and ``output``.
    """
    assert previous.cell_BH is not None
    sums_BG = x_BE @ weights.input_GE.T + weights.bias_G
    if previous.input_BE is not None:
        sums_BG = sums_BG + previous.input_BE @ weights.previous_GE.T
    for_forget, for_candidate, for_output = sums_BG.chunk(3, dim=1)

    forget_BH = torch.sigmoid(for_forget)  # how much to keep of the past; the rest is taken in
    candidate_BH = torch.tanh(for_candidate)  # what there is to take in
    output_BH = torch.sigmoid(for_output)  # how much to show
    cell_BH = forget_BH * previous.cell_BH + (1 - forget_BH) * candidate_BH

    gates = {"forget": forget_BH, "candidate": candidate_BH, "output": output_BH}
    return Step(State(output_BH * cell_BH, cell_BH, x_BE), gates)


#: Each takes the inputs, the state and the weights of its cell.
STEPS: dict[str, Callable[[Tensor, State, Any], Step]] = {
    "rnn": rnn_step,
    "gru": gru_step,
    "lstm": lstm_step,
    "qrnn": qrnn_step,
}
MODULES: dict[str, type[nn.RNN] | type[nn.GRU] | type[nn.LSTM] | type[QRNN]] = {
    "rnn": nn.RNN,
    "gru": nn.GRU,
    "lstm": nn.LSTM,
    "qrnn": QRNN,
}


class Trace(NamedTuple):
    """What a cell did along a text: states and gates, each (T, B, H)."""

    hidden_TBH: Tensor
    cell_TBH: Tensor | None
    gates: dict[str, Tensor]


def unroll(cell: str, x_TBE: Tensor, weights: Weights | QrnnWeights) -> Trace:
    """Take one step after the other, starting from the zero state, and keep everything.

    Args:
        cell: one of `STEPS`.
        x_TBE: the vectors of all tokens, at least one.
        weights: of this layer and direction.
    """
    hidden_size = len(weights.input_GE) // GATES[cell]
    zero_BH = x_TBE.new_zeros(x_TBE.shape[1], hidden_size)
    state = State(zero_BH, zero_BH if cell in WITH_CELL_STATE else None)
    steps: list[Step] = []
    for x_BE in x_TBE:
        steps.append(STEPS[cell](x_BE, state, weights))
        state = steps[-1].state
    cells = [step.state.cell_BH for step in steps if step.state.cell_BH is not None]
    return Trace(
        hidden_TBH=torch.stack([step.state.hidden_BH for step in steps]),
        cell_TBH=torch.stack(cells) if cells else None,
        gates={name: torch.stack([step.gates[name] for step in steps]) for name in steps[0].gates},
    )


@overload
def weights_of(layer: nn.RNNBase) -> Weights: ...


@overload
def weights_of(layer: QRNN) -> QrnnWeights: ...


def weights_of(layer: nn.RNNBase | QRNN) -> Weights | QrnnWeights:
    """The weights of a module with one layer and one direction."""
    if isinstance(layer, QRNN):
        return QrnnWeights(*map(layer.get_parameter, QRNN_WEIGHTS))
    return Weights(*map(layer.get_parameter, RNN_WEIGHTS))
