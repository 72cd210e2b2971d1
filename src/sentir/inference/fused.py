"""The network in few passes over memory, for LSTMs narrow enough to stay in a core's cache.

Shapes: V vocabulary, E embedding, B texts, T time, N tokens of a batch, one text after the other
and the longest first, D directions, H hidden units, K these rounded up to whole tiles, G gates
(4 K), F features (D x K), P rows of pairs and triples, O outputs, X two numbers an output.

What a single word adds is worked out once for every word of the vocabulary: to the first layer's
gates (its input product, biases and all) and to the outputs by way of the skip. All of it is exact.
What is left for each token is the memory's product and the gates, which
`sentir.inference.lstm_kernel` computes, and the linear part's sums (`terms_kernel`); padding is
never touched.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import Module

from sentir.bundle import Bundle
from sentir.data.batches import Batch
from sentir.errors import UsageError
from sentir.inference.lstm_kernel import ROWS, UNITS, WIDTH, Floats, Ints, attend, lstm
from sentir.inference.terms_kernel import add_terms
from sentir.nn.bigrams import hashed_pairs
from sentir.nn.cells import weights_of
from sentir.nn.classifier import RecurrentLayer, SentimentClassifier
from sentir.nn.terms import LEAST_SQUARE

#: The largest table of what words add to the gates; beyond it, and where pairs add to the words'
#: vectors, the product is taken for each token. Of `base` 262,144 words fit.
LARGEST_TABLE_BYTES = 2**29
#: In PyTorch's order of gates; see `lstm_kernel.lstm`.
HALVED = np.array([0.5, 0.5, 1, 0.5], dtype=np.float32)


class FusedEngine:
    """One core a batch; see `sentir.inference.engine.Engine`.

    Raises:
        UsageError: the cell is no LSTM.
    """

    name, batch = "fused", 32

    def __init__(self, bundle: Bundle) -> None:
        model = self._network = bundle.model
        if model.config.cell != "lstm":
            raise UsageError(
                f"fused is for the cell lstm, this model's is {model.config.cell}", todo="take onnx"
            )
        self.workers = torch.get_num_threads()
        self._layers = [_Layer(layer) for layer in model.layers]
        self._outputs = _Outputs(model)
        self._words_VE = _array(model.embedding.weight)
        self._table_VDG: Floats | None = None
        first = self._layers[0]
        size = 4 * len(self._words_VE) * first.bias_DG.size
        if model.bigrams is None and size <= LARGEST_TABLE_BYTES:
            self._table_VDG = first.inputs(self._words_VE)

    def probabilities(self, batch: Batch) -> npt.NDArray[np.float64]:
        """Probabilities of shape (B, C), rows summing to 1."""
        texts = _Texts.of(batch)
        pooled_BF = self._pooled(self._states(texts), texts)
        logits_BO = np.empty((len(texts.order_B), self._outputs.bias_O.size))
        logits_BO[texts.order_B] = self._outputs.logits(pooled_BF, texts)
        found_BC: npt.NDArray[np.float64] = self._network.probabilities(
            torch.from_numpy(logits_BO)
        ).numpy()
        return found_BC

    def _states(self, texts: _Texts) -> Floats:
        """What the last layer says at each token, (N, F)."""
        first, *others = self._layers
        if self._table_VDG is None:
            states_NF = first.states_of(self._embedded(texts), texts)
        else:
            states_NF = first.states(self._table_VDG, texts.ids_N, texts)
        for layer in others:
            states_NF = layer.states_of(states_NF, texts)
        return states_NF

    def _embedded(self, texts: _Texts) -> Floats:
        words_NE = self._words_VE[texts.ids_N]
        bigrams = self._network.bigrams
        if bigrams is not None:
            words_NE += _array(bigrams.vectors.weight)[texts.pair_rows(bigrams.buckets)]
        return words_NE

    def _pooled(self, states_NF: Floats, texts: _Texts) -> Floats:
        """`sentir.nn.classifier.Pooling`, (B, F)."""
        config, starts_B, lengths_B = self._network.config, texts.starts_B, texts.lengths_B
        if config.pooling == "last":
            last_BF: Floats = states_NF[starts_B + lengths_B - 1]
            last_BF[:, config.hidden :] = states_NF[starts_B, config.hidden :]
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
        attend(states_NF, starts_B, lengths_B, _array(score.weight)[0], pooled_BF)
        return pooled_BF


class _Texts(NamedTuple):
    """A batch without its padding; `order_B` says where each text stood in it."""

    order_B: Ints
    sorted_BT: Tensor
    inside_BT: npt.NDArray[np.bool_]
    ids_N: Ints
    starts_B: Ints
    lengths_B: Ints

    @classmethod
    def of(cls, batch: Batch) -> _Texts:
        lengths_B = batch.lengths_B.numpy()
        order_B = np.argsort(-lengths_B, kind="stable")
        lengths_B, sorted_BT = lengths_B[order_B], batch.ids_BT[torch.from_numpy(order_B)]
        inside_BT = np.arange(sorted_BT.shape[1]) < lengths_B[:, None]
        starts_B = np.cumsum(lengths_B) - lengths_B
        return cls(order_B, sorted_BT, inside_BT, sorted_BT.numpy()[inside_BT], starts_B, lengths_B)

    def pair_rows(self, buckets: int) -> Ints:
        """The row of each token's pair; see `sentir.nn.bigrams`."""
        found: Ints = hashed_pairs(self.sorted_BT.T, buckets).T.numpy()[self.inside_BT]
        return found

    def sums(self, values_NO: Floats) -> Floats:
        """The sum over each text's tokens, (B, O)."""
        found: Floats = np.add.reduceat(values_NO, self.starts_B)
        return found


