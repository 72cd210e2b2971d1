"""Two tasks that need a memory: an early input decides the right answer at the end.

Shapes: B batch, T time, I input features, O outputs.

Sequences are generated as they are needed, so none is seen twice. The distance to be bridged is the
only difficulty, and the accuracy without a memory (chance) is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from sentir.errors import UsageError

SYMBOLS = 4
#: The largest error with which an answer to the adding problem counts as right.
TOLERANCE = 0.1


class Sequences(NamedTuple):
    """Inputs, and the right answers after the last step."""

    x_TBI: Tensor
    answers_B: Tensor


class Generate(Protocol):
    """Generates sequences."""

    def __call__(
        self, generator: Generator, count: int, gap: int, *, anywhere: bool = False
    ) -> Sequences: ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task: its sizes, its sequences and how answers are judged.

    Attributes:
        inputs: I.
        outputs: O.
        make: generates sequences from a generator, a batch size and a gap (steps); with `anywhere`
            the input to remember lies at any distance up to the gap.
        loss: of outputs (B, O) and answers (B,).
        right: which outputs are right, (B,).
        chance: accuracy without a memory, 0 to 1.
    """

    inputs: int
    outputs: int
    make: Generate
    loss: Callable[[Tensor, Tensor], Tensor]
    right: Callable[[Tensor, Tensor], Tensor]
    chance: float


def recall(generator: Generator, count: int, gap: int, *, anywhere: bool = False) -> Sequences:
    """`gap` + 1 symbols, one of them marked: which?

    A small version of the lesson's sentence: a subject among other nouns, needed at the verb. The
    marked symbol is the first one or, with `anywhere`, any of them with equal probability.
    """
    rows = torch.arange(count)
    symbols_TB = torch.randint(SYMBOLS, (gap + 1, count), generator=generator)
    marked_B = torch.randint(gap + 1 if anywhere else 1, (count,), generator=generator)
    mark_TB1 = torch.zeros(gap + 1, count, 1)
    mark_TB1[marked_B, rows] = 1.0
    x_TBI = torch.cat([F.one_hot(symbols_TB, SYMBOLS).float(), mark_TB1], dim=2)
    return Sequences(x_TBI, symbols_TB[marked_B, rows])


def adding(generator: Generator, count: int, gap: int, *, anywhere: bool = False) -> Sequences:
    """The adding problem (Hochreiter and Schmidhuber 1997, experiment 4), a little simplified.

    `gap` + 1 numbers between 0 and 1, two of them marked; the answer is the sum of the two. Marked
    are the first and one of the second half or, with `anywhere`, any two.
    """
    steps = gap + 1
    values_TB, mark_TB = torch.rand(steps, count, generator=generator), torch.zeros(steps, count)
    if anywhere:
        first_B, second_B = torch.rand(count, steps, generator=generator).topk(2).indices.T
    else:
        first_B = torch.zeros(count, dtype=torch.long)
        second_B = torch.randint(max(1, steps // 2), steps, (count,), generator=generator)
    rows = torch.arange(count)
    mark_TB[first_B, rows] = mark_TB[second_B, rows] = 1.0
    answers_B = values_TB[first_B, rows] + values_TB[second_B, rows]
    return Sequences(torch.stack([values_TB, mark_TB], dim=2), answers_B)


TASKS = {
    "recall": Task(
        inputs=SYMBOLS + 1,
        outputs=SYMBOLS,
        make=recall,
        loss=F.cross_entropy,
        right=lambda out_BO, answers_B: out_BO.argmax(dim=1) == answers_B,
        chance=1 / SYMBOLS,
    ),
    "adding": Task(
        inputs=2,
        outputs=1,
        make=adding,
        loss=lambda out_BO, answers_B: F.mse_loss(out_BO[:, 0], answers_B),
        right=lambda out_BO, answers_B: (out_BO[:, 0] - answers_B).abs() <= TOLERANCE,
        # The best constant answer is 1; the sum lies within d of it with probability 1 - (1 - d)².
        chance=1 - (1 - TOLERANCE) ** 2,
    ),
}


def task_named(name: str) -> Task:
    """The task of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in TASKS:
        raise UsageError(f"no task {name!r}", todo=f"use {' or '.join(TASKS)}")
    return TASKS[name]
