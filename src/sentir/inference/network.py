"""The weights of a network as the engines read them: arrays, without PyTorch.

Shapes: V vocabulary, E numbers per token that a layer reads (of the first one the embedding), H
hidden units, G gates of a cell stacked, F features of a state (directions times H), P hash buckets
or rows of n-grams, M displacements, K n-grams, B batch, N tokens of a batch, C classes, O outputs
(1 for two classes, else C), X what the head reads (F, and E with the embedding skip).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.bundle import Arrays, Bundle, LanguageBundle, ngram_table_size
from sentir.config import ModelConfig
from sentir.errors import BundleError
from sentir.inference.packed import PackedBatch
from sentir.nn.ngrams import owned_rows
from sentir.weights import (
    DIRECTIONS,
    QRNN_WEIGHTS,
    RNN_WEIGHTS,
    WeightSpec,
    classifier_weights,
    language_model_weights,
)

Weights = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


class RnnWeights(NamedTuple):
    """One layer's weights in one direction, the gates stacked in PyTorch's order."""

    input_GE: Weights
    hidden_GH: Weights
    input_bias_G: Weights
    hidden_bias_G: Weights

    @classmethod
    def of(cls, weights: Arrays, layer: str) -> RnnWeights:
        """Those of a layer's direction, such as ``layers.0.forward_rnn``."""
        return cls(*(weights[f"{layer}.{part}"] for part in RNN_WEIGHTS))


class QrnnWeights(NamedTuple):
    """The weights of one layer of a QRNN in one direction: forget, candidate and output stacked."""

    input_GE: Weights
    previous_GE: Weights
    bias_G: Weights

    @classmethod
    def of(cls, weights: Arrays, layer: str) -> QrnnWeights:
        """Those of a layer's direction, such as ``layers.0.forward_rnn``."""
        return cls(*(weights[f"{layer}.{part}"] for part in QRNN_WEIGHTS))


