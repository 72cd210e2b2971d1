"""Recurrent cells step by step in NumPy, with their gates: the twins of `sentir.nn.cells`.

The formulas and their sources are in that module, which computes the same in PyTorch; a test holds
both equal. Explanations and text generation compute with these, so they need no PyTorch. Shapes:
B batch, T time, E numbers per token that a layer reads, H hidden units, G gates of a cell stacked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sentir.inference.network import QrnnWeights, RnnWeights, Weights
from sentir.weights import GATES, WITH_CELL_STATE


class State(NamedTuple):
    """What a cell carries from one token to the next; see `sentir.nn.cells.State`."""

    hidden_BH: Weights
    cell_BH: Weights | None = None
    input_BE: Weights | None = None


class Step(NamedTuple):
    """The state after a token, and the gates that led to it, by name, each (B, H)."""

    state: State
    gates: dict[str, Weights]


def _rnn_step(x_BE: Weights, previous: State, weights: RnnWeights) -> Step:
    from_input, from_hidden = _sums(x_BE, previous, weights)
    return Step(State(np.tanh(from_input + from_hidden)), {})


def _gru_step(x_BE: Weights, previous: State, weights: RnnWeights) -> Step:
    from_input, from_hidden = _sums(x_BE, previous, weights)
    reset_input, update_input, candidate_input = np.split(from_input, 3, axis=1)
    reset_hidden, update_hidden, candidate_hidden = np.split(from_hidden, 3, axis=1)
    reset_BH = _sigmoid(reset_input + reset_hidden)
    update_BH = _sigmoid(update_input + update_hidden)
    candidate_BH = np.tanh(candidate_input + reset_BH * candidate_hidden)
    hidden_BH = update_BH * previous.hidden_BH + (1 - update_BH) * candidate_BH
    return Step(
        State(hidden_BH), {"reset": reset_BH, "update": update_BH, "candidate": candidate_BH}
    )


def _lstm_step(x_BE: Weights, previous: State, weights: RnnWeights) -> Step:
    assert previous.cell_BH is not None
    from_input, from_hidden = _sums(x_BE, previous, weights)
    for_input, for_forget, for_candidate, for_output = np.split(from_input + from_hidden, 4, axis=1)
    gates = {
        "forget": _sigmoid(for_forget),
        "input": _sigmoid(for_input),
        "candidate": np.tanh(for_candidate),
        "output": _sigmoid(for_output),
    }
    cell_BH = gates["forget"] * previous.cell_BH + gates["input"] * gates["candidate"]
    return Step(State(gates["output"] * np.tanh(cell_BH), cell_BH), gates)


def _qrnn_step(x_BE: Weights, previous: State, weights: QrnnWeights) -> Step:
    assert previous.cell_BH is not None
    sums_BG = x_BE @ weights.input_GE.T + weights.bias_G
    if previous.input_BE is not None:
        sums_BG += previous.input_BE @ weights.previous_GE.T
    for_forget, for_candidate, for_output = np.split(sums_BG, 3, axis=1)
    gates = {
        "forget": _sigmoid(for_forget),
        "candidate": np.tanh(for_candidate),
        "output": _sigmoid(for_output),
    }
    cell_BH = gates["forget"] * previous.cell_BH + (1 - gates["forget"]) * gates["candidate"]
    return Step(State(gates["output"] * cell_BH, cell_BH, x_BE), gates)


#: Each takes the inputs, the state and the weights of its cell.
STEPS: dict[str, Callable[[Weights, State, Any], Step]] = {
    "rnn": _rnn_step,
    "gru": _gru_step,
    "lstm": _lstm_step,
    "qrnn": _qrnn_step,
}


class Trace(NamedTuple):
    """What a cell did along a text: states and gates, each (T, B, H), and the last state."""

    hidden_TBH: Weights
    cell_TBH: Weights | None
    gates: dict[str, Weights]
    last: State

    def backwards(self) -> Trace:
        """The same with the last token first."""
        return self._replace(
            hidden_TBH=self.hidden_TBH[::-1],
            cell_TBH=None if self.cell_TBH is None else self.cell_TBH[::-1],
            gates={name: gate_TBH[::-1] for name, gate_TBH in self.gates.items()},
        )


def unroll(
    cell: str, x_TBE: Weights, weights: RnnWeights | QrnnWeights, state: State | None = None
) -> Trace:
    """Take one step after the other and keep everything.

    Args:
        cell: one of `STEPS`.
        x_TBE: the vectors of all tokens, at least one.
        weights: of one layer and direction.
        state: what to start from; None: the zero state.
    """
    if state is None:
        hidden_size = len(weights.input_GE) // GATES[cell]
        zero_BH = np.zeros((x_TBE.shape[1], hidden_size), x_TBE.dtype)
        state = State(zero_BH, zero_BH if cell in WITH_CELL_STATE else None)
    steps: list[Step] = []
    for x_BE in x_TBE:
        steps.append(STEPS[cell](x_BE, state, weights))
        state = steps[-1].state
    cells = [step.state.cell_BH for step in steps if step.state.cell_BH is not None]
    return Trace(
        hidden_TBH=np.stack([step.state.hidden_BH for step in steps]),
        cell_TBH=np.stack(cells) if cells else None,
        gates={name: np.stack([step.gates[name] for step in steps]) for name in steps[0].gates},
        last=state,
    )


def _sums(x_BE: Weights, previous: State, weights: RnnWeights) -> tuple[Weights, Weights]:
    """What the token and the previous state add to the gates, each (B, G)."""
    return (
        x_BE @ weights.input_GE.T + weights.input_bias_G,
        previous.hidden_BH @ weights.hidden_GH.T + weights.hidden_bias_G,
    )


def _sigmoid(x: Weights) -> Weights:
    """The logistic sigmoid; its usual form overflows far below zero."""
    halved: Weights = np.tanh(x / 2)
    return np.float32(0.5) * (np.float32(1) + halved)