class _Layer:
    """A recurrent layer, its weights as the kernel wants them: halved, filled up, in tiles."""

    def __init__(self, layer: Module) -> None:
        assert isinstance(layer, RecurrentLayer)
        both = [weights_of(one) for one in (layer.ahead, layer.back) if one is not None]
        self.hidden = layer.ahead.hidden_size
        self.units = -(-self.hidden // UNITS) * UNITS
        # As one matrix for both directions, so that one product serves them.
        self._input_EX = np.concatenate([self._gates(one.input_GE) for one in both]).T
        biases = [(one.input_bias_G + one.hidden_bias_G)[:, None] for one in both]
        self.bias_DG = np.stack([self._gates(bias_G1)[:, 0] for bias_G1 in biases])
        self._memory_DIJW = np.stack([self._tiles(self._gates(one.hidden_GH)) for one in both])

    def _gates(self, weight_HX: Tensor) -> Floats:
        """All gates' weights, tile by tile, with units that stay zero to fill up; (G, X)."""
        weight_4HX = _array(weight_HX).reshape(4, self.hidden, -1)
        filled_4KX = np.zeros((4, self.units, weight_4HX.shape[2]), np.float32)
        filled_4KX[:, : self.hidden] = weight_4HX * HALVED[:, None, None]
        tiles_4IUX = filled_4KX.reshape(4, -1, UNITS, filled_4KX.shape[2])
        return tiles_4IUX.swapaxes(0, 1).reshape(4 * self.units, -1)

    def _tiles(self, memory_GH: Floats) -> Floats:
        """The memory's weights as the kernel goes through them, (I, J, W)."""
        filled_KG = np.zeros((self.units, 4 * self.units), np.float32)
        filled_KG[: self.hidden] = memory_GH.T
        tiles_KIG = filled_KG.reshape(self.units, -1, WIDTH)
        return tiles_KIG.swapaxes(0, 1).reshape(self.units // UNITS, -1, ROWS * WIDTH)

    def inputs(self, read_NE: Floats) -> Floats:
        """What the gates get from what is read, (N, D, G)."""
        found_NX: Floats = read_NE @ self._input_EX
        found_NX += self.bias_DG.reshape(-1)
        return found_NX.reshape(-1, *self.bias_DG.shape)

    def states_of(self, read_NE: Floats, texts: _Texts) -> Floats:
        """The states at all tokens, (N, F), given what is read at each."""
        return self.states(self.inputs(read_NE), np.arange(len(read_NE)), texts)

    def states(self, inputs_RDG: Floats, rows_N: Ints, texts: _Texts) -> Floats:
        """The states at all tokens, (N, F), given the row of what the gates get at each."""
        states_NDK = np.empty((len(rows_N), len(self.bias_DG), self.units), np.float32)
        lstm(inputs_RDG, rows_N, texts.starts_B, texts.lengths_B, self._memory_DIJW, states_NDK)
        return states_NDK[:, :, : self.hidden].reshape(len(rows_N), -1)


class _Outputs:
    """The head and the linear part; of each word what it adds to them, (V, O)."""

    def __init__(self, model: SentimentClassifier) -> None:
        head_OF, self.bias_O = _array(model.head.weight), _array(model.head.bias)
        features = model.head.in_features - (model.config.embedding if model.config.skip else 0)
        self._states_FO, skip_EO = head_OF[:, :features].T, head_OF[:, features:].T
        self._skip_VO = self._skip_PO = None
        if model.config.skip:
            self._skip_VO = _array(model.embedding.weight) @ skip_EO
            if model.bigrams is not None:
                self._skip_PO = _array(model.bigrams.vectors.weight) @ skip_EO
        self._buckets, self._terms = model.config.bigrams, model.terms
        if (terms := model.terms) is not None:
            self._terms_VX = _array(torch.cat([terms.word_weights, terms.word_squares], dim=1))
            self._terms_PX = _array(torch.cat([terms.ngram_weights, terms.ngram_squares], dim=1))
            self._marks_P = terms.ngram_marks.cpu().numpy()

    def logits(self, pooled_BF: Floats, texts: _Texts) -> Floats:
        """Logits of shape (B, O)."""
        logits_BO = pooled_BF @ self._states_FO + self.bias_O
        if self._skip_VO is not None:
            skip_NO = self._skip_VO[texts.ids_N]
            if self._skip_PO is not None:
                skip_NO += self._skip_PO[texts.pair_rows(self._buckets)]
            logits_BO += texts.sums(skip_NO) / np.sqrt(texts.lengths_B[:, None], dtype=np.float32)
        if self._terms is not None:
            sums_BX = np.zeros((len(logits_BO), self._terms_VX.shape[1]), np.float32)
            add_terms(
                texts.ids_N, texts.starts_B, texts.lengths_B,
                self._terms_VX, self._terms_PX, self._marks_P, sums_BX,
            )  # fmt: skip
            weights_BO, squares_BO = np.split(sums_BX, 2, axis=1)
            logits_BO += weights_BO / np.sqrt(squares_BO + np.float32(LEAST_SQUARE))
        return logits_BO


def _array(weight: Tensor) -> Floats:
    found: Floats = weight.detach().float().cpu().numpy()
    return found
