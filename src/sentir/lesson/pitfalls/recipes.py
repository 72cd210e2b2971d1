"""The lesson's network and its faults, each to be switched on by itself.

Shapes: B batch, T time, E embedding, H hidden, L layers.

The lesson's run ended at 47.65 % of right answers, where the same network without its faults
reaches 89.84 % with 39,347 of Amazon's reviews (docs/benchmarks.md). Here is that recipe in a small
loop, and every fault that its text shows as a switch, so that one sees which of them matter and how
they show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from sentir.data.batching import Rows, pad
from sentir.data.dataset import EncodedCorpus
from sentir.errors import UsageError
from sentir.text.tokenizer import PAD, UNK

#: What can be wrong, in the order of the table; `fixed` is the recipe without a fault.
PITFALLS = ("fixed", "carried", "uninitialised", "left padding", "right padding", "unknown", "all")
#: The lesson's own run had these at once.
TOGETHER = frozenset({"carried", "uninitialised", "left padding", "unknown"})

State = tuple[Tensor, Tensor]
Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The lesson's settings, the sizes reduced; in brackets what the lesson has.

    Attributes:
        embedding: numbers a word (400).
        hidden: units a layer (512).
        layers: LSTM layers one upon the other (2).
        dropout: between layers (0.5).
        head_dropout: before the head (0.2).
        rate: Adam's learning rate (0.005).
        clip: largest norm of the gradient (5).
        batch: reviews a step (400).
        max_length: longer reviews lose their middle (200).
        epochs: passes over the reviews (2).
        checks: times the validation reviews are looked at in all.
    """

    embedding_dim: int = 64
    hidden_size: int = 64
    num_layers: int = 2
    dropout: float = 0.5
    head_dropout: float = 0.2
    rate: float = 0.005
    max_grad_norm: float = 5.0
    batch: int = 50
    max_length: int = 120
    epochs: int = 3
    checks: int = 12


class LessonNet(nn.Module):
    """Embedding, LSTM layers, the last state, a linear head."""

    def __init__(self, vocabulary: int, recipe: Recipe) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, recipe.embedding_dim, padding_idx=PAD)
        self.lstm = nn.LSTM(
            recipe.embedding_dim, recipe.hidden_size, recipe.num_layers,
            batch_first=True, dropout=recipe.dropout if recipe.num_layers > 1 else 0.0,
        )  # fmt: skip
        self.dropout = nn.Dropout(recipe.head_dropout)
        self.head = nn.Linear(recipe.hidden_size, 1)

    def forward(
        self, ids_BT: Tensor, lengths_B: Tensor, state: State, pitfalls: frozenset[str]
    ) -> tuple[Tensor, State]:
        """Logits (B,) and the state after the last step, each of its parts (L, B, H)."""
        if "left padding" in pitfalls:  # the LSTM reads a run of padding before the first word
            ids_BT = to_the_right(ids_BT, lengths_B)
        words_BTE = self.embedding(ids_BT)
        if pitfalls & {"left padding", "right padding"}:
            states_BTH, after = self.lstm(words_BTE, state)
            last_BH = states_BTH[:, -1]  # under right padding: the state after the padding
        elif "carried" in pitfalls:  # wants every layer's state where each review ends
            packed = pack_padded_sequence(
                words_BTE, lengths_B, batch_first=True, enforce_sorted=False
            )
            _, after = self.lstm(packed, state)
            last_BH = after[0][-1]
        else:  # the same, and three times as fast
            states_BTH, after = self.lstm(words_BTE, state)
            last_BH = states_BTH[torch.arange(len(lengths_B)), lengths_B - 1]
        return self.head(self.dropout(last_BH))[:, 0], after

    def state(self, count: int, pitfalls: frozenset[str], generator: torch.Generator) -> State:
        """The state before the first word: zero, or whatever lay in the memory.

        What lies there differs from run to run. So that it can be repeated, numbers of the size
        that activations have stand in for it.
        """
        shape = (self.lstm.num_layers, count, self.lstm.hidden_size)
        if "uninitialised" in pitfalls:
            return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
        return torch.zeros(shape), torch.zeros(shape)


def to_the_right(ids_BT: Tensor, lengths_B: Tensor) -> Tensor:
    """The same reviews with their padding before them."""
    return torch.stack(
        [row.roll(len(row) - int(length)) for row, length in zip(ids_BT, lengths_B, strict=True)]
    )


class Reviews(NamedTuple):
    """Reviews to learn from, to watch, and to measure on once."""

    train: EncodedCorpus
    valid: EncodedCorpus
    test: EncodedCorpus
    vocabulary: int