class NgramTables(NamedTuple):
    """The n-gram linear model; see `sentir.nn.ngram_linear.NgramLinear`."""

    word_weights_VO: Weights
    word_squared_scales_VO: Weights
    ngram_weights_PO: Weights
    ngram_squared_scales_PO: Weights
    fingerprints_P: npt.NDArray[np.int32]
    displacements_M: npt.NDArray[np.int32]

    def rows(self, keys_K: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The row of each bigram or trigram, -1 where it has none."""
        return owned_rows(keys_K, self.fingerprints_P, self.displacements_M)


class NetworkWeights(NamedTuple):
    """What `sentir.nn.classifier.SentimentClassifier` computes with.

    Attributes:
        config: the settings of the network.
        classes: C.
        words_VE: the vectors of words.
        bigrams_PE: the vectors of bigrams, one row more than there are buckets; None without them.
        layers: of each layer its directions, the forward one first: `RnnWeights`, or with the cell
            qrnn `QrnnWeights`.
        query_F: what attention pooling compares states with; None with other poolings.
        head_OX: the weights from the pooled states and the embedding skip to the outputs.
        head_bias_O: their biases.
        ngram_linear: None without it.
    """

    config: ModelConfig
    classes: int
    words_VE: Weights
    bigrams_PE: Weights | None
    layers: tuple[tuple[Any, ...], ...]
    query_F: Weights | None
    head_OX: Weights
    head_bias_O: Weights
    ngram_linear: NgramTables | None

    @classmethod
    def of(cls, bundle: Bundle) -> NetworkWeights:
        """The weights of a bundle, not copied.

        Raises:
            BundleError: they are not those of the network that the settings describe.
        """
        config, weights = bundle.config.model, bundle.weights
        classes = len(bundle.labels.names)
        vocabulary = len(bundle.tokenizer.vocabulary)
        ngram_table = ngram_table_size(weights)
        specs = classifier_weights(
            config, vocabulary=vocabulary, classes=classes, ngram_table=ngram_table
        )
        _check_shapes(weights, specs)
        directions = DIRECTIONS[: 1 + config.bidirectional]
        kind = QrnnWeights if config.cell == "qrnn" else RnnWeights
        has_query = config.pooling == "attention"
        return cls(
            config=config,
            classes=classes,
            words_VE=weights["embedding.weight"],
            bigrams_PE=weights["bigrams.vectors.weight"] if config.bigram_buckets else None,
            layers=tuple(
                tuple(
                    kind.of(weights, f"layers.{layer}.{direction}")
                    for direction in directions
                )
                for layer in range(config.num_layers)
            ),
            query_F=weights["pooling.score.weight"][0] if has_query else None,
            head_OX=weights["head.weight"],
            head_bias_O=weights["head.bias"],
            ngram_linear=NgramTables(
                *(
                    weights[f"ngram_linear.{part}"]
                    for part in (
                        "word_weights", "word_squared_scales",
                        "ngram_weights", "ngram_squared_scales", "ngram_fingerprints",
                        "ngram_displacements",
                    )
                )
            )
            if config.ngram_buckets
            else None,
        )  # fmt: skip

    def embed(self, texts: PackedBatch) -> Weights:
        """What the first layer reads at each token, (N, E): the vectors of words and bigrams."""
        vectors_NE: Weights = self.words_VE[texts.ids_N]
        if self.bigrams_PE is not None:
            vectors_NE += self.bigrams_PE[texts.bigram_rows(self.config.bigram_buckets)]
        return vectors_NE


class LanguageModelWeights(NamedTuple):
    """What the forward direction of `sentir.nn.language_model.LanguageModel` computes with.

    Attributes:
        cell: rnn, gru or lstm.
        words_VE: the vectors of words, as input and as output weights.
        forward: the layer.
        output_EH: from a state to the space of word vectors.
        output_bias_E: its biases.
        bias_V: the biases of the words' logits.
    """

    cell: str
    words_VE: Weights
    forward: RnnWeights
    output_EH: Weights
    output_bias_E: Weights
    bias_V: Weights

    @classmethod
    def of(cls, bundle: LanguageBundle) -> LanguageModelWeights:
        """The weights of a bundle, not copied.

        Raises:
            BundleError: they are not those of the network that the settings describe.
        """
        config, weights = bundle.config.model, bundle.weights
        vocabulary = len(bundle.tokenizer.vocabulary)
        _check_shapes(weights, language_model_weights(config, vocabulary=vocabulary))
        return cls(
            config.cell,
            weights["embedding.weight"],
            RnnWeights.of(weights, f"layer.{DIRECTIONS[0]}"),
            weights["outputs.0.weight"],
            weights["outputs.0.bias"],
            weights["softmax.bias_V"],
        )


def _check_shapes(weights: Arrays, specs: Iterable[WeightSpec]) -> None:
    for name, shape, _ in specs:
        actual = weights[name].shape if name in weights else "absent"
        if actual != shape:
            raise BundleError(
                f"{name} is {actual}, and the settings ask for {shape}",
                where="model",
                todo="train again",
            )


def probabilities(logits_BO: npt.NDArray[Any]) -> Floats:
    """Probabilities of shape (B, C), rows summing to 1, by a sigmoid (O is 1) or a softmax.

    In float64, so that a row sums to 1 and no probability is rounded to 1.
    """
    logits_BO = logits_BO.astype(np.float64)
    if logits_BO.shape[1] == 1:  # sigmoid(x) = exp(x) / (exp(x) + exp(0)), a softmax too
        logits_BO = np.concatenate([np.zeros_like(logits_BO), logits_BO], axis=1)
    exponentials_BC = np.exp(logits_BO - logits_BO.max(axis=1, keepdims=True))
    probabilities_BC: Floats = exponentials_BC / exponentials_BC.sum(axis=1, keepdims=True)
    return probabilities_BC
