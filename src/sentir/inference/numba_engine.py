"""The engine numba: the network without padding, in few passes over memory.

Shapes: V vocabulary, E embedding, B texts, T time, N tokens of a batch, one text after the other,
the longest text first, D directions, H hidden units, G sums of a layer (see `numba_layer`), F
features (D x H), P rows of hash buckets, C classes, O outputs, X weights and squared scales of all
outputs side by side.

Whatever depends on a single word only is computed once for every word of the vocabulary: its
product with the first layer's input weights, biases included, and its product with the head by way
of the embedding skip. This is exact. What remains for each token is the recurrent product with the
gates (`sentir.nn.kernels.rnn_inference`) and the sums of the n-gram linear model
(`sentir.nn.kernels.ngram_linear`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from sentir.bundle import Bundle
from sentir.data.batching import Batch
from sentir.errors import UsageError
from sentir.inference.numba_layer import Int8Layer, NumbaLayer, to_array
from sentir.inference.packed import PackedBatch
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.kernels.availability import NUMBA_CELLS, NUMBA_INT8_CELLS
from sentir.nn.kernels.ngram_linear import add_ngram_linear
from sentir.nn.kernels.primitives import Floats
from sentir.nn.kernels.rnn_inference import attend
from sentir.nn.ngram_linear import MIN_SQUARED_SCALE
from sentir.nn.restore import restore_classifier

#: The largest table of the words' products with the first layer's input weights. Above it, and
#: with bigrams, the product is computed for each token. With `base` 262,144 words fit.
MAX_TABLE_BYTES = 2**29


class NumbaEngine:
    """In float32, one core per batch; see `sentir.inference.engines.Engine`.

    Raises:
        UsageError: there is no kernel for the model's cell.
    """

    name, precision, batch_size, layer = "numba", "float32", 32, NumbaLayer
    cells: tuple[str, ...] = NUMBA_CELLS

    def __init__(self, bundle: Bundle) -> None:
        network = self._network = restore_classifier(bundle)
        cell = network.config.cell
        if cell not in self.cells:
            raise UsageError(
                f"the engine numba in {self.precision} is for the cell {' or '.join(self.cells)}, "
                f"this model's is {cell}",
                todo="take the engine onnx in float32",
            )
        self.workers = torch.get_num_threads()
        self._layers = [
            self.layer(layer, cell, is_upper=index > 0)
            for index, layer in enumerate(network.layers)
        ]
        self._head = _Head(network)
        self._words_VE = to_array(network.embedding.weight)
        self._table_VDG: Floats | None = None
        first = self._layers[0]
        table_bytes = 4 * len(self._words_VE) * first.bias_DG.size
        if network.bigrams is None and table_bytes <= MAX_TABLE_BYTES:
            self._table_VDG = first.input_sums(self._words_VE)

    def probabilities(self, batch: Batch) -> npt.NDArray[np.float64]:
        """Probabilities of shape (B, C), rows summing to 1."""
        texts = PackedBatch.of(batch)
        pooled_BF = self._pooled(self._states(texts), texts)
        logits_BO = np.empty((len(texts.order_B), self._head.bias_O.size))
        logits_BO[texts.order_B] = self._head.logits(pooled_BF, texts)
        probabilities_BC: npt.NDArray[np.float64] = self._network.probabilities(
            torch.from_numpy(logits_BO)
        ).numpy()
        return probabilities_BC

    def _states(self, texts: PackedBatch) -> Floats:
        """The last layer's states at all tokens, (N, F)."""
        first, *upper = self._layers
        if self._table_VDG is None:
            states_NF = first.states_of_input(self._embedded(texts), texts)
        else:
            states_NF = first.states(self._table_VDG, texts.ids_N, texts)
        for layer in upper:
            states_NF = layer.states_of_states(states_NF, texts)
        return states_NF

    def _embedded(self, texts: PackedBatch) -> Floats:
        """The vectors of all tokens, (N, E)."""
        vectors_NE = self._words_VE[texts.ids_N]
        bigrams = self._network.bigrams
        if bigrams is not None:
            vectors_NE += to_array(bigrams.vectors.weight)[texts.bigram_rows(bigrams.buckets)]
        return vectors_NE

    def _pooled(self, states_NF: Floats, texts: PackedBatch) -> Floats:
        """`sentir.nn.pooling.Pooling`, (B, F)."""
        config, starts_B, lengths_B = self._network.config, texts.starts_B, texts.lengths_B
        if config.pooling == "last":
            last_BF: Floats = states_NF[starts_B + lengths_B - 1]
            last_BF[:, config.hidden_size :] = states_NF[starts_B, config.hidden_size :]
            return last_BF
        if config.pooling == "mean":
            mean_BF = texts.sums(states_NF)
            mean_BF /= lengths_B[:, None]
            return mean_BF
        pooled_BF = np.empty((len(starts_B), states_NF.shape[1]), np.float32)
        if config.pooling == "max":
            return np.maximum.reduceat(states_NF, starts_B, out=pooled_BF)
        score = self._network.pooling.score
        assert score is not None
        attend(states_NF, starts_B, lengths_B, to_array(score.weight)[0], pooled_BF)
        return pooled_BF


