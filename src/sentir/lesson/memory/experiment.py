"""How far a cell remembers: the RNN, the GRU and the LSTM on tasks that need a memory.

Shapes: B batch, T time, I input features, H hidden units, O outputs.

The three are treated alike: the same number of weights, PyTorch's own start (but for the LSTM's
forget bias), the same optimiser, steps and sequences. While learning, what is to be remembered lies
at any distance up to the gap; measured is the whole gap alone. The learning rate falls to zero
along a line. If several are given, each cell gets the one that is best for it on sequences kept for
that.
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
from sentir.lesson.memory.gradients import Carried, carried
from sentir.lesson.memory.tasks import Task, task_named
from sentir.nn.cells import MODULES, weights_of

CELLS = ("rnn", "gru", "lstm")
GAPS = (5, 10, 20, 50)
PARAMETERS = 3100
BATCH = 64
MEASURED = 1000
#: What the generators of sequences start from, so that no two parts share any.
_LEARN, _CHOOSE, _MEASURE = 1, 2, 3

#: PyTorch's own generator, from which networks start, is one for all threads.
_STARTING = Lock()

Advance = Callable[[int], None]


class MemoryNet(nn.Module):
    """One recurrent layer and a linear head on its last state.

    Args:
        cell: ``rnn``, ``gru`` or ``lstm``.
        task: tells the inputs and outputs.
        hidden: H.
        forget_bias: what the LSTM's forget gate starts with.
    """

    def __init__(self, cell: str, task: Task, hidden: int, *, forget_bias: float = 1.0) -> None:
        super().__init__()
        self.cell = cell
        self.layer = MODULES[cell](task.inputs, hidden)
        self.head = nn.Linear(hidden, task.outputs)
        if cell == "lstm":
            weights = weights_of(self.layer)
            with torch.no_grad():  # two biases are summed: one holds it, the other nothing
                weights.input_bias_G.chunk(4)[1].fill_(forget_bias)
                weights.hidden_bias_G.chunk(4)[1].zero_()

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Outputs (B, O) after the last step."""
        states_TBH = self.layer(x_TBI)[0]
        out_BO: Tensor = self.head(states_TBH[-1])
        return out_BO


def size(net: nn.Module) -> int:
    """How many weights it has."""
    return sum(weight.numel() for weight in net.parameters())


