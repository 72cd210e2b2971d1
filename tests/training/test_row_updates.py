"""Word vectors that are updated when they are read, compared with all of them in every step."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from sentir.nn.row_embedding import RowEmbedding
from sentir.text.tokenizer import PAD
from sentir.training import row_updates
from sentir.training.ema import ExponentialMovingAverage
from sentir.training.row_updates import EveryRow, RowUpdates

VOCABULARY, UNITS, STEPS = 120, 6, 150


class Words(nn.Module):
    """Word vectors, and one number from them."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = RowEmbedding(VOCABULARY, UNITS)
        self.head = nn.Linear(UNITS, 1)

    def forward(self, ids_BT: Tensor) -> Tensor:
        summed_B: Tensor = self.head(torch.tanh(self.embedding(ids_BT))).sum((1, 2))
        return summed_B


class Training:
    """The steps of a loop, with all vectors in every step or only those that are read."""

    def __init__(
        self, *, lazy: bool, weight_decay: float = 0.0, decay: float = 0.9, frozen: int = 0
    ) -> None:
        torch.manual_seed(0)
        self.model, self.frozen = Words(), frozen
        self.average = ExponentialMovingAverage(self.model, decay)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), weight_decay=weight_decay)
        self.updates = EveryRow()
        if lazy:
            self.updates = RowUpdates(self.model.embedding, self.average, self.optimiser)

    def step(self, number: int, ids_BT: Tensor, *, fails: bool = False) -> None:
        (group,) = self.optimiser.param_groups
        group["lr"] = 0.004 * (0.5 + 0.5 * math.cos(math.pi * number / STEPS))
        group["params"][0].requires_grad_(number >= self.frozen)
        with self.updates.lent(ids_BT):
            if fails:
                raise KeyboardInterrupt
            ((self.model(ids_BT) - 1) ** 2).mean().backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(group["params"], 1.0)
            self.optimiser.step()
            self.optimiser.zero_grad()
            self.average.update(self.model, without=self.updates.weight)

    def weights(self) -> list[Tensor]:
        """All weights and their averages."""
        self.updates.bring_up_to_date()
        models = (self.model, self.average.model)
        return [weight.clone() for model in models for weight in model.state_dict().values()]


def batches(count: int = STEPS) -> Iterator[Tensor]:
    """Ids of which some are frequent and most are rare."""
    random = torch.Generator().manual_seed(1)
    for _ in range(count):
        yield (VOCABULARY * torch.rand(4, 5, generator=random) ** 4).long()


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
@pytest.mark.parametrize("decay", [0.0, 0.9])
@pytest.mark.parametrize("frozen", [0, 40])
def test_as_all_vectors_in_every_step(weight_decay: float, decay: float, frozen: int) -> None:
    both = [
        Training(lazy=lazy, weight_decay=weight_decay, decay=decay, frozen=frozen)
        for lazy in (False, True)
    ]
    start = both[0].model.embedding.weight.clone()
    for number, ids_BT in enumerate(batches()):
        for training in both:
            training.step(number, ids_BT)
        if number % 50 == 49:
            both[1].updates.bring_up_to_date()
    for dense, lazy in zip(both[0].weights(), both[1].weights(), strict=True):
        # Where gradients are as tiny as Adam's epsilon a row may differ by a part of a step.
        torch.testing.assert_close(lazy, dense, atol=1e-3, rtol=0)
        assert (lazy - dense).abs().mean() < 5e-6
    moved = (both[1].model.embedding.weight - start).abs().max(dim=1).values
    assert moved[PAD] == 0 or weight_decay
    assert (moved[1:20] > 0.001).all()


def test_vectors_move_by_momentum_while_they_are_not_read() -> None:
    training = Training(lazy=True)
    training.step(0, torch.tensor([[5, 6]]))
    before = training.weights()[0][5]
    for number in range(1, 4):
        training.step(number, torch.tensor([[7, 8]]))
    weight_VE = training.model.embedding.weight.detach()
    assert torch.equal(weight_VE[5], before)  # not yet
    assert (training.weights()[0][5] - before).abs().min() > 0.001


def test_all_are_brought_up_to_date_when_the_window_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = Training(lazy=True)
    monkeypatch.setattr(row_updates, "WINDOW_STEPS", 7)
    in_windows = Training(lazy=True)
    for number, ids_BT in enumerate(batches()):
        whole.step(number, ids_BT)
        in_windows.step(number, ids_BT)
    for one, other in zip(whole.weights(), in_windows.weights(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=0)
        assert (one - other).abs().mean() < 5e-6


def test_a_step_that_raises_changes_no_vector() -> None:
    training, undisturbed = Training(lazy=True), Training(lazy=True)
    for number, ids_BT in enumerate(batches(20)):
        with pytest.raises(KeyboardInterrupt):
            training.step(number, ids_BT.flip(0), fails=True)
        training.step(number, ids_BT)
        undisturbed.step(number, ids_BT)
    for one, other in zip(training.weights(), undisturbed.weights(), strict=True):
        assert torch.equal(one, other)


def test_going_on_from_a_saved_state_is_the_same() -> None:
    whole, resumed = Training(lazy=True), Training(lazy=True)
    for number, ids_BT in enumerate(batches()):
        whole.step(number, ids_BT)
        if number == 80:
            names = ("model", "average", "optimiser", "updates")
            whole.updates.bring_up_to_date()
            for name in names:
                state = copy.deepcopy(getattr(whole, name).state_dict())
                getattr(resumed, name).load_state_dict(state)
        if number > 80:
            resumed.step(number, ids_BT)
    for one, other in zip(whole.weights(), resumed.weights(), strict=True):
        assert torch.equal(one, other)


def test_a_weight_that_is_not_trained_is_refused() -> None:
    training = Training(lazy=False)
    with pytest.raises(ValueError, match="does not train"):
        RowUpdates(RowEmbedding(9, UNITS), training.average, training.optimiser)