class NumbaInt8Engine(NumbaEngine):
    """With recurrent products in int8, which is faster for wide layers."""

    precision, batch_size, layer = "int8", 64, Int8Layer
    cells = NUMBA_INT8_CELLS


class _Head:
    """From pooled states to logits: the head, the embedding skip and the n-gram linear model."""

    def __init__(self, network: SentimentClassifier) -> None:
        config, bigrams = network.config, network.bigrams
        weights_OF, self.bias_O = to_array(network.head.weight), to_array(network.head.bias)
        features = network.head.in_features - (config.embedding_dim if config.embedding_skip else 0)
        self._states_FO, skip_EO = weights_OF[:, :features].T, weights_OF[:, features:].T
        self._skip_VO = self._skip_PO = None
        if config.embedding_skip:
            self._skip_VO = to_array(network.embedding.weight) @ skip_EO
            if bigrams is not None:
                self._skip_PO = to_array(bigrams.vectors.weight) @ skip_EO
        self._bigram_buckets, self._ngram_linear = config.bigram_buckets, network.ngram_linear
        if (linear := network.ngram_linear) is not None:
            self._words_VX = to_array(
                torch.cat([linear.word_weights, linear.word_squared_scales], dim=1)
            )
            self._ngrams_PX = to_array(
                torch.cat([linear.ngram_weights, linear.ngram_squared_scales], dim=1)
            )
            self._fingerprints_P = linear.ngram_fingerprints.cpu().numpy()

    def logits(self, pooled_BF: Floats, texts: PackedBatch) -> Floats:
        """Logits of shape (B, O)."""
        logits_BO = pooled_BF @ self._states_FO + self.bias_O
        if self._skip_VO is not None:
            skip_NO = self._skip_VO[texts.ids_N]
            if self._skip_PO is not None:
                skip_NO += self._skip_PO[texts.bigram_rows(self._bigram_buckets)]
            logits_BO += texts.sums(skip_NO) / np.sqrt(texts.lengths_B[:, None], dtype=np.float32)
        if self._ngram_linear is not None:
            sums_BX = np.zeros((len(logits_BO), self._words_VX.shape[1]), np.float32)
            add_ngram_linear(
                texts.ids_N, texts.starts_B, texts.lengths_B,
                self._words_VX, self._ngrams_PX, self._fingerprints_P, sums_BX,
            )  # fmt: skip
            weights_BO, squared_scales_BO = np.split(sums_BX, 2, axis=1)
            logits_BO += weights_BO / np.sqrt(squared_scales_BO + np.float32(MIN_SQUARED_SCALE))
        return logits_BO
