"""What is taken from a language model; the runs themselves are in test_pretrain.py."""

from __future__ import annotations

import torch

from sentir.config import Config, PretrainConfig
from sentir.text.tokenizer import PAD
from sentir.training.transfer import common_component, defaults_for, preset_for


def test_without_a_language_model_the_defaults_stand() -> None:
    assert preset_for(None) == Config.preset("base")
    assert preset_for(None, "fast") == Config.preset("fast")
    assert defaults_for(None) == PretrainConfig()


def test_the_common_component_is_weighted_by_frequency() -> None:
    vectors_VE = torch.tensor([[9.0, 9.0], [1.0, 0.0], [0.0, 1.0]])
    component_E = common_component(vectors_VE)
    weights = torch.tensor([1 / 2, 1 / 3])  # ids 1 and 2; padding has none
    torch.testing.assert_close(component_E, weights / weights.sum())
    assert PAD == 0


def test_equal_vectors_have_nothing_but_the_common_component() -> None:
    vectors_VE = torch.tensor([3.0, -1.0]).expand(7, 2)
    torch.testing.assert_close(common_component(vectors_VE), vectors_VE[0])
