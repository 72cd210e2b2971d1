"""How much each part of a model is worth, by what the validation reviews say.

One part, the network alone, makes this temperature scaling (Guo et al. 2017): its probabilities
become as sure as they are right, and its answers stay. With the linear part the two are weighed
against each other, and each output may be shifted.

Shapes: N reviews, O outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sentir.nn.classifier import SentimentClassifier

Floats = npt.NDArray[np.floating]


class Mix(NamedTuple):
    """A weight for each part and a shift for each output, with the loss they have (nats)."""

    loss: float
    weights: tuple[float, ...]
    shift_O: Tensor

    def of(self, parts: Sequence[Floats]) -> npt.NDArray[np.float64]:
        """The mix of parts' logits, (N, O)."""
        mixed_NO = sum(weight * part for weight, part in zip(self.weights, parts, strict=True))
        found_NO: npt.NDArray[np.float64] = mixed_NO + self.shift_O.double().numpy()
        return found_NO


def fit_calibration(
    model: SentimentClassifier, parts: Sequence[Floats], labels_N: npt.NDArray[np.integer]
) -> Mix:
    """The weighted sum of the parts' logits that has the lowest loss.

    Weights are powers of e, so that no part is ever turned round, and not far above 1 where a few
    reviews, all answered rightly, would call for endless certainty.

    Args:
        model: whose loss it is.
        parts: logits (N, O) of each part.
        labels_N: the classes.
    """
    parts_PNO = torch.from_numpy(np.stack(parts)).double()
    labels = torch.from_numpy(labels_N).long()
    logs_P = torch.zeros(len(parts), dtype=torch.float64, requires_grad=True)
    shift_O = torch.zeros(parts_PNO.shape[2], dtype=torch.float64, requires_grad=len(parts) > 1)
    free = [logs_P, shift_O] if len(parts) > 1 else [logs_P]
    optimiser = torch.optim.LBFGS(free, max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        mixed_NO = torch.einsum("p,pno->no", logs_P.exp(), parts_PNO)
        return model.loss(mixed_NO + shift_O, labels)

    def penalised() -> Tensor:  # as if weights above 1 were held unlikely beforehand
        return loss() + logs_P.clamp(min=0).square().sum() / (2 * len(labels))

    def closure() -> Tensor:
        optimiser.zero_grad()
        found = penalised()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return Mix(float(loss()), tuple(logs_P.exp().tolist()), shift_O.detach().float())


def set_calibration(model: SentimentClassifier, network: float, shift_O: Tensor) -> None:
    """Scale the network's outputs by its weight, and shift them."""
    with torch.no_grad():
        model.head.weight.mul_(network)
        model.head.bias.mul_(network).add_(shift_O.to(model.head.bias))
