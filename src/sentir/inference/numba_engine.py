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

from sentir.bundle import Bundle
from sentir.data.batching import PaddedBatch
from sentir.errors import UsageError
from sentir.inference.cores import batch_workers
from sentir.inference.network import NetworkWeights, probabilities
from sentir.inference.numba_layer import Int8Layer, NumbaLayer
from sentir.inference.numba_qrnn import QrnnLayer
from sentir.inference.packed import PackedBatch
from sentir.nn.kernels.availability import NUMBA_CELLS, NUMBA_INT8_CELLS
from sentir.nn.kernels.ngram_linear import add_ngram_linear
from sentir.nn.kernels.primitives import Floats
from sentir.nn.kernels.rnn_inference import attend
from sentir.nn.ngrams import MIN_SQUARED_SCALE

#: The largest table of the words' products with the first layer's input weights. Above it, and
#: with bigrams, the product is computed for each token. With `base` 262,144 words fit.
MAX_TABLE_BYTES = 2**29


class NumbaEngine:
    """In float32, one core per batch; see `sentir.inference.engines.Engine`.

    Raises:
        UsageError: there is no kernel for the model's cell.
    """

    name, precision, batch_size, layer = "numba", "float32", 32, NumbaLayer
    pads = False
    cells: tuple[str, ...] = NUMBA_CELLS

    def __init__(self, bundle: Bundle) -> None:
        network = self._network = NetworkWeights.of(bundle)
        cell = network.config.cell
        if cell not in self.cells:
            cells = " or ".join(", ".join(self.cells).rsplit(", ", 1))
            raise UsageError(
                f"the engine numba in {self.precision} is for the cell {cells}, "
                f"this model's is {cell}",
                todo="take the engine onnx in float32",
            )
        self.workers = batch_workers()
        self._layers: list[NumbaLayer | QrnnLayer] = [
            QrnnLayer(directions)
            if cell == "qrnn"
            else self.layer(directions, cell, is_upper=index > 0)
            for index, directions in enumerate(network.layers)
        ]
        self._head = _Head(network)
        self._table_VDG: Floats | None = None
        first = self._layers[0]
        table_bytes = 4 * len(network.words_VE) * first.sums_per_row
        if network.bigrams_PE is None and table_bytes <= MAX_TABLE_BYTES:
            self._table_VDG = first.input_sums(network.words_VE)

    def probabilities(self, batch: PaddedBatch) -> npt.NDArray[np.float64]:
        """Probabilities of shape (B, C), rows summing to 1."""
        texts = PackedBatch.of(batch)
        pooled_BF = self._pooled(self._states(texts), texts)
        logits_BO = np.empty((len(texts.order_B), self._network.head_bias_O.size))
        logits_BO[texts.order_B] = self._head.logits(pooled_BF, texts)
        return probabilities(logits_BO)

    def _states(self, texts: PackedBatch) -> Floats:
        """The last layer's states at all tokens, (N, F)."""
        first, *upper = self._layers
        if self._table_VDG is None:
            states_NF = first.states_of_input(self._network.embed(texts), texts)
        else:
            states_NF = first.states(self._table_VDG, texts.ids_N, texts)
        for layer in upper:
            states_NF = layer.states_of_states(states_NF, texts)
        return states_NF

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
        assert self._network.query_F is not None
        attend(states_NF, starts_B, lengths_B, self._network.query_F, pooled_BF)
        return pooled_BF


class NumbaInt8Engine(NumbaEngine):
    """With recurrent products in int8, which is faster for wide layers."""

    precision, batch_size, layer = "int8", 64, Int8Layer
    cells = NUMBA_INT8_CELLS


class _Head:
    """From pooled states to logits: the head, the embedding skip and the n-gram linear model."""

    def __init__(self, network: NetworkWeights) -> None:
        config = network.config
        features = config.hidden_size * len(network.layers[-1])
        self._states_FO = network.head_OX[:, :features].T
        self._bias_O = network.head_bias_O
        self._skip_VO = self._skip_PO = None
        if config.embedding_skip:
            skip_EO = network.head_OX[:, features:].T
            self._skip_VO = network.words_VE @ skip_EO
            if network.bigrams_PE is not None:
                self._skip_PO = network.bigrams_PE @ skip_EO
        self._bigram_buckets, self._ngram_linear = config.bigram_buckets, network.ngram_linear
        if (tables := network.ngram_linear) is not None:
            self._words_VX = np.concatenate(
                [tables.word_weights_VO, tables.word_squared_scales_VO], axis=1
            )
            self._ngrams_PX = np.concatenate(
                [tables.ngram_weights_PO, tables.ngram_squared_scales_PO], axis=1
            )

    def logits(self, pooled_BF: Floats, texts: PackedBatch) -> Floats:
        """Logits of shape (B, O)."""
        logits_BO = pooled_BF @ self._states_FO + self._bias_O
        if self._skip_VO is not None:
            skip_NO = self._skip_VO[texts.ids_N]
            if self._skip_PO is not None:
                skip_NO += self._skip_PO[texts.bigram_rows(self._bigram_buckets)]
            logits_BO += texts.sums(skip_NO) / np.sqrt(texts.lengths_B[:, None], dtype=np.float32)
        if self._ngram_linear is not None:
            sums_BX = np.zeros((len(logits_BO), self._words_VX.shape[1]), np.float32)
            add_ngram_linear(
                texts.ids_N, texts.starts_B, texts.lengths_B,
                self._words_VX, self._ngrams_PX, self._ngram_linear.fingerprints_P,
                self._ngram_linear.displacements_M, sums_BX,
            )  # fmt: skip
            weights_BO, squared_scales_BO = np.split(sums_BX, 2, axis=1)
            logits_BO += weights_BO / np.sqrt(squared_scales_BO + np.float32(MIN_SQUARED_SCALE))
        return logits_BO
