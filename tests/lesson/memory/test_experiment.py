from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from sentir.errors import UsageError
from sentir.lesson.memory.experiment import (
    CELLS,
    MemoryNet,
    experiment,
    fading,
    hidden_for,
    learn,
    remember,
    runs,
    size,
)
from sentir.lesson.memory.gradients import carried
from sentir.lesson.memory.picture import figure, tables
from sentir.lesson.memory.tasks import TASKS, Sequences, adding, recall, task_named
from sentir.nn.cells import State, lstm_step, unroll, weights_of


def test_recall_asks_for_the_marked_symbol() -> None:
    x_TBI, answers_B = recall(Generator().manual_seed(0), 50, 7)
    assert x_TBI.shape == (8, 50, 5)
    mark_TB = x_TBI[:, :, 4]
    assert mark_TB[0].all()
    assert not mark_TB[1:].any()
    assert torch.equal(x_TBI[0, :, :4].argmax(dim=1), answers_B)
    assert x_TBI[1:, :, :4].sum(dim=2).eq(1).all(), "the others are of the same kinds"


def test_adding_asks_for_the_sum_of_two_far_apart() -> None:
    x_TBI, answers_B = adding(Generator().manual_seed(0), 500, 29)
    values_TB, mark_TB = x_TBI.unbind(dim=2)
    assert torch.allclose((values_TB * mark_TB).sum(dim=0), answers_B)
    assert mark_TB.sum(dim=0).eq(2).all()
    assert mark_TB[0].all()
    assert not mark_TB[1:15].any()


def test_while_learning_what_counts_lies_anywhere() -> None:
    for make, marks in ((recall, 1), (adding, 2)):
        x_TBI, answers_B = make(Generator().manual_seed(0), 900, 9, anywhere=True)
        mark_TB = x_TBI[:, :, -1]
        assert mark_TB.sum(dim=0).eq(marks).all()
        often_T = mark_TB.mean(dim=1)
        assert often_T.sub(marks / 10).abs().max() < 0.05
        if make is recall:
            marked_BI = (x_TBI * mark_TB[:, :, None]).sum(dim=0)
            assert torch.equal(marked_BI[:, :4].argmax(dim=1), answers_B)


@pytest.mark.parametrize("name", TASKS)
def test_chance_is_what_one_has_without_a_memory(name: str) -> None:
    task = task_named(name)
    _, answers_B = task.make(Generator().manual_seed(0), 40_000, 2)
    blind_BO = torch.ones(40_000, task.outputs)
    assert task.right(blind_BO, answers_B).double().mean().item() == pytest.approx(
        task.chance, abs=0.01
    )


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("parameters", [3100, 12_000])
def test_all_cells_have_nearly_as_many_weights(name: str, parameters: int) -> None:
    task = task_named(name)
    sizes = [size(MemoryNet(cell, task, hidden_for(cell, task, parameters))) for cell in CELLS]
    assert max(sizes) / min(sizes) < 1.05
    assert max(sizes) == pytest.approx(parameters, rel=0.04)


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_the_forget_bias_is_what_was_asked_for(bias: float) -> None:
    weights = weights_of(MemoryNet("lstm", TASKS["recall"], 5, forget_bias=bias).layer)
    both_G = weights.input_bias_G + weights.hidden_bias_G
    assert both_G[5:10].tolist() == [bias] * 5


def test_the_gradient_agrees_with_small_changes_of_the_cell_state() -> None:
    """One step back: the cell state is moved, and the hidden state with it, as it is made of it."""
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
    assert carried("lstm", weights, net.head, sequences, task.loss) == pytest.approx(
        [1, share], rel=1e-6
    )


def test_gradients_fade_in_the_order_that_theory_says() -> None:
    norms = {name: [] for name in ("rnn", "lstm 0", "lstm 1")}
    for one in fading(distance=50, seeds=(0, 1, 2)):
        if one.name in norms:
            norms[one.name].append(one.norms[50])
    for seed in range(3):
        plain, shut, open_ = (norms[name][seed] for name in ("rnn", "lstm 0", "lstm 1"))
        assert 10 * plain < shut, "the plain cell loses more than half-open gates do"
        assert 1000 * shut < open_, "an open forget gate carries it"


@pytest.mark.parametrize(
    ("seed", "gap", "steps"),
    [(0, 50, 500), *(pytest.param(seed, 80, 800, marks=pytest.mark.long) for seed in (0, 1, 2))],
)
def test_the_lstm_remembers_where_the_plain_cell_guesses(seed: int, gap: int, steps: int) -> None:
    chance = TASKS["recall"].chance
    lstm = remember("lstm", gap, seed=seed, steps=steps)
    plain = remember("rnn", gap, seed=seed, steps=steps)
    assert lstm.accuracy > 0.95
    assert abs(plain.accuracy - chance) < 0.05


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_same_on_the_adding_problem_at_the_plain_cells_best_rate(seed: int) -> None:
    rates = (0.01, 0.02)
    lstm = remember("lstm", 50, task="adding", seed=seed, steps=1600, rates=rates)
    plain = remember("rnn", 50, task="adding", seed=seed, steps=1600, rates=rates)
    assert lstm.accuracy > 0.95
    assert abs(plain.accuracy - TASKS["adding"].chance) < 0.07


def test_what_is_trained_depends_on_the_seed_alone() -> None:
    first, again, other = (remember("gru", 3, seed=seed, steps=15) for seed in (0, 0, 1))
    assert first == again
    assert first.accuracy != other.accuracy


def test_the_best_rate_is_chosen() -> None:
    told: list[int] = []
    found = remember("lstm", 2, steps=80, rates=(1e-6, 0.02), advance=told.append)
    assert found.rate == 0.02
    assert found.accuracy > 0.95
    assert told == [1, 1]


def test_the_experiment_tells_all(tmp_path: Path) -> None:
    told: list[int] = []
    found = experiment(gaps=(1, 2), seeds=(0,), steps=4, parameters=300, advance=told.append)
    assert sum(told) == len(found.recalled) == runs(("recall", "adding"), (1, 2), (0,), 1) == 12
    assert json.loads(json.dumps(found.to_dict()))["chance"]["recall"] == 0.25
    for language in ("en", "es"):
        assert len(list(tables(found, language))) == 3
        drawn = figure(found, language)
        assert len(drawn.axes) == 3
        drawn.savefig(tmp_path / "memory.svg")
    with pytest.raises(UsageError, match="does not speak 'fr'; use en or es"):
        figure(found, "fr")


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="no cell 'elman'"):
        learn("elman", 5)
    with pytest.raises(UsageError, match="no task 'copy'; use recall or adding"):
        remember("lstm", 5, task="copy")
    with pytest.raises(UsageError, match="a gap of 0"):
        learn("lstm", 0)
    with pytest.raises(UsageError, match="no learning rate to try"):
        remember("lstm", 5, rates=())
    with pytest.raises(UsageError, match="nothing to do"):
        experiment(gaps=())
