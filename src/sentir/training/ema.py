"""Exponential moving average (EMA) of the weights: steadier than the last step's, often better."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

M = TypeVar("M", bound=nn.Module)


class ExponentialMovingAverage(Generic[M]):
    """EMA of a model's weights over its steps (Polyak and Juditsky 1992).

    Args:
        model: the model that is trained.
        decay: share of the average kept at each step, 0 to 1; 0: the model itself.

    Attributes:
        model: a model with the averaged weights.
    """

    def __init__(self, model: M, decay: float) -> None:
        self.model = model
        self._average: AveragedModel | None = None
        if decay:
            mean = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
            self._average = AveragedModel(model, multi_avg_fn=mean)
            self.model = cast(M, self._average.module)

    def update(self, model: M) -> None:
        """Update the average after a step."""
        if self._average is not None:
            self._average.update_parameters(model)

    def state_dict(self) -> dict[str, Any]:
        """The state for a checkpoint."""
        return {} if self._average is None else self._average.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        if self._average is not None:
            self._average.load_state_dict(state_dict)
