"""Calibration on the validation reviews: a weight per part of the model, and a bias per output.

For the network alone this is temperature scaling (Guo et al. 2017): confidence comes to match
accuracy, and the predicted classes stay. With the n-gram linear model the logits of both are
combined by a weight each and a bias per output (stacking).

Shapes: N reviews, O outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sentir.nn.classifier import SentimentClassifier

Floats = npt.NDArray[np.floating]


class Calibration(NamedTuple):
    """A weight for each part and a bias for each output, with the loss they reach (nats)."""

    loss: float
    weights: tuple[float, ...]
    shift_O: Tensor

    def apply(self, parts: Sequence[Floats]) -> npt.NDArray[np.float64]:
        """The calibrated logits, (N, O)."""
        combined_NO = sum(weight * part for weight, part in zip(self.weights, parts, strict=True))
        calibrated_NO: npt.NDArray[np.float64] = combined_NO + self.shift_O.double().numpy()
        return calibrated_NO


def fit_calibration(
    model: SentimentClassifier, parts: Sequence[Floats], targets: npt.NDArray[Any]
) -> Calibration:
    """Fit the weights and biases that minimise the loss, by L-BFGS.

    Weights are positive (exponentials), and a penalty keeps them from growing without bound where
    a few validation reviews are all classified correctly.

    Args:
        model: whose loss is minimised.
        parts: logits (N, O) of each part.
        targets: classes (N,), or weighted probabilities of them (N, C).
    """
    parts_PNO = torch.from_numpy(np.stack(parts)).double()
    targets_N = torch.from_numpy(targets)
    logs_P = torch.zeros(len(parts), dtype=torch.float64, requires_grad=True)
    shift_O = torch.zeros(parts_PNO.shape[2], dtype=torch.float64, requires_grad=len(parts) > 1)
    free = [logs_P, shift_O] if len(parts) > 1 else [logs_P]
    optimiser = torch.optim.LBFGS(free, max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        combined_NO = torch.einsum("p,pno->no", logs_P.exp(), parts_PNO)
        return model.loss(combined_NO + shift_O, targets_N)

    def penalised() -> Tensor:  # a Gaussian prior on log weights above 0
        return loss() + logs_P.clamp(min=0).square().sum() / (2 * len(targets))

    def closure() -> Tensor:
        optimiser.zero_grad()
        objective = penalised()
        objective.backward()  # type: ignore[no-untyped-call]
        return objective

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return Calibration(float(loss()), tuple(logs_P.exp().tolist()), shift_O.detach().float())


def set_calibration(model: SentimentClassifier, network: float, shift_O: Tensor) -> None:
    """Fold the network's weight and the biases into the head."""
    with torch.no_grad():
        model.head.weight.mul_(network)
        model.head.bias.mul_(network).add_(shift_O.to(model.head.bias))
