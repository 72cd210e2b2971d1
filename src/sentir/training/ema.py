"""Exponential moving average (EMA) of the weights: steadier than the last step's, often better."""

from __future__ import annotations

import copy
from typing import Any, Generic, TypeVar

from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

M = TypeVar("M", bound=nn.Module)


class ExponentialMovingAverage(Generic[M]):
    """EMA of a model's weights over its steps (Polyak and Juditsky 1992).

    Args:
        model: the model that is trained.
        decay: share of the average kept at each step, 0 to 1; 0: the model itself. The first step
            keeps nothing: the average starts with the weights after it.

    Attributes:
        model: a model with the averaged weights.
        decay: as given.
        last_decay: the share that was kept at the last step.
    """

    def __init__(self, model: M, decay: float) -> None:
        self.model = copy.deepcopy(model) if decay else model
        self.decay, self.last_decay = decay, 0.0
        self._steps = 0

    def update(self, model: M, *, without: Tensor | None = None) -> None:
        """Update the average after a step, all of it or `without` one weight of the model."""
        if not self.decay:
            return
        self.last_decay = self.decay if self._steps else 0.0
        pairs = zip(self.model.parameters(), model.parameters(), strict=True)
        averages, weights = zip(*(pair for pair in pairs if pair[1] is not without), strict=True)
        mean = get_ema_multi_avg_fn(self.last_decay)  # type: ignore[no-untyped-call]
        mean([*averages], [*weights], self._steps)
        self._steps += 1

    def state_dict(self) -> dict[str, Any]:
        """The state for a checkpoint."""
        return {"model": self.model.state_dict(), "steps": self._steps} if self.decay else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        if self.decay:
            self.model.load_state_dict(state_dict["model"])
            self._steps = state_dict["steps"]
