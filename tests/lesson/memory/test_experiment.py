from __future__ import annotations

import json
from pathlib import Path

import pytest

from sentir.errors import UsageError
from sentir.lesson.memory.experiment import (
    CELLS,
    MemoryNet,
    count_networks,
    experiment,
    fading,
    hidden_for,
    learn,
    remember,
    size,
)
from sentir.lesson.memory.picture import figure, tables
from sentir.lesson.memory.tasks import TASKS, task_named
from sentir.nn.cells import weights_of


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("parameters", [3100, 12_000])
def test_all_cells_have_nearly_as_many_weights(name: str, parameters: int) -> None:
    task = task_named(name)
    sizes = [size(MemoryNet(cell, task, hidden_for(cell, task, parameters))) for cell in CELLS]
    assert max(sizes) / min(sizes) < 1.05
    assert max(sizes) == pytest.approx(parameters, rel=0.04)


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_the_forget_bias_is_the_requested_one(bias: float) -> None:
    weights = weights_of(MemoryNet("lstm", TASKS["recall"], 5, forget_bias=bias).layer)
    both_G = weights.input_bias_G + weights.hidden_bias_G
    assert both_G[5:10].tolist() == [bias] * 5


def test_gradients_fade_in_the_order_of_theory() -> None:
    norms = {name: [] for name in ("rnn", "lstm 0", "lstm 1")}
    for measured in fading(distance=50, seeds=(0, 1, 2)):
        if measured.name in norms:
            norms[measured.name].append(measured.norms[50])
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


def test_a_network_depends_on_the_seed_alone() -> None:
    first, again, other = (remember("gru", 3, seed=seed, steps=15) for seed in (0, 0, 1))
    assert first == again
    assert first.accuracy != other.accuracy


def test_the_best_rate_is_chosen() -> None:
    advanced: list[int] = []
    recall = remember("lstm", 2, steps=80, rates=(1e-6, 0.02), advance=advanced.append)
    assert recall.rate == 0.02
    assert recall.accuracy > 0.95
    assert advanced == [1, 1]


def test_the_experiment_trains_every_network(tmp_path: Path) -> None:
    advanced: list[int] = []
    memory = experiment(gaps=(1, 2), seeds=(0,), steps=4, parameters=300, advance=advanced.append)
    assert (
        sum(advanced)
        == len(memory.recalls)
        == count_networks(("recall", "adding"), (1, 2), (0,), 1)
        == 12
    )
    assert json.loads(json.dumps(memory.to_dict()))["chance"]["recall"] == 0.25
    for language in ("en", "es"):
        assert len(list(tables(memory, language))) == 3
        drawn = figure(memory, language)
        assert len(drawn.axes) == 3
        drawn.savefig(tmp_path / "memory.svg")
    with pytest.raises(UsageError, match="does not speak 'fr'; use en or es"):
        figure(memory, "fr")


def test_an_unknown_cell_or_task_and_a_gap_of_0_are_refused() -> None:
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
