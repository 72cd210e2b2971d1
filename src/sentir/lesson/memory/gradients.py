"""How much of the gradient comes back through time.

Shapes: B batch, T time, I input features, H hidden units, O outputs.

A cell learns to keep something only if the gradient of the final loss reaches the step at which it
has to be kept. In a plain RNN every step back multiplies the gradient by the same matrix and the
slope of the tanh, so that it fades exponentially; along the LSTM's cell state it is multiplied by
the forget gate alone (Hochreiter 1991; Bengio et al. 1994; Gers et al. 2000).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sentir.lesson.memory.tasks import Sequences
from sentir.nn.cells import STEPS, State, Weights


class GradientNorms(NamedTuple):
    """Norms of the gradient at the state 0, 1, 2 ... steps back, as shares of the last state's."""

    name: str
    seed: int
    norms: list[float]


def gradient_norms(
    cell: str,
    weights: Weights,
    head: nn.Module,
    sequences: Sequences,
    loss: Callable[[Tensor, Tensor], Tensor],
) -> list[float]:
    """The norm of d loss / d state, t steps before the end, for t = 0, 1, 2 ...

    The state is the cell state of an LSTM and the hidden state of the others. Norms are means over
    the sequences, as shares of the last state's.
    """
    count, units = sequences.x_TBI.shape[1], weights.hidden_GH.shape[1]
    zero_BH = sequences.x_TBI.new_zeros(count, units)
    state = State(zero_BH, zero_BH if cell == "lstm" else None)
    states_BH: list[Tensor] = []
    for x_BI in sequences.x_TBI:
        state = STEPS[cell](x_BI, state, weights).state
        states_BH.append(state.hidden_BH if state.cell_BH is None else state.cell_BH)
    # The total derivative at each state: the sum over all paths from there to the loss.
    grads = torch.autograd.grad(loss(head(state.hidden_BH), sequences.answers_B), states_BH)
    norms = [float(grad_BH.double().norm(dim=1).mean()) for grad_BH in reversed(grads)]
    return [norm / norms[0] for norm in norms]