def hidden_for(cell: str, task: Task, parameters: int = PARAMETERS) -> int:
    """The number of units with which a cell comes nearest to that many weights in all."""
    _check_cell(cell)

    def off(hidden: int) -> int:
        gates = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
        recurrent = gates * hidden * (task.inputs + hidden + 2)
        return abs(recurrent + (hidden + 1) * task.outputs - parameters)

    return min(range(1, parameters), key=off)


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """How well one network learnt to remember.

    Attributes:
        accuracy: share of right answers at the gap, 0 to 1, on sequences it never saw.
        rate: the learning rate that was best for it.
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
    """A network that was trained to bridge gaps from 1 to `gap` steps.

    Raises:
        UsageError: no such cell or task, or a gap below 1.
    """
    _check_cell(cell)
    if gap < 1:
        raise UsageError(f"a gap of {gap}", todo="give 1 step or more")
    made = task_named(task)
    with _STARTING:
        torch.manual_seed(seed)
        net = MemoryNet(cell, made, hidden_for(cell, made, parameters), forget_bias=forget_bias)
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    slower = LinearLR(optimiser, start_factor=1.0, end_factor=0.0, total_iters=steps)
    generator = Generator().manual_seed(10 * seed + _LEARN)
    for _ in range(steps):
        x_TBI, answers_B = made.make(generator, BATCH, gap, anywhere=True)
        optimiser.zero_grad()
        made.loss(net(x_TBI), answers_B).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        slower.step()
    return net


def accuracy(net: MemoryNet, task: str, gap: int, seed: int, part: int = _MEASURE) -> float:
    """The share of right answers at that gap."""
    made = task_named(task)
    with torch.inference_mode():
        x_TBI, answers_B = made.make(Generator().manual_seed(10 * seed + part), MEASURED, gap)
        return made.right(net(x_TBI), answers_B).double().mean().item()


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
) -> Recalled:
    """Train one cell for one gap and measure it there, at the learning rate that suits it best.

    Args:
        cell: ``rnn``, ``gru`` or ``lstm``.
        gap: steps between what is to be remembered and the answer.
        task: ``recall`` or ``adding``.
        seed: of the network's start and of the sequences.
        steps: of the optimiser, 64 sequences each.
        rates: learning rates to choose from.
        parameters: weights of the network, nearly.
        advance: told of each rate that was tried.

    Raises:
        UsageError: no such cell or task, or a gap below 1.
    """
    best: tuple[float, float, MemoryNet] | None = None
    for rate in rates:
        net = learn(
            cell, gap, task=task, seed=seed, steps=steps, rate=rate, parameters=parameters
        )  # fmt: skip
        chosen_by = accuracy(net, task, gap, seed, _CHOOSE)
        if best is None or chosen_by > best[0]:
            best = chosen_by, rate, net
        advance(1)
    if best is None:
        raise UsageError("no learning rate to try", todo="give one or more")
    _, rate, net = best
    found = accuracy(net, task, gap, seed)
    return Recalled(task=task, cell=cell, gap=gap, seed=seed, rate=rate, accuracy=found)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What the whole experiment found.

    Attributes:
        hidden: units of each cell, by task.
        parameters: weights of each network, by task.
        recalled: one for every task, cell, gap and seed.
        carried: how the gradient fades on its way back, before any learning.
    """

    steps: int
    rates: tuple[float, ...]
    hidden: dict[str, dict[str, int]]
    parameters: dict[str, dict[str, int]]
    chance: dict[str, float]
    recalled: list[Recalled]
    carried: list[Carried]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it."""
        return asdict(self)

    def accuracies(self, task: str, cell: str, gap: int) -> list[float]:
        """One for each seed."""
        return [
            one.accuracy
            for one in self.recalled
            if (one.task, one.cell, one.gap) == (task, cell, gap)
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
    """Every cell on every task at every gap, once for each seed, and how gradients fade.

    Args:
        tasks: ``recall``, ``adding`` or both.
        gaps: steps to be bridged.
        seeds: one network each.
        steps: of the optimiser, the same for all.
        rates: learning rates of which each cell gets its best.
        parameters: weights of each network, nearly.
        advance: told of each network trained, `runs` in all.

    Raises:
        UsageError: no such task, a gap below 1, or nothing to do.
    """
    if not (tasks and gaps and seeds):
        raise UsageError("nothing to do", todo="give a task, a gap and a seed at least")
    made = {name: task_named(name) for name in tasks}
    hidden = {
        name: {cell: hidden_for(cell, task, parameters) for cell in CELLS}
        for name, task in made.items()
    }

    def one(name: str, gap: int, cell: str, seed: int) -> Recalled:
        return remember(cell, gap, task=name, seed=seed, steps=steps, rates=rates,
                        parameters=parameters, advance=advance)  # fmt: skip

    # PyTorch lets go of Python's lock while it computes, and a network is too small to be shared.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        recalled = list(threads.map(lambda run: one(*run), product(made, gaps, CELLS, seeds)))
    return Memory(
        steps=steps,
        rates=tuple(rates),
        hidden=hidden,
        parameters={
            name: {cell: size(MemoryNet(cell, made[name], units)) for cell, units in cells.items()}
            for name, cells in hidden.items()
        },
        chance={name: task.chance for name, task in made.items()},
        recalled=recalled,
        carried=fading(seeds=seeds, parameters=parameters),
    )


#: The networks whose gradients are followed: cell and forget bias.
FOLLOWED = {
    "rnn": ("rnn", 1.0),
    "gru": ("gru", 1.0),
    "lstm 0": ("lstm", 0.0),
    "lstm 1": ("lstm", 1.0),
}


def fading(
    *, distance: int = 50, seeds: Sequence[int] = (0, 1, 2), parameters: int = PARAMETERS
) -> list[Carried]:
    """How the gradient fades over `distance` steps in networks that have not learnt yet.

    That is when it matters: a network learns to remember only if the first gradients reach back.
    """
    task = task_named("recall")
    found = []
    for (name, (cell, bias)), seed in product(FOLLOWED.items(), seeds):
        torch.manual_seed(seed)
        net = MemoryNet(cell, task, hidden_for(cell, task, parameters), forget_bias=bias)
        sequences = task.make(Generator().manual_seed(10 * seed + _MEASURE), BATCH, distance)
        norms = carried(net.cell, weights_of(net.layer), net.head, sequences, task.loss)
        found.append(Carried(name=name, seed=seed, norms=norms))
    return found


def runs(tasks: Sequence[str], gaps: Sequence[int], seeds: Sequence[int], rates: int) -> int:
    """How many networks `experiment` trains."""
    return len(tasks) * len(gaps) * len(seeds) * len(CELLS) * rates


def _check_cell(cell: str) -> None:
    if cell not in CELLS:
        raise UsageError(f"no cell {cell!r}", todo=f"use {', '.join(CELLS)}")
