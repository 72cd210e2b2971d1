"""The names and shapes of weights, known from the settings alone, are those of the networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from fixtures.networks import MAKES, by_name
from sentir.config import LanguageModelConfig, ModelConfig
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.language_model import LanguageModel
from sentir.nn.restore import to_arrays
from sentir.weights import WeightSpec, classifier_weights, language_model_weights

EXTRAS: list[dict[str, Any]] = [
    {},
    {"bigram_buckets": 9, "ngram_buckets": 7, "embedding_skip": True},
]
DTYPES = {np.dtype(np.float32): "F32", np.dtype(np.int32): "I32"}


def specs_of(weights: dict[str, np.ndarray]) -> list[WeightSpec]:
    assert safetensors.numpy.save(weights)  # all can be saved
    return [WeightSpec(name, array.shape, DTYPES[array.dtype]) for name, array in weights.items()]


@pytest.mark.parametrize("make", MAKES, ids=by_name)
@pytest.mark.parametrize("extra", EXTRAS, ids=["plain", "extras"])
@pytest.mark.parametrize("classes", [2, 3])
def test_of_a_classifier(make: dict[str, Any], extra: dict[str, Any], classes: int) -> None:
    config = ModelConfig(
        **{"embedding_dim": 5, "hidden_size": 4, "ngram_buckets": 0, **make, **extra}
    )
    network = SentimentClassifier(config, vocabulary=11, classes=classes)
    assert list(classifier_weights(config, vocabulary=11, classes=classes)) == specs_of(
        to_arrays(network)
    )


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_of_a_language_model(cell: str) -> None:
    config = LanguageModelConfig(cell=cell, embedding_dim=5, hidden_size=4, num_sampled=100)  # type: ignore[arg-type]
    network = LanguageModel(config, vocabulary=200)
    assert list(language_model_weights(config, vocabulary=200)) == specs_of(to_arrays(network))
