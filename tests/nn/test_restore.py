"""A network out of a bundle's arrays, and arrays out of a network."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fixtures.networks import MAKES, by_name
from fixtures.toy_bundle import toy
from sentir.bundle import LanguageBundle, save_bundle
from sentir.config import PretrainConfig
from sentir.errors import BundleError
from sentir.nn.language_model import LanguageModel
from sentir.nn.restore import restore_classifier, restore_language_model, to_arrays


@pytest.mark.parametrize("make", MAKES, ids=by_name)
def test_a_classifier_comes_back_whole(make: dict[str, Any]) -> None:
    bundle = toy(**make)
    network = restore_classifier(bundle)
    arrays = to_arrays(network)
    assert list(arrays) == list(bundle.weights)
    for name, array in arrays.items():
        assert array.dtype == bundle.weights[name].dtype
        assert np.array_equal(array, bundle.weights[name]), name
    assert not any(parameter.is_meta for parameter in network.parameters())


def test_pytorchs_compiler_is_not_loaded(tmp_path: Path) -> None:
    save_bundle(toy(), tmp_path / "model")
    script = (
        "import sys; from sentir.bundle import load_bundle; "
        "from sentir.nn.restore import restore_classifier; "
        f"restore_classifier(load_bundle({str(tmp_path / 'model')!r})); "
        "assert 'torch._dynamo' not in sys.modules, 'it takes 2 s'"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_it_answers_without_dropout() -> None:
    assert not restore_classifier(toy(head_dropout=0.5)).training


def test_its_weights_are_a_copy() -> None:
    bundle = toy()
    before = bundle.weights["head.bias"].copy()
    network = restore_classifier(bundle)
    with torch.no_grad():
        network.head.bias += 1
    assert np.array_equal(bundle.weights["head.bias"], before)
    arrays = to_arrays(network)
    arrays["head.bias"] += 1
    assert np.array_equal(to_arrays(network)["head.bias"], before + 1)


def test_a_language_model_comes_back_whole_and_the_random_numbers_stay() -> None:
    config = PretrainConfig().override({"embedding_dim": 6, "hidden_size": 5})
    bundle = LanguageBundle(
        weights=to_arrays(LanguageModel(config.model, vocabulary=18)),
        tokenizer=toy().tokenizer, config=config, metrics={},
    )  # fmt: skip
    state = torch.get_rng_state()
    network = restore_language_model(bundle)
    assert torch.equal(torch.get_rng_state(), state)
    assert not network.training
    for name, array in to_arrays(network).items():
        assert np.array_equal(array, bundle.weights[name]), name
    assert network.softmax.inclusion_V.tolist() == [0.0, *[1.0] * 17]


def test_weights_of_another_network_are_refused() -> None:
    bundle = toy()
    other = replace(bundle, weights=toy(hidden_size=6).weights)
    with pytest.raises(BundleError, match="its parts do not fit"):
        restore_classifier(other)
    some = {name: weight for name, weight in bundle.weights.items() if name != "head.bias"}
    with pytest.raises(BundleError, match=r"head\.bias"):
        restore_classifier(replace(bundle, weights=some))
