"""The lesson's network in a small training loop, with pitfalls that can be switched on.

Shapes: B batch, T time, E embedding, H hidden, L layers.

The lesson's own run printed 47.654 % accuracy; the same network trained correctly reaches 89.84 %
with 39,347 Amazon reviews (docs/benchmarks.md). Each pitfall here is a mistake that programs of
this kind make. The lesson's text shows two of them: the state carried between batches and padding
on the left that the network reads. Whether it sets the first state to zero cannot be seen (the line
ends at the page's margin). It does not confuse unknown words with padding.
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

#: In the order of the table; `fixed` is the recipe without a pitfall.
PITFALLS = ("fixed", "carried", "uninitialised", "left padding", "right padding", "unknown", "all")
#: What ``all`` switches on: every pitfall that still lets the network learn.
TOGETHER = frozenset({"carried", "uninitialised", "left padding", "unknown"})

State = tuple[Tensor, Tensor]
Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The lesson's settings in reduced sizes; the lesson's own value in brackets.

    Attributes:
        embedding_dim: size of a word vector (400).
        hidden_size: units per layer (512).
        num_layers: stacked LSTM layers (2).
        dropout: between layers (0.5).
        head_dropout: before the head (0.2).
        learning_rate: of Adam (0.005).
        max_grad_norm: gradient clipping (5).
        batch_size: reviews per step (400).
        max_length: tokens; longer reviews lose their middle (200).
        epochs: passes over the reviews (2).
        validations: how often accuracy on the validation reviews is measured in all.
    """

    embedding_dim: int = 64
    hidden_size: int = 64
    num_layers: int = 2
    dropout: float = 0.5
    head_dropout: float = 0.2
    learning_rate: float = 0.005
    max_grad_norm: float = 5.0
    batch_size: int = 50
    max_length: int = 120
    epochs: int = 3
    validations: int = 12


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
        """Logits (B,) and the state after the last step: hidden and cell state, (L, B, H) each."""
        if "left padding" in pitfalls:  # the LSTM reads padding before the first word
            ids_BT = pad_left(ids_BT, lengths_B)
        words_BTE = self.embedding(ids_BT)
        if pitfalls & {"left padding", "right padding"}:
            states_BTH, after = self.lstm(words_BTE, state)
            last_BH = states_BTH[:, -1]  # with padding on the right: the state after the padding
        elif "carried" in pitfalls:  # needs every layer's state where each review ends
            packed = pack_padded_sequence(
                words_BTE, lengths_B, batch_first=True, enforce_sorted=False
            )
            _, after = self.lstm(packed, state)
            last_BH = after[0][-1]
        else:  # the same result, three times as fast
            states_BTH, after = self.lstm(words_BTE, state)
            last_BH = states_BTH[torch.arange(len(lengths_B)), lengths_B - 1]
        return self.head(self.dropout(last_BH))[:, 0], after

    def state(self, count: int, pitfalls: frozenset[str], generator: torch.Generator) -> State:
        """The state before the first word: zero, or what uninitialised memory contains.

        Such memory differs from run to run; random numbers of the size of activations stand in for
        it, so that runs can be repeated.
        """
        shape = (self.lstm.num_layers, count, self.lstm.hidden_size)
        if "uninitialised" in pitfalls:
            return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
        return torch.zeros(shape), torch.zeros(shape)


def pad_left(ids_BT: Tensor, lengths_B: Tensor) -> Tensor:
    """The same reviews with the padding moved to the left."""
    return torch.stack(
        [row.roll(len(row) - int(length)) for row, length in zip(ids_BT, lengths_B, strict=True)]
    )


