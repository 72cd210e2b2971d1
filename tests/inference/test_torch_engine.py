"""The engine torch computes what the network computes."""

from __future__ import annotations

import numpy as np
import torch

from fixtures.toy_bundle import toy
from sentir.data.batching import pad_arrays
from sentir.inference.torch_engine import TorchEngine
from sentir.nn.restore import restore_classifier


def test_probabilities_are_the_networks_and_need_no_gradient() -> None:
    bundle = toy(classes=3)
    batch = pad_arrays([[2, 3, 4], [5]], 40)
    network = restore_classifier(bundle)
    logits_BO = network(*map(torch.from_numpy, batch))
    assert logits_BO.requires_grad
    probabilities_BC = TorchEngine(bundle).probabilities(batch)
    assert probabilities_BC.dtype == np.float64
    expected_BC = network.probabilities(logits_BO.detach().double()).numpy()
    assert np.array_equal(probabilities_BC, expected_BC)


def test_the_weights_are_a_copy() -> None:
    bundle = toy()
    engine, batch = TorchEngine(bundle), pad_arrays([[2, 3, 4]], 40)
    before_BC = engine.probabilities(batch)
    bundle.weights["head.bias"][:] += 1
    assert np.array_equal(engine.probabilities(batch), before_BC)
