from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator

from sentir.lesson.memory.experiment import MemoryNet
from sentir.lesson.memory.gradients import gradient_norms
from sentir.lesson.memory.tasks import TASKS, Sequences, recall
from sentir.nn.cells import State, lstm_step, unroll, weights_of


def test_the_gradient_agrees_with_small_changes_of_the_cell_state() -> None:
    """One step back: the cell state changes, and with it the hidden state computed from it."""
    task = TASKS["recall"]
    torch.manual_seed(0)
    net = MemoryNet("lstm", task, 3).double()
    x_TBI, answers_B = recall(Generator().manual_seed(0), 1, 1)
    sequences = Sequences(x_TBI.double(), answers_B)
    weights = weights_of(net.layer)
    trace = unroll("lstm", sequences.x_TBI, weights)
    assert trace.cell_TBH is not None

    def loss_at(at: int, cell_H: torch.Tensor) -> float:
        state = State(trace.gates["output"][at] * torch.tanh(cell_H), cell_H[None])
        for x_BI in sequences.x_TBI[at + 1 :]:
            state = lstm_step(x_BI, state, weights).state
        return task.loss(net.head(state.hidden_BH), answers_B).item()

    def slope_norm(at: int) -> float:
        here_H = trace.cell_TBH[at, 0]
        slopes = [
            (loss_at(at, here_H + move_H) - loss_at(at, here_H - move_H)) / 2e-5
            for move_H in 1e-5 * torch.eye(3, dtype=torch.float64)
        ]
        return float(np.linalg.norm(slopes))

    with torch.no_grad():
        share = slope_norm(0) / slope_norm(1)
    assert gradient_norms("lstm", weights, net.head, sequences, task.loss) == pytest.approx(
        [1, share], rel=1e-6
    )


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_norms_start_at_the_last_state(cell: str) -> None:
    task = TASKS["recall"]
    torch.manual_seed(0)
    net = MemoryNet(cell, task, 4)
    sequences = task.make(Generator().manual_seed(0), 8, 5)
    norms = gradient_norms(cell, weights_of(net.layer), net.head, sequences, task.loss)
    assert len(norms) == 6
    assert norms[0] == 1.0
