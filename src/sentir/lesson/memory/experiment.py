"""How far a cell remembers: the RNN, the GRU and the LSTM on tasks that need a memory.

Shapes: B batch, T time, I input features, H hidden units, O outputs.

All three have about the same number of weights, PyTorch's initialisation (except for the LSTM's
forget bias), and the same optimiser, steps and sequences. In training the symbol to remember lies
at any distance up to the gap; accuracy is measured at the full gap. The learning rate decays
linearly to zero. Of several rates each cell gets the one that is best for it on validation
sequences.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from threading import Lock
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim.lr_scheduler import LinearLR

from sentir.errors import UsageError
from sentir.lesson.memory.gradients import GradientNorms, gradient_norms
from sentir.lesson.memory.tasks import Task, task_named
from sentir.nn.cells import MODULES, weights_of

CELLS = ("rnn", "gru", "lstm")
GAPS = (5, 10, 20, 50)
PARAMETERS = 3100
BATCH = 64
TEST_SEQUENCES = 1000
#: Added to the seed, so that training, validation and test share no sequence.
_TRAIN, _VALID, _TEST = 1, 2, 3

#: Networks are initialised from PyTorch's global generator, which all threads share.
_INITIALISING = Lock()

Advance = Callable[[int], None]


class MemoryNet(nn.Module):
    """One recurrent layer and a linear head on its last state.

    Args:
        cell: ``rnn``, ``gru`` or ``lstm``.
        task: gives the numbers of inputs and outputs.
        hidden: H.
        forget_bias: initial bias of the LSTM's forget gate.
    """

    def __init__(self, cell: str, task: Task, hidden: int, *, forget_bias: float = 1.0) -> None:
        super().__init__()
        self.cell = cell
        layer = MODULES[cell](task.inputs, hidden)
        assert isinstance(layer, nn.RNNBase)
        self.layer = layer
        self.head = nn.Linear(hidden, task.outputs)
        if cell == "lstm":
            weights = weights_of(self.layer)
            with torch.no_grad():  # PyTorch adds two biases: one gets the value, the other zero
                weights.input_bias_G.chunk(4)[1].fill_(forget_bias)
                weights.hidden_bias_G.chunk(4)[1].zero_()

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Outputs (B, O) after the last step."""
        states_TBH = self.layer(x_TBI)[0]
        out_BO: Tensor = self.head(states_TBH[-1])
        return out_BO


def size(net: nn.Module) -> int:
    """The number of weights."""
    return sum(weight.numel() for weight in net.parameters())


def hidden_for(cell: str, task: Task, parameters: int = PARAMETERS) -> int:
    """The number of units with which the whole network comes closest to `parameters` weights."""
    _check_cell(cell)

    def difference(hidden: int) -> int:
        gates = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
        recurrent = gates * hidden * (task.inputs + hidden + 2)
        return abs(recurrent + (hidden + 1) * task.outputs - parameters)

    return min(range(1, parameters), key=difference)


@dataclass(frozen=True, kw_only=True)
class Recall:
    """How well one network learnt to remember.

    Attributes:
        accuracy: at the full gap, on test sequences, 0 to 1.
        rate: the learning rate, the best of those tried.
    """

    task: str
    cell: str
    gap: int
    seed: int
    rate: float
    accuracy: float


def learn(
    cell: str,
    gap: int,
    *,
    task: str = "recall",
    seed: int = 0,
    steps: int = 500,
    rate: float = 0.02,
    parameters: int = PARAMETERS,
    forget_bias: float = 1.0,
) -> MemoryNet:
    """Train a network to bridge gaps from 1 to `gap` steps.

    Raises:
        UsageError: no such cell or task, or a gap below 1.
    """
    _check_cell(cell)
    if gap < 1:
        raise UsageError(f"a gap of {gap}", todo="give 1 step or more")
    problem = task_named(task)
    with _INITIALISING:
        torch.manual_seed(seed)
        net = MemoryNet(
            cell, problem, hidden_for(cell, problem, parameters), forget_bias=forget_bias
        )
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    schedule = LinearLR(optimiser, start_factor=1.0, end_factor=0.0, total_iters=steps)
    generator = Generator().manual_seed(10 * seed + _TRAIN)
    for _ in range(steps):
        x_TBI, answers_B = problem.make(generator, BATCH, gap, anywhere=True)
        optimiser.zero_grad()
        problem.loss(net(x_TBI), answers_B).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return net


def accuracy(net: MemoryNet, task: str, gap: int, seed: int, part: int = _TEST) -> float:
    """The share of right answers at that gap, 0 to 1."""
    problem = task_named(task)
    with torch.inference_mode():
        x_TBI, answers_B = problem.make(
            Generator().manual_seed(10 * seed + part), TEST_SEQUENCES, gap
        )
        return problem.right(net(x_TBI), answers_B).double().mean().item()


