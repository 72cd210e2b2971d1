"""The engine torch: the network itself, in PyTorch.

Shapes: B batch, C classes, O outputs (1 for two classes, else C).
"""

from __future__ import annotations

import torch

from sentir.bundle import Bundle
from sentir.data.batching import PaddedBatch
from sentir.inference.network import Floats, probabilities
from sentir.nn.restore import restore_classifier


class TorchEngine:
    """PyTorch spreads each batch over the cores."""

    name, precision, batch_size, pads, workers = "torch", "float32", 64, True, 1

    def __init__(self, bundle: Bundle) -> None:
        self.model = restore_classifier(bundle)

    def probabilities(self, batch: PaddedBatch) -> Floats:
        with torch.inference_mode():
            logits_BO = self.model(*map(torch.from_numpy, batch)).numpy()
        return probabilities(logits_BO)
