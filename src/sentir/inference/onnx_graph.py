"""The network as an ONNX graph, which other runtimes compute.

Shapes: B batch, T time, E embedding, H hidden, D directions, F features (D x H), C classes, O
outputs (1 for two classes, else C), G gates of a cell stacked, X any number of columns.

The graph is `sentir.nn.classifier` in ONNX's operators. The recurrent ones take the lengths of the
texts, so a batch need not be reversed, and each direction's last state is an output. The network is
not traced by an exporter, so neither its dropout nor the size of an example batch can become part
of the graph by accident.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper

from sentir.bundle import Bundle
from sentir.data.batching import head_length
from sentir.errors import UsageError
from sentir.inference.int8_product import MAX_INT8_WEIGHT
from sentir.inference.network import NetworkWeights, QrnnWeights, RnnWeights, Weights
from sentir.inference.onnx_builder import MICROSOFT, GraphBuilder
from sentir.inference.onnx_ngrams import bigram_rows, ngram_linear
from sentir.text.tokenizer import PAD, UNK

PRECISIONS = ("float32", "int8")
#: An exported model may store its tables in float16: half the size, computed in float32.
EXPORT_PRECISIONS = (*PRECISIONS, "float16")
#: Version of the inputs, outputs and metadata.
FORMAT = 1
#: A model is one protobuf message, which cannot be larger than 2 GiB.
MAX_BYTES = 2**31 - 2**20

#: The operator of each cell, and which of PyTorch's gates it takes first, second, ...; a QRNN is an
#: LSTM without recurrent weights, see `_as_lstm`.
_CELLS = {
    "lstm": ("LSTM", (0, 3, 1, 2)),
    "qrnn": ("LSTM", (0, 3, 1, 2)),
    "gru": ("GRU", (1, 0, 2)),
    "rnn": ("RNN", (0,)),
}


def onnx_model(bundle: Bundle, precision: str = "float32") -> ModelProto:
    """The network with its weights, for any number of texts of any length.

    Inputs: ``ids`` (B, T) int64, padded on the right with 0; ``lengths`` (B,) int64, at least 1.
    Outputs: ``probabilities`` (B, C) and ``logits`` (B, O), float32.

    The metadata hold as JSON what else is needed: class names, cleaning steps, the maximum length,
    and how many of a longer text's tokens are its first ones (the others are its last).

    Args:
        bundle: the model.
        precision: float32; or int8, which rounds the LSTM's weights to 8 bits with a scale per
            sum, and what they are multiplied with to 8 bits of its range in the batch. Answers in
            int8 therefore depend a little on the other texts of the batch. float16 stores the
            vectors of words and the weights of n-grams, which are most of a model, in 16 bits.

    Raises:
        UsageError: an unknown precision, int8 of another cell than the LSTM, or a model too large.
    """
    check_precision(precision, EXPORT_PRECISIONS)
    if precision == "int8" and bundle.config.model.cell != "lstm":
        raise UsageError(
            f"int8 is for the cell lstm, this model's is {bundle.config.model.cell}",
            todo="use float32",
        )
    if not fits_onnx(bundle):
        raise UsageError(
            f"the weights take more than the {MAX_BYTES:,} bytes that an ONNX model can hold",
            todo="train with a smaller --embedding-dim or --max-vocab-size",
        )
    network = NetworkWeights.of(bundle)
    graph = GraphBuilder(np.float16 if precision == "float16" else np.float32)
    _add_network(graph, network, precision)
    value = helper.make_tensor_value_info
    inputs = [
        value("ids", TensorProto.INT64, ["B", "T"]),
        value("lengths", TensorProto.INT64, ["B"]),
    ]
    outputs = [
        value("probabilities", TensorProto.FLOAT, ["B", network.classes]),
        value("logits", TensorProto.FLOAT, ["B", len(network.head_bias_O)]),
    ]
    model = graph.model(inputs, outputs)
    metadata = {
        "format": FORMAT,
        "labels": bundle.labels.names,
        # What the probabilities are multiplied with before the largest is taken, or whether the
        # median is named instead.
        "decision_weights": bundle.decision.weights if bundle.decision else None,
        "decision_is_median": bundle.decision is not None and bundle.decision.is_median,
        "max_length": bundle.config.text.max_length,
        "first_tokens": head_length(bundle.config.text.max_length),
        "pad": PAD,
        "unknown": UNK,
        "clean": bundle.tokenizer.steps,
        "precision": precision,
    }
    helper.set_model_props(
        model, {name: json.dumps(value, ensure_ascii=False) for name, value in metadata.items()}
    )
    return model


def check_precision(precision: str, allowed: tuple[str, ...] = PRECISIONS) -> None:
    """Accept one of those allowed.

    Raises:
        UsageError: it is none of them.
    """
    if precision not in allowed:
        raise UsageError(f"no precision {precision!r}", todo=f"take {' or '.join(allowed)}")


def fits_onnx(bundle: Bundle) -> bool:
    """Whether the weights fit into an ONNX model."""
    count = sum(weight.size for weight in bundle.weights.values())
    return 4 * count <= MAX_BYTES


def _add_network(graph: GraphBuilder, network: NetworkWeights, precision: str) -> None:
    config = network.config
    ids_TB = graph("Transpose", "ids", perm=[1, 0])
    padding_mask_TB1 = _padding_mask(graph, ids_TB)
    lengths_B1 = graph(
        "Unsqueeze", graph("Cast", "lengths", to=TensorProto.FLOAT), graph.integers(1)
    )

    vectors_TBE = graph.rows(graph.table(network.words_VE), ids_TB)
    if network.bigrams_PE is not None:
        rows_TB = bigram_rows(graph, ids_TB, config.bigram_buckets)
        bigrams_TBE = graph.rows(graph.table(network.bigrams_PE), rows_TB)
        vectors_TBE = graph("Add", vectors_TBE, bigrams_TBE)

    states_TBF, last_BF = vectors_TBE, ""
    lengths_B = graph("Cast", "lengths", to=TensorProto.INT32)
    for directions in network.layers:
        if config.cell == "qrnn":
            states_TBF = _with_neighbours(graph, states_TBF, padding_mask_TB1)
            directions = tuple(
                _as_lstm(weights, is_backward=index == 1)
                for index, weights in enumerate(directions)
            )
        states_TBF, last_BF = _recurrent(
            graph, directions, config.cell, states_TBF, lengths_B, precision
        )

    features = [_pooled(graph, network, states_TBF, last_BF, padding_mask_TB1, lengths_B1)]
    if config.embedding_skip:
        features.append(_scaled_sum(graph, vectors_TBE, padding_mask_TB1, lengths_B1))
    features_BF = graph("Concat", *features, axis=1) if len(features) > 1 else features[0]
    head = graph.constant(network.head_OX), graph.constant(network.head_bias_O)
    parts_BO = [graph("Gemm", features_BF, *head, transB=1)]
    if network.ngram_linear is not None:
        parts_BO.append(ngram_linear(graph, network.ngram_linear, ids_TB))
    logits_BO = graph("Sum", *parts_BO, name="logits")
    if network.classes == 2:
        both_B1 = [graph("Sigmoid", graph("Neg", logits_BO)), graph("Sigmoid", logits_BO)]
        graph("Concat", *both_B1, axis=1, name="probabilities")
    else:
        graph("Softmax", logits_BO, axis=1, name="probabilities")


def _padding_mask(graph: GraphBuilder, ids_TB: str) -> str:
    """True for padding, (T, B, 1)."""
    length = graph("Gather", graph("Shape", ids_TB), graph.constant(0, np.int64))
    zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    times_T1 = graph("Unsqueeze", graph("Range", zero, length, one), graph.integers(1))
    is_token_TB = graph("Less", times_T1, "lengths")
    return graph("Unsqueeze", graph("Not", is_token_TB), graph.integers(2))


def _with_neighbours(graph: GraphBuilder, x_TBE: str, padding_mask_TB1: str) -> str:
    """At each token the one before it, itself, and the one after it, (T, B, 3 E); 0 for padding."""
    x_TBE = graph("Where", padding_mask_TB1, graph.constant(0.0), x_TBE)
    before_TBE, after_TBE = (
        graph("Pad", x_TBE, graph.integers(step, 0, 0, -step, 0, 0)) for step in (1, -1)
    )
    return graph("Concat", before_TBE, x_TBE, after_TBE, axis=2)


def _as_lstm(weights: QrnnWeights, *, is_backward: bool) -> RnnWeights:
    """The LSTM that computes what a QRNN does, if it shows its cell state without a tanh.

    It has no recurrent weights, reads what `_with_neighbours` gives, and its input gate, with the
    forget gate's weights negated, is 1 minus that: so no loop need be written in the graph.
    """
    parts = [weights.previous_GE, weights.input_GE, np.zeros_like(weights.input_GE)]
    input_GX = np.concatenate(parts[::-1] if is_backward else parts, axis=1)

    def stacked(gates: Weights) -> Weights:
        """The gates in PyTorch's order."""
        forget, candidate, output = np.split(gates, 3)
        return np.concatenate([-forget, forget, candidate, output])

    bias = stacked(weights.bias_G)
    hidden_GH = np.zeros((len(bias), len(bias) // 4), bias.dtype)
    return RnnWeights(stacked(input_GX), hidden_GH, bias, np.zeros_like(bias))


def _recurrent(
    graph: GraphBuilder,
    directions: tuple[RnnWeights, ...],
    cell: str,
    x_TBE: str,
    lengths_B: str,
    precision: str,
) -> tuple[str, str]:
    """The states (T, B, F), and each direction's state after its last token (B, F)."""
    operator, order = _CELLS[cell]

    def stacked(index: int) -> Weights:
        """One of the fields of `RnnWeights` for all directions, the gates in ONNX's order."""
        gates = [np.split(weights[index], len(order)) for weights in directions]
        return np.stack([np.concatenate([split[gate] for gate in order]) for split in gates])

    input_DGE, hidden_DGH = stacked(0), stacked(1)
    bias = graph.constant(np.concatenate([stacked(2), stacked(3)], axis=1))
    attributes: dict[str, Any] = {
        "hidden_size": hidden_DGH.shape[2],
        "direction": "forward" if len(directions) == 1 else "bidirectional",
        "outputs": 2,
    }
    if precision == "int8":
        # https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
        weights, scales = [], []
        for weights_DGX in (input_DGE, hidden_DGH):
            int8_DXG, scale_DG, zero_point_DG = _quantize(weights_DGX)
            weights.append(graph.constant(int8_DXG, np.int8))
            scales += [graph.constant(scale_DG), graph.constant(zero_point_DG, np.int8)]
        states = graph(
            "DynamicQuantizeLSTM", x_TBE, *weights, bias, lengths_B, "", "", "", *scales,
            domain=MICROSOFT, **attributes,
        )  # fmt: skip
    else:
        if cell == "gru":
            attributes["linear_before_reset"] = 1  # as in PyTorch and cuDNN
        if cell == "qrnn":  # Affine is 1 times the cell state plus 0
            attributes["activations"] = ["Sigmoid", "Tanh", "Affine"] * len(directions)
            attributes["activation_alpha"] = [1.0] * len(directions)
            attributes["activation_beta"] = [0.0] * len(directions)
        weights = [graph.constant(input_DGE), graph.constant(hidden_DGH)]
        states = graph(operator, x_TBE, *weights, bias, lengths_B, **attributes)
    states_TBDH = graph("Transpose", states, perm=[0, 2, 1, 3])
    last_BDH = graph("Transpose", f"{states}.1", perm=[1, 0, 2])
    return (
        graph("Reshape", states_TBDH, graph.integers(0, 0, -1)),
        graph("Reshape", last_BDH, graph.integers(0, -1)),
    )


def _quantize(weights_DGX: Weights) -> tuple[npt.NDArray[np.int8], Weights, npt.NDArray[np.int8]]:
    """Weights in int8 (D, X, G), and the scale and the zero point of each row (D, G)."""
    scale_DG = np.abs(weights_DGX).max(axis=2) / MAX_INT8_WEIGHT
    scale_DG[scale_DG == 0] = 1
    int8_DGX = np.rint(weights_DGX / scale_DG[:, :, None]).astype(np.int8)
    return int8_DGX.transpose(0, 2, 1), scale_DG, np.zeros(scale_DG.shape, dtype=np.int8)


def _sum(graph: GraphBuilder, x_TBE: str, padding_mask_TB1: str) -> str:
    """The sum over each text's tokens, (B, E)."""
    return graph.sum_over_time(graph("Where", padding_mask_TB1, graph.constant(0.0), x_TBE))


def _scaled_sum(graph: GraphBuilder, x_TBE: str, padding_mask_TB1: str, lengths_B1: str) -> str:
    """The sum over each text's tokens, divided by the root of their number, (B, E)."""
    return graph("Div", _sum(graph, x_TBE, padding_mask_TB1), graph("Sqrt", lengths_B1))


def _pooled(
    graph: GraphBuilder,
    network: NetworkWeights,
    states_TBF: str,
    last_BF: str,
    padding_mask_TB1: str,
    lengths_B1: str,
) -> str:
    """`sentir.nn.pooling.Pooling`, (B, F)."""
    pooling = network.config.pooling
    if pooling == "last":
        return last_BF
    if pooling == "mean":
        return graph("Div", _sum(graph, states_TBF, padding_mask_TB1), lengths_B1)
    minus_infinity = graph.constant(-np.inf)
    if pooling == "max":
        masked_TBF = graph("Where", padding_mask_TB1, minus_infinity, states_TBF)
        return graph("ReduceMax", masked_TBF, axes=[0], keepdims=0)
    assert network.query_F is not None
    query_F1 = graph.constant(network.query_F[:, None])
    scores_TB1 = graph("MatMul", graph("Tanh", states_TBF), query_F1)
    masked_TB1 = graph("Where", padding_mask_TB1, minus_infinity, scores_TB1)
    weights_TB1 = graph("Softmax", masked_TB1, axis=0)
    # The weight of padding is 0; its states become 0 too, as a runtime may leave them undefined.
    return _sum(graph, graph("Mul", weights_TB1, states_TBF), padding_mask_TB1)
