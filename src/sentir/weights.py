"""The names and shapes of a network's weights, from its settings alone.

So a bundle can be checked before anything is built from it, and without PyTorch. A test holds them
equal to those of `sentir.nn`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sentir.config import LanguageModelConfig, ModelConfig

#: Gates of each cell, whose weights lie one below the other.
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


class WeightSpec(NamedTuple):
    """Name, shape and number format (as safetensors calls it) of one array."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "F32"


def classifier_weights(
    config: ModelConfig, *, vocabulary: int, classes: int
) -> Iterator[WeightSpec]:
    """The weights of `sentir.nn.classifier.SentimentClassifier`, in the order of its state."""
    outputs = 1 if classes == 2 else classes
    features = config.hidden_size * (2 if config.bidirectional else 1)
    yield WeightSpec("embedding.weight", (vocabulary, config.embedding_dim))
    if config.bigram_buckets:
        rows = config.bigram_buckets + 1
        yield WeightSpec("bigrams.vectors.weight", (rows, config.embedding_dim))
    for layer in range(config.num_layers):
        inputs = features if layer else config.embedding_dim
        yield from _recurrent(
            f"layers.{layer}", config.cell, inputs, config.hidden_size, config.bidirectional
        )
    if config.pooling == "attention":
        yield WeightSpec("pooling.score.weight", (1, features))
    read = features + (config.embedding_dim if config.embedding_skip else 0)
    yield WeightSpec("head.weight", (outputs, read))
    yield WeightSpec("head.bias", (outputs,))
    if config.ngram_buckets:
        for part, rows in (("word", vocabulary), ("ngram", config.ngram_buckets)):
            yield WeightSpec(f"ngram_linear.{part}_weights", (rows, outputs))
            yield WeightSpec(f"ngram_linear.{part}_squared_scales", (rows, outputs))
        yield WeightSpec("ngram_linear.ngram_fingerprints", (config.ngram_buckets,), "I32")


def language_model_weights(config: LanguageModelConfig, *, vocabulary: int) -> Iterator[WeightSpec]:
    """The weights of `sentir.nn.language_model.LanguageModel`, in the order of its state."""
    size = config.embedding_dim
    yield WeightSpec("embedding.weight", (vocabulary, size))
    yield from _recurrent("layer", config.cell, size, config.hidden_size, True)
    for direction in range(2):
        yield WeightSpec(f"outputs.{direction}.weight", (size, config.hidden_size))
        yield WeightSpec(f"outputs.{direction}.bias", (size,))
    yield WeightSpec("softmax.bias_V", (vocabulary,))


def _recurrent(
    name: str, cell: str, inputs: int, hidden_size: int, bidirectional: bool
) -> Iterator[WeightSpec]:
    rows = GATES[cell] * hidden_size
    for direction in ("forward_rnn", "backward_rnn") if bidirectional else ("forward_rnn",):
        yield WeightSpec(f"{name}.{direction}.weight_ih_l0", (rows, inputs))
        yield WeightSpec(f"{name}.{direction}.weight_hh_l0", (rows, hidden_size))
        yield WeightSpec(f"{name}.{direction}.bias_ih_l0", (rows,))
        yield WeightSpec(f"{name}.{direction}.bias_hh_l0", (rows,))
