"""Gradual unfreezing and layer-wise learning rates for a pre-trained network.

Lower layers hold what transfers best, and a head with random weights would spoil them at first. So
the learning rate falls from the head down to the embedding, and the parts are unfrozen one after
the other (Howard and Ruder 2018, *Universal Language Model Fine-tuning*).
"""

from __future__ import annotations

from typing import Any

from torch import nn

from sentir.config import FineTuneConfig


class Unfreezing:
    """The parameter groups of a model: head, recurrent layers, embedding.

    Args:
        model: a classifier; of another model every parameter counts as the head's.
        finetune: `layerwise_lr_decay` and `gradual_unfreezing`.
        steps_per_epoch: optimiser steps per epoch.

    Attributes:
        groups: parameter groups for an optimiser; ``share`` multiplies the learning rate.
    """

    def __init__(self, model: nn.Module, finetune: FineTuneConfig, steps_per_epoch: int) -> None:
        parts: list[list[nn.Parameter]] = [[], [], []]
        depth_of = {"layers": 1, "embedding": 2}
        for name, weight in model.named_parameters():
            if weight.requires_grad:  # a frozen embedding is in no group
                parts[depth_of.get(name.partition(".")[0], 0)].append(weight)
        self.groups: list[dict[str, Any]] = [
            {"params": weights, "share": finetune.layerwise_lr_decay**depth}
            for depth, weights in enumerate(parts)
        ]
        self._starts = [
            round(depth * finetune.gradual_unfreezing * steps_per_epoch)
            for depth in range(len(parts))
        ]

    def prepare(self, step: int) -> None:
        """Unfreeze the groups whose turn it is at this step.

        It depends on the step alone, so a resumed run equals an uninterrupted one.
        """
        for group, start in zip(self.groups, self._starts, strict=True):
            for weight in group["params"]:
                weight.requires_grad_(step >= start)