class Reviews(NamedTuple):
    """The three parts as ids, and the size of the vocabulary."""

    train: EncodedCorpus
    valid: EncodedCorpus
    test: EncodedCorpus
    vocabulary: int


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One training run.

    Attributes:
        pitfall: the one that was switched on.
        steps: the steps at which validation accuracy was measured.
        valid: validation accuracy at these steps, 0 to 1.
        test: accuracy on the test reviews at the end, 0 to 1.
    """

    pitfall: str
    seed: int
    steps: list[int] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    test: float = 0.0


def train_with(
    pitfall: str,
    reviews: Reviews,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    advance: Advance = lambda count: None,
) -> Curve:
    """Train the lesson's network with one pitfall and measure its accuracy.

    The pitfall is present during measurement too, as it would be in the program that has it.

    Args:
        pitfall: one of `PITFALLS`; ``all`` is `TOGETHER`.
        reviews: the same for every pitfall.
        recipe: sizes and steps.
        seed: of the initial weights and of the order.
        advance: called with 1 after every step.

    Raises:
        UsageError: no such pitfall.
    """
    if pitfall not in PITFALLS:
        raise UsageError(f"no pitfall {pitfall!r}", todo=f"use one of {', '.join(PITFALLS)}")
    recipe = recipe or Recipe()
    switched_on = TOGETHER if pitfall == "all" else frozenset({pitfall})
    torch.manual_seed(seed)
    garbage = torch.Generator().manual_seed(seed)
    model = LessonNet(reviews.vocabulary, recipe)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)
    order = np.random.default_rng(seed)
    total = steps_of(reviews.train, recipe)
    validate_at = {
        round(total * (index + 1) / recipe.validations) for index in range(recipe.validations)
    }

    steps: list[int] = []
    valid: list[float] = []
    step = 0
    for _ in range(recipe.epochs):
        state: State | None = None
        for ids_BT, lengths_B, labels_B in _batches(
            reviews.train, order.permutation(len(reviews.train)), recipe, switched_on
        ):
            model.train()
            state = _first_state(model, state, len(ids_BT), switched_on, garbage)
            logits_B, state = model(ids_BT, lengths_B, state, switched_on)
            loss = nn.functional.binary_cross_entropy_with_logits(logits_B, labels_B)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
            optimiser.step()
            step += 1
            advance(1)
            if step in validate_at:
                steps.append(step)
                valid.append(_accuracy(model, reviews.valid, recipe, switched_on, garbage))
    test = _accuracy(model, reviews.test, recipe, switched_on, garbage)
    return Curve(pitfall=pitfall, seed=seed, steps=steps, valid=valid, test=test)


def steps_of(train: EncodedCorpus, recipe: Recipe) -> int:
    """How many steps `train_with` takes."""
    return -(-len(train) // recipe.batch_size) * recipe.epochs


def _first_state(
    model: LessonNet,
    after: State | None,
    count: int,
    pitfalls: frozenset[str],
    garbage: torch.Generator,
) -> State:
    """The state that a batch starts from: a new one, or the last state of the batch before."""
    if "carried" not in pitfalls or after is None or after[0].shape[1] < count:
        return model.state(count, pitfalls, garbage)
    hidden_LBH, cell_LBH = after
    return hidden_LBH[:, :count].detach(), cell_LBH[:, :count].detach()


def _batches(
    corpus: EncodedCorpus, rows: Sequence[int] | Rows, recipe: Recipe, pitfalls: frozenset[str]
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Ids padded on the right, lengths and labels, a batch of rows at a time.

    With a padding pitfall every review is padded to `max_length`, as in the lesson.
    """
    for start in range(0, len(rows), recipe.batch_size):
        rows_B = rows[start : start + recipe.batch_size]
        batch = pad([corpus[row] for row in rows_B], recipe.max_length)
        labels_B = torch.tensor([float(corpus.labels_N[row]) for row in rows_B])
        ids_BT = batch.ids_BT
        if pitfalls & {"left padding", "right padding"}:
            ids_BT = nn.functional.pad(ids_BT, (0, recipe.max_length - ids_BT.shape[1]), value=PAD)
        yield ids_BT, batch.lengths_B, labels_B


def _accuracy(
    model: LessonNet,
    corpus: EncodedCorpus,
    recipe: Recipe,
    pitfalls: frozenset[str],
    garbage: torch.Generator,
) -> float:
    """Accuracy with the pitfalls in place, 0 to 1."""
    model.eval()
    right, state = 0, None
    with torch.no_grad():
        for ids_BT, lengths_B, labels_B in _batches(corpus, range(len(corpus)), recipe, pitfalls):
            if (
                "unknown" in pitfalls
            ):  # in measurement only: training has no padding within a review
                ids_BT = ids_BT.masked_fill(ids_BT == UNK, PAD)
            state = _first_state(model, state, len(ids_BT), pitfalls, garbage)
            logits_B, state = model(ids_BT, lengths_B, state, pitfalls)
            right += int(((logits_B > 0) == (labels_B > 0.5)).sum())
    return right / len(corpus)
