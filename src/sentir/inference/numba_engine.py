"""The network in few passes over memory, in float32 for layers narrow enough for a core's cache.

Shapes: V vocabulary, E embedding, B texts, T time, N tokens of a batch, one text after the other
and the longest first, D directions, H hidden units, K these rounded up to whole tiles, G sums
(4 K), F features (D x K), P rows of pairs and triples, O outputs, X two numbers an output.

What a single word adds is worked out once for every word of the vocabulary: to the first layer's
gates (its input product, biases and all) and to the outputs by way of the skip. All of it is exact.
What is left for each token is the memory's product and the gates (`fused_layer`) and the linear
part's sums (`terms_kernel`); padding is never touched.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from sentir.bundle import Bundle
from sentir.data.batching import Batch
from sentir.errors import UsageError
from sentir.inference.numba_layer import Layer, QuantizedLayer, array
from sentir.inference.packed import PackedBatch
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.kernels.availability import NUMBA_CELLS, NUMBA_INT8_CELLS
from sentir.nn.kernels.ngram_linear import add_ngram_linear
from sentir.nn.kernels.primitives import Floats
from sentir.nn.kernels.rnn_inference import attend
from sentir.nn.ngram_linear import MIN_SQUARED_SCALE
from sentir.nn.restore import restore_classifier

#: The largest table of what words add to the gates; beyond it, and where pairs add to the words'
#: vectors, the product is taken for each token. Of `base` 262,144 words fit.
LARGEST_TABLE_BYTES = 2**29


class NumbaEngine:
    """In float32, one core a batch; see `sentir.inference.engines.Engine`.

    Raises:
        UsageError: it has no kernel for the cell.
    """

    name, precision, batch_size, layer = "numba", "float32", 32, Layer
    cells: tuple[str, ...] = NUMBA_CELLS

    def __init__(self, bundle: Bundle) -> None:
        model = self._network = restore_classifier(bundle)
        cell = model.config.cell
        if cell not in self.cells:
            raise UsageError(
                f"the engine numba in {self.precision} is for the cell {' or '.join(self.cells)}, "
                f"this model's is {cell}",
                todo="take the engine onnx in float32",
            )
        self.workers = torch.get_num_threads()
        self._layers = [
            self.layer(layer, cell, above=at > 0) for at, layer in enumerate(model.layers)
        ]
        self._outputs = _Outputs(model)
        self._words_VE = array(model.embedding.weight)
        self._table_VDG: Floats | None = None
        first = self._layers[0]
        size = 4 * len(self._words_VE) * first.bias_DG.size
        if model.bigrams is None and size <= LARGEST_TABLE_BYTES:
            self._table_VDG = first.inputs(self._words_VE)

    def probabilities(self, batch: Batch) -> npt.NDArray[np.float64]:
        """Probabilities of shape (B, C), rows summing to 1."""
        texts = PackedBatch.of(batch)
        pooled_BF = self._pooled(self._states(texts), texts)
        logits_BO = np.empty((len(texts.order_B), self._outputs.bias_O.size))
        logits_BO[texts.order_B] = self._outputs.logits(pooled_BF, texts)
        found_BC: npt.NDArray[np.float64] = self._network.probabilities(
            torch.from_numpy(logits_BO)
        ).numpy()
        return found_BC

    def _states(self, texts: PackedBatch) -> Floats:
        """What the last layer says at each token, (N, F)."""
        first, *others = self._layers
        if self._table_VDG is None:
            states_NF = first.states_of(self._embedded(texts), texts)
        else:
            states_NF = first.states(self._table_VDG, texts.ids_N, texts)
        for layer in others:
            states_NF = layer.states_above(states_NF, texts)
        return states_NF

    def _embedded(self, texts: PackedBatch) -> Floats:
        words_NE = self._words_VE[texts.ids_N]
        bigrams = self._network.bigrams
        if bigrams is not None:
            words_NE += array(bigrams.vectors.weight)[texts.pair_rows(bigrams.buckets)]
        return words_NE

    def _pooled(self, states_NF: Floats, texts: PackedBatch) -> Floats:
        """`sentir.nn.classifier.Pooling`, (B, F)."""
        config, starts_B, lengths_B = self._network.config, texts.starts_B, texts.lengths_B
        if config.pooling == "last":
            last_BF: Floats = states_NF[starts_B + lengths_B - 1]
            last_BF[:, config.hidden_size :] = states_NF[starts_B, config.hidden_size :]
            return last_BF
        if config.pooling == "mean":
            total_BF = texts.sums(states_NF)
            total_BF /= lengths_B[:, None]
            return total_BF
        pooled_BF = np.empty((len(starts_B), states_NF.shape[1]), np.float32)
        if config.pooling == "max":
            return np.maximum.reduceat(states_NF, starts_B, out=pooled_BF)
        score = self._network.pooling.score
        assert score is not None
        attend(states_NF, starts_B, lengths_B, array(score.weight)[0], pooled_BF)
        return pooled_BF


class NumbaInt8Engine(NumbaEngine):
    """The same with states that meet the layers' weights in 8 bits, for large products."""

    precision, batch_size, layer = "int8", 64, QuantizedLayer
    cells = NUMBA_INT8_CELLS


class _Outputs:
    """The head and the linear part; of each word what it adds to them, (V, O)."""

    def __init__(self, model: SentimentClassifier) -> None:
        head_OF, self.bias_O = array(model.head.weight), array(model.head.bias)
        features = model.head.in_features - (
            model.config.embedding_dim if model.config.embedding_skip else 0
        )
        self._states_FO, skip_EO = head_OF[:, :features].T, head_OF[:, features:].T
        self._skip_VO = self._skip_PO = None
        if model.config.embedding_skip:
            self._skip_VO = array(model.embedding.weight) @ skip_EO
            if model.bigrams is not None:
                self._skip_PO = array(model.bigrams.vectors.weight) @ skip_EO
        self._buckets, self._terms = model.config.bigram_buckets, model.ngram_linear
        if (terms := model.ngram_linear) is not None:
            self._terms_VX = array(
                torch.cat([terms.word_weights, terms.word_squared_scales], dim=1)
            )
            self._terms_PX = array(
                torch.cat([terms.ngram_weights, terms.ngram_squared_scales], dim=1)
            )
            self._marks_P = terms.ngram_fingerprints.cpu().numpy()

    def logits(self, pooled_BF: Floats, texts: PackedBatch) -> Floats:
        """Logits of shape (B, O)."""
        logits_BO = pooled_BF @ self._states_FO + self.bias_O
        if self._skip_VO is not None:
            skip_NO = self._skip_VO[texts.ids_N]
            if self._skip_PO is not None:
                skip_NO += self._skip_PO[texts.pair_rows(self._buckets)]
            logits_BO += texts.sums(skip_NO) / np.sqrt(texts.lengths_B[:, None], dtype=np.float32)
        if self._terms is not None:
            sums_BX = np.zeros((len(logits_BO), self._terms_VX.shape[1]), np.float32)
            add_ngram_linear(
                texts.ids_N, texts.starts_B, texts.lengths_B,
                self._terms_VX, self._terms_PX, self._marks_P, sums_BX,
            )  # fmt: skip
            weights_BO, squared_scales_BO = np.split(sums_BX, 2, axis=1)
            logits_BO += weights_BO / np.sqrt(squared_scales_BO + np.float32(MIN_SQUARED_SCALE))
        return logits_BO