@dataclass(frozen=True, kw_only=True)
class Curve:
    """How one network learnt.

    Attributes:
        steps, valid: accuracy on the validation reviews after so many steps.
        test: accuracy on the test reviews at the end.
    """

    pitfall: str
    seed: int
    steps: list[int] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    test: float = 0.0


def learn_with(
    pitfall: str,
    reviews: Reviews,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    advance: Advance = lambda count: None,
) -> Curve:
    """Train the lesson's network with one fault, and measure it as the lesson would.

    The fault is there when the network is measured, too: who makes it does not know.

    Args:
        pitfall: one of `PITFALLS`; ``fixed`` is none, ``all`` those that the lesson had together.
        reviews: the same for every fault.
        recipe: sizes and steps.
        seed: of the network's start and of the order.
        advance: told of every step.

    Raises:
        UsageError: no such fault.
    """
    if pitfall not in PITFALLS:
        raise UsageError(f"no fault {pitfall!r}", todo=f"use one of {', '.join(PITFALLS)}")
    recipe = recipe or Recipe()
    pitfalls = TOGETHER if pitfall == "all" else frozenset({pitfall})
    torch.manual_seed(seed)
    memory = torch.Generator().manual_seed(seed)
    model = LessonNet(reviews.vocabulary, recipe)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.rate)
    order = np.random.default_rng(seed)
    total = steps_of(reviews.train, recipe)
    looks = {round(total * (at + 1) / recipe.checks) for at in range(recipe.checks)}

    curve, step = Curve(pitfall=pitfall, seed=seed), 0
    for _ in range(recipe.epochs):
        state: State | None = None
        for ids_BT, lengths_B, labels_B in _batches(
            reviews.train, order.permutation(len(reviews.train)), recipe, pitfalls
        ):
            model.train()
            state = _before(model, state, len(ids_BT), pitfalls, memory)
            logits_B, state = model(ids_BT, lengths_B, state, pitfalls)
            loss = nn.functional.binary_cross_entropy_with_logits(logits_B, labels_B)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
            optimiser.step()
            step += 1
            advance(1)
            if step in looks:
                curve.steps.append(step)
                curve.valid.append(_accuracy(model, reviews.valid, recipe, pitfalls, memory))
    found = _accuracy(model, reviews.test, recipe, pitfalls, memory)
    return Curve(pitfall=pitfall, seed=seed, steps=curve.steps, valid=curve.valid, test=found)


def steps_of(train: EncodedCorpus, recipe: Recipe) -> int:
    """How many steps `learn_with` takes."""
    return -(-len(train) // recipe.batch) * recipe.epochs


def _before(
    model: LessonNet,
    after: State | None,
    count: int,
    pitfalls: frozenset[str],
    memory: torch.Generator,
) -> State:
    """The state that a batch starts from: a fresh one, or what other reviews left behind."""
    if "carried" not in pitfalls or after is None or after[0].shape[1] < count:
        return model.state(count, pitfalls, memory)
    hidden_LBH, cell_LBH = after
    return hidden_LBH[:, :count].detach(), cell_LBH[:, :count].detach()


def _batches(
    corpus: EncodedCorpus, rows: Sequence[int] | Rows, recipe: Recipe, pitfalls: frozenset[str]
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Ids padded on the right, lengths and labels, so many rows at a time.

    Where padding is read it is as long as in the lesson, which padded every review to one length.
    """
    for start in range(0, len(rows), recipe.batch):
        now = rows[start : start + recipe.batch]
        batch = pad([corpus[row] for row in now], recipe.max_length)
        labels_B = torch.tensor([float(corpus.labels_N[row]) for row in now])
        ids_BT = batch.ids_BT
        if pitfalls & {"left padding", "right padding"}:
            ids_BT = nn.functional.pad(ids_BT, (0, recipe.max_length - ids_BT.shape[1]), value=PAD)
        yield ids_BT, batch.lengths_B, labels_B


def _accuracy(
    model: LessonNet,
    corpus: EncodedCorpus,
    recipe: Recipe,
    pitfalls: frozenset[str],
    memory: torch.Generator,
) -> float:
    """The share of right answers, with the faults in place."""
    model.eval()
    right, state = 0, None
    with torch.no_grad():
        for ids_BT, lengths_B, labels_B in _batches(corpus, range(len(corpus)), recipe, pitfalls):
            if "unknown" in pitfalls:  # only here: training never saw padding within a review
                ids_BT = ids_BT.masked_fill(ids_BT == UNK, PAD)
            state = _before(model, state, len(ids_BT), pitfalls, memory)
            logits_B, state = model(ids_BT, lengths_B, state, pitfalls)
            right += int(((logits_B > 0) == (labels_B > 0.5)).sum())
    return right / len(corpus)
