"""The names and shapes of weights, known from the settings alone, are those of the networks."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from fixtures.networks import MAKES, by_name
from sentir.config import LanguageModelConfig, ModelConfig
from sentir.errors import BundleError
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.language_model import LanguageModel
from sentir.nn.restore import to_arrays
from sentir.weights import (
    Header,
    NgramTableSize,
    WeightSpec,
    check_header,
    classifier_weights,
    language_model_weights,
    read_header,
)

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
    sizes: dict[str, Any] = {"vocabulary": 11, "classes": classes}
    for size in ({}, {"ngram_table": NgramTableSize(7, 3)}):
        network = SentimentClassifier(config, **sizes, **size)
        specs = list(classifier_weights(config, **sizes, **size))
        assert specs == specs_of(to_arrays(network))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_of_a_language_model(cell: str) -> None:
    config = LanguageModelConfig(cell=cell, embedding_dim=5, hidden_size=4, num_sampled=100)  # type: ignore[arg-type]
    network = LanguageModel(config, vocabulary=200)
    assert list(language_model_weights(config, vocabulary=200)) == specs_of(to_arrays(network))


def test_the_header_of_a_file() -> None:
    content = safetensors.numpy.save({"a": np.zeros((3, 2), np.float32)}, {"made by": "hand"})
    header = read_header(io.BytesIO(content), len(content))
    assert list(header.arrays) == ["a"]
    assert header.data_bytes == 24
    assert (header.rows("a"), header.rows("b")) == (3, 0)
    check_header(header, [WeightSpec("a", (3, 2))])


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([], "'a' is no weight of this network"),
        ([WeightSpec("b", (3, 2))], r"b is absent, and the settings ask for F32 \[3, 2\]"),
        ([WeightSpec("a", (2, 3))], r"a is F32 \[3, 2\], and the settings ask for F32 \[2, 3\]"),
        ([WeightSpec("a", (3, 2), "I32")], r"a is F32 \[3, 2\], and the settings ask for I32"),
    ],
)
def test_other_weights_than_the_settings_ask_for(specs: list[WeightSpec], message: str) -> None:
    content = safetensors.numpy.save({"a": np.zeros((3, 2), np.float32)})
    header = read_header(io.BytesIO(content), len(content))
    with pytest.raises(BundleError, match=message):
        check_header(header, specs)


def test_a_file_of_another_size_than_its_header_says() -> None:
    content = safetensors.numpy.save({"a": np.zeros((3, 2), np.float32)})
    header = read_header(io.BytesIO(content), len(content) + 4)
    with pytest.raises(BundleError, match="it holds 28 bytes of weights, and its header says 24"):
        check_header(header, [WeightSpec("a", (3, 2))])


@pytest.mark.parametrize("entry", [None, 7, {}, {"shape": "abc"}, {"shape": []}, {"shape": ["3"]}])
def test_rows_that_a_header_does_not_say(entry: Any) -> None:
    assert Header({"a": entry}, 0).rows("a") == 0
