"""Two tasks that need a memory: what was at the start decides what is right at the end.

Shapes: B batch, T time, I input features, O outputs.

Both are made up on the spot, so no sequence is ever seen twice, and in both the distance to be
bridged is the only thing that makes them hard. Whoever answers without having remembered is right
as often as chance is, and that share is known.
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
#: An answer to the adding problem is right when it is no farther off than this.
TOLERANCE = 0.1


class Sequences(NamedTuple):
    """What is read, and what is to be answered after the last step."""

    x_TBI: Tensor
    answers_B: Tensor


class Make(Protocol):
    """What makes sequences up."""

    def __call__(
        self, generator: Generator, count: int, gap: int, *, anywhere: bool = False
    ) -> Sequences: ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is read and answered.

    Attributes:
        inputs: I.
        outputs: O.
        make: sequences from a generator, a batch size and a gap in steps; with `anywhere` what is
            to be remembered lies at any distance up to the gap.
        loss: what training lowers, from outputs (B, O) and answers (B,).
        right: which answers are right, (B,).
        chance: the share that is right without a memory, 0 to 1.
    """

    inputs: int
    outputs: int
    make: Make
    loss: Callable[[Tensor, Tensor], Tensor]
    right: Callable[[Tensor, Tensor], Tensor]
    chance: float


def recall(generator: Generator, count: int, gap: int, *, anywhere: bool = False) -> Sequences:
    """`gap` + 1 symbols, one of them marked: which?

    It is the lesson's sentence in small: a subject among other nouns, asked for at the verb. The
    first symbol is the marked one, or, where it may be `anywhere`, each is as often.
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

    `gap` + 1 numbers between 0 and 1, two of them marked. The answer is the sum of these two: the
    first and one of the second half or, where they may be `anywhere`, any two.
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
        # Always 1 is the best guess. The sum of two such numbers is that near with 1 - (1 - d)².
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
