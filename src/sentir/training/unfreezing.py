"""Which weights learn, and how fast, when some have learnt before.

The nearer a part is to the words, the more of what a language model taught it is of use as it is.
So parts get smaller rates the deeper they lie, and join in one after the other, from the head down,
lest a head that knows nothing yet spoils them (Howard and Ruder 2018).
"""

from __future__ import annotations

from typing import Any

from torch import nn

from sentir.config import FineTuneConfig


class Unfreezing:
    """The weights of a model in groups: the head and all that is new, the layers, the words.

    Args:
        model: a classifier; of another model all that has no such name is of the head.
        finetune: `layerwise_lr_decay` and `gradual_unfreezing`.
        steps_an_epoch: steps in which every review is read once.

    Attributes:
        groups: what an optimiser takes; ``share`` is the group's part of the learning rate.
    """

    def __init__(self, model: nn.Module, finetune: FineTuneConfig, steps_an_epoch: int) -> None:
        parts: list[list[nn.Parameter]] = [[], [], []]
        depth = {"layers": 1, "embedding": 2}
        for name, weight in model.named_parameters():
            if weight.requires_grad:  # an embedding that is to stay as it is joins nothing
                parts[depth.get(name.partition(".")[0], 0)].append(weight)
        self.groups: list[dict[str, Any]] = [
            {"params": weights, "share": finetune.layerwise_lr_decay**at}
            for at, weights in enumerate(parts)
        ]
        self._starts = [
            round(at * finetune.gradual_unfreezing * steps_an_epoch) for at in range(len(parts))
        ]

    def prepare(self, step: int) -> None:
        """Let those groups learn whose time has come at this step, and no others.

        It follows from the step alone, so that a resumed run goes on as one that never stopped.
        """
        for group, start in zip(self.groups, self._starts, strict=True):
            for weight in group["params"]:
                weight.requires_grad_(step >= start)