def remember(
    cell: str,
    gap: int,
    *,
    task: str = "recall",
    seed: int = 0,
    steps: int = 500,
    rates: Sequence[float] = (0.02,),
    parameters: int = PARAMETERS,
    advance: Advance = lambda count: None,
) -> Recall:
    """Train one cell for one gap with its best learning rate, and measure its accuracy.

    Args:
        cell: ``rnn``, ``gru`` or ``lstm``.
        gap: steps between what is to be remembered and the answer.
        task: ``recall`` or ``adding``.
        seed: of the initial weights and of the sequences.
        steps: of the optimiser, 64 sequences each.
        rates: learning rates to choose from.
        parameters: number of weights, approximately.
        advance: called with 1 after each rate.

    Raises:
        UsageError: no such cell or task, or a gap below 1.
    """
    best: tuple[float, float, MemoryNet] | None = None
    for rate in rates:
        net = learn(
            cell, gap, task=task, seed=seed, steps=steps, rate=rate, parameters=parameters
        )  # fmt: skip
        valid = accuracy(net, task, gap, seed, _VALID)
        if best is None or valid > best[0]:
            best = valid, rate, net
        advance(1)
    if best is None:
        raise UsageError("no learning rate to try", todo="give one or more")
    _, rate, net = best
    test = accuracy(net, task, gap, seed)
    return Recall(task=task, cell=cell, gap=gap, seed=seed, rate=rate, accuracy=test)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The results of the whole experiment.

    Attributes:
        steps: of training, for each network.
        rates: the learning rates that were tried.
        hidden: units of each cell, by task.
        parameters: weights of each network, by task.
        chance: accuracy without a memory, by task, 0 to 1.
        recalls: one per task, cell, gap and seed.
        gradients: how the gradient fades on its way back in untrained networks.
    """

    steps: int
    rates: tuple[float, ...]
    hidden: dict[str, dict[str, int]]
    parameters: dict[str, dict[str, int]]
    chance: dict[str, float]
    recalls: list[Recall]
    gradients: list[GradientNorms]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return asdict(self)

    def accuracies(self, task: str, cell: str, gap: int) -> list[float]:
        """One accuracy per seed."""
        return [
            run.accuracy
            for run in self.recalls
            if (run.task, run.cell, run.gap) == (task, cell, gap)
        ]


def experiment(
    *,
    tasks: Sequence[str] = ("recall", "adding"),
    gaps: Sequence[int] = GAPS,
    seeds: Sequence[int] = (0, 1),
    steps: int = 500,
    rates: Sequence[float] = (0.02,),
    parameters: int = PARAMETERS,
    advance: Advance = lambda count: None,
) -> Memory:
    """Train every cell on every task at every gap, once per seed, and measure fading gradients.

    Args:
        tasks: ``recall``, ``adding`` or both.
        gaps: steps to be bridged.
        seeds: one network each.
        steps: of the optimiser, the same for all.
        rates: learning rates to choose from, for each network.
        parameters: number of weights of each network, approximately.
        advance: called with 1 after each network, `count_networks` times.

    Raises:
        UsageError: no such task, a gap below 1, or nothing to do.
    """
    if not (tasks and gaps and seeds):
        raise UsageError("nothing to do", todo="give a task, a gap and a seed at least")
    problems = {name: task_named(name) for name in tasks}
    hidden = {
        name: {cell: hidden_for(cell, task, parameters) for cell in CELLS}
        for name, task in problems.items()
    }

    def train_one(name: str, gap: int, cell: str, seed: int) -> Recall:
        return remember(cell, gap, task=name, seed=seed, steps=steps, rates=rates,
                        parameters=parameters, advance=advance)  # fmt: skip

    # Threads suffice: PyTorch releases Python's lock while it computes. One network is too small
    # to be split over several.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        jobs = product(problems, gaps, CELLS, seeds)
        recalls = list(threads.map(lambda job: train_one(*job), jobs))
    return Memory(
        steps=steps,
        rates=tuple(rates),
        hidden=hidden,
        parameters={
            name: {
                cell: size(MemoryNet(cell, problems[name], units)) for cell, units in cells.items()
            }
            for name, cells in hidden.items()
        },
        chance={name: task.chance for name, task in problems.items()},
        recalls=recalls,
        gradients=fading(seeds=seeds, parameters=parameters),
    )


#: The networks whose gradients are measured: cell and forget bias.
MEASURED = {
    "rnn": ("rnn", 1.0),
    "gru": ("gru", 1.0),
    "lstm 0": ("lstm", 0.0),
    "lstm 1": ("lstm", 1.0),
}


def fading(
    *, distance: int = 50, seeds: Sequence[int] = (0, 1, 2), parameters: int = PARAMETERS
) -> list[GradientNorms]:
    """How the gradient fades over `distance` steps in untrained networks.

    A network learns to remember only if its first gradients reach back far enough.
    """
    task = task_named("recall")
    measured = []
    for (name, (cell, bias)), seed in product(MEASURED.items(), seeds):
        torch.manual_seed(seed)
        net = MemoryNet(cell, task, hidden_for(cell, task, parameters), forget_bias=bias)
        sequences = task.make(Generator().manual_seed(10 * seed + _TEST), BATCH, distance)
        norms = gradient_norms(net.cell, weights_of(net.layer), net.head, sequences, task.loss)
        measured.append(GradientNorms(name=name, seed=seed, norms=norms))
    return measured


def count_networks(
    tasks: Sequence[str], gaps: Sequence[int], seeds: Sequence[int], rates: int
) -> int:
    """How many networks `experiment` trains."""
    return len(tasks) * len(gaps) * len(seeds) * len(CELLS) * rates


def _check_cell(cell: str) -> None:
    if cell not in CELLS:
        raise UsageError(f"no cell {cell!r}", todo=f"use {', '.join(CELLS)}")
