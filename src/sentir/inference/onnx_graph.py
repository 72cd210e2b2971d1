"""The network as an ONNX graph, written node by node: what other runtimes compute.

Shapes: B batch, T time, E embedding, H hidden, D directions, F features (D x H), C classes,
O outputs (1 for two classes, else C), G gates of a cell stacked.

It says what `sentir.nn.classifier` says, in the operators of https://onnx.ai/onnx/operators/. The
recurrent operators take lengths of their own, so a batch needs no turning round and the last state
of each direction is an output. No exporter traces the network: none of its dropout, of its batch
size or of the number of its tokens can be frozen by accident.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sentir.bundle import Bundle
from sentir.data.batching import head_length
from sentir.errors import UsageError
from sentir.nn.bigrams import KEY_FOLD, PREVIOUS_MULTIPLIER, WORD_MULTIPLIER
from sentir.nn.cells import weights_of
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.ngram_linear import FIRST_MULTIPLIER, MAX_FINGERPRINT, MIN_SQUARED_SCALE
from sentir.nn.recurrent import RecurrentLayer
from sentir.nn.restore import restore_classifier
from sentir.text.tokenizer import PAD, UNK
from sentir.version import __version__

PRECISIONS = ("float32", "int8")
#: Of the inputs, outputs and metadata below.
FORMAT = 1
#: What runtimes of the last years read.
OPSET, IR_VERSION = 17, 8
#: A model is one protobuf message, which cannot be larger.
LARGEST_BYTES = 2**31 - 2**20
#: The largest weight in 8 bits.
LARGEST_INT8 = 63

#: For each cell its operator, and where PyTorch keeps the gates that ONNX wants in this order.
_CELLS = {"lstm": ("LSTM", (0, 3, 1, 2)), "gru": ("GRU", (1, 0, 2)), "rnn": ("RNN", (0,))}

Floats = npt.NDArray[np.float32]


def onnx_model(bundle: Bundle, precision: str = "float32") -> ModelProto:
    """The network with its weights, for any number of reviews of any length.

    Inputs are ``ids`` (B, T) int64, padded on the right with 0, and ``lengths`` (B,) int64, each at
    least 1. Outputs are ``probabilities`` (B, C) and ``logits`` (B, O), float32. What else an
    answer needs (class names, cleaning, the most tokens and how many of them are a longer review's
    first, the others being its last) stands as JSON in the model's metadata.

    Args:
        bundle: the model.
        precision: ``int8`` rounds the LSTM's weights to 8 bits with a scale a unit, and the numbers
            that meet them to 8 bits of the range they have in the batch at hand. Its answers
            therefore depend, a little, on the reviews that share the batch.

    Raises:
        UsageError: an unknown precision, int8 where the cell is no LSTM, or a model too large.
    """
    check_precision(precision)
    if precision == "int8" and bundle.config.model.cell != "lstm":
        raise UsageError(
            f"int8 is for the cell lstm, this model's is {bundle.config.model.cell}",
            todo="use float32",
        )
    if not fits_onnx(bundle):
        raise UsageError(
            f"the weights take more than the {LARGEST_BYTES:,} bytes that an ONNX model can hold",
            todo="train with a smaller --embedding-dim or --max-vocab-size",
        )
    model = restore_classifier(bundle)
    graph = _Graph()
    _network(graph, model, precision)
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sentir",
            [
                helper.make_tensor_value_info("ids", TensorProto.INT64, ["B", "T"]),
                helper.make_tensor_value_info("lengths", TensorProto.INT64, ["B"]),
            ],
            [
                helper.make_tensor_value_info(
                    "probabilities", TensorProto.FLOAT, ["B", model.classes]
                ),
                helper.make_tensor_value_info(
                    "logits", TensorProto.FLOAT, ["B", model.head.out_features]
                ),
            ],
            graph.weights,
        ),
        producer_name="sentir",
        producer_version=__version__,
        ir_version=IR_VERSION,
        opset_imports=[
            helper.make_opsetid("", OPSET),
            *([helper.make_opsetid("com.microsoft", 1)] if precision == "int8" else []),
        ],
    )
    told = {
        "format": FORMAT,
        "labels": bundle.labels.names,
        "max_length": bundle.config.text.max_length,
        "first_tokens": head_length(bundle.config.text.max_length),
        "pad": PAD,
        "unknown": UNK,
        "clean": bundle.tokenizer.steps,
        "precision": precision,
    }
    helper.set_model_props(
        made, {name: json.dumps(value, ensure_ascii=False) for name, value in told.items()}
    )
    return made


def check_precision(precision: str) -> None:
    """Accept one of `PRECISIONS`.

    Raises:
        UsageError: it is none of them.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"no precision {precision!r}", todo=f"take {' or '.join(PRECISIONS)}")


def fits_onnx(bundle: Bundle) -> bool:
    """Whether the weights fit into an ONNX model."""
    count = sum(weight.size for weight in bundle.weights.values())
    return 4 * count <= LARGEST_BYTES


class _Graph:
    """Nodes and weights as they gather; every value gets a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def __call__(
        self, operator: str, *inputs: str, name: str = "", outputs: int = 1, **settings: Any
    ) -> str:
        """Add a node; gives the name of its first output, the next are that with ``.1`` and on."""
        first = name or f"{operator}{len(self.nodes)}"
        names = [first, *(f"{first}.{at}" for at in range(1, outputs))]
        self.nodes.append(helper.make_node(operator, inputs, names, **settings))
        return first

    def weight(self, value: npt.ArrayLike, kind: npt.DTypeLike = np.float32) -> str:
        """Add a constant; gives its name."""
        name = f"weight{len(self.weights)}"
        array = np.ascontiguousarray(np.asarray(value, dtype=kind))
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def whole(self, *values: int) -> str:
        """Add a list of whole numbers, such as axes."""
        return self.weight(values, np.int64)


def _network(graph: _Graph, model: SentimentClassifier, precision: str) -> None:
    config = model.config
    ids_TB = graph("Transpose", "ids", perm=[1, 0])
    padding_mask_TB1 = _padding_mask(graph, ids_TB)
    length_B1 = graph("Unsqueeze", graph("Cast", "lengths", to=TensorProto.FLOAT), graph.whole(1))

    words_TBE = graph("Gather", graph.weight(_array(model.embedding.weight)), ids_TB)
    if model.bigrams is not None:
        rows_TB = _bigram_rows(graph, ids_TB, model.bigrams.buckets)
        pairs_TBE = graph("Gather", graph.weight(_array(model.bigrams.vectors.weight)), rows_TB)
        words_TBE = graph("Add", words_TBE, pairs_TBE)

    states_TBF, last_BF = words_TBE, ""
    lengths_B = graph("Cast", "lengths", to=TensorProto.INT32)
    for layer in model.layers:
        assert isinstance(layer, RecurrentLayer)
        states_TBF, last_BF = _recurrent(
            graph, layer, config.cell, states_TBF, lengths_B, precision
        )

    read = [_pooled(graph, model, states_TBF, last_BF, padding_mask_TB1, length_B1)]
    if config.embedding_skip:
        read.append(_scaled_sum(graph, words_TBE, padding_mask_TB1, length_B1))
    features_BF = graph("Concat", *read, axis=1) if len(read) > 1 else read[0]
    head = graph.weight(_array(model.head.weight)), graph.weight(_array(model.head.bias))
    learnt_BO = graph("Gemm", features_BF, *head, transB=1)
    terms_BO = _terms(graph, model, ids_TB)
    logits_BO = graph("Sum", learnt_BO, *terms_BO, name="logits")
    if model.classes == 2:
        shares = [graph("Sigmoid", graph("Neg", logits_BO)), graph("Sigmoid", logits_BO)]
        graph("Concat", *shares, axis=1, name="probabilities")
    else:
        graph("Softmax", logits_BO, axis=1, name="probabilities")


def _terms(graph: _Graph, model: SentimentClassifier, ids_TB: str) -> list[str]:
    """`sentir.nn.ngram_linear.Terms`, (B, O), if the network has such a part."""
    if model.ngram_linear is None:
        return []
    terms = model.ngram_linear
    marks_P = graph.weight(terms.ngram_fingerprints.cpu().numpy(), np.int32)
    word_TB = _once(graph, ids_TB)
    sums_BO = []
    for what in ("weights", "squared_scales"):
        words_VO = graph.weight(_array(getattr(terms, f"word_{what}")))
        sums_BO.append([_sum(graph, graph("Gather", words_VO, word_TB))])
    tables_PO = [
        graph.weight(_array(part)) for part in (terms.ngram_weights, terms.ngram_squared_scales)
    ]
    for key_TB in _ngrams(graph, ids_TB):
        once_TB = _once(graph, key_TB)
        row_TB = _row_of(graph, once_TB, terms.buckets)
        rest_TB = graph("Mod", once_TB, graph.weight(MAX_FINGERPRINT, np.int64))
        mark_TB = graph("Add", graph("Cast", rest_TB, to=TensorProto.INT32),
                        graph.weight(1, np.int32))  # fmt: skip
        owns_TB = graph(
            "And",
            graph("Equal", graph("Gather", marks_P, row_TB), mark_TB),
            graph("Greater", once_TB, graph.weight(0, np.int64)),
        )
        owns_TB1 = graph("Unsqueeze", owns_TB, graph.whole(2))
        for table_PO, gathered in zip(tables_PO, sums_BO, strict=True):
            found_TBO = graph("Gather", table_PO, row_TB)
            gathered.append(_sum(graph, graph("Where", owns_TB1, found_TBO, graph.weight(0.0))))
    weights_BO, squared_scales_BO = (graph("Sum", *gathered) for gathered in sums_BO)
    size_BO = graph("Sqrt", graph("Add", squared_scales_BO, graph.weight(MIN_SQUARED_SCALE)))
    return [graph("Div", weights_BO, size_BO)]


def _ngrams(graph: _Graph, ids_TB: str) -> Iterator[str]:
    """`sentir.nn.ngram_linear.ngrams`."""
    none = graph.weight(PAD, np.int64)
    key_TB, word_TB = graph("Mul", ids_TB, graph.weight(WORD_MULTIPLIER, np.int64)), ids_TB
    is_whole_TB = graph("Greater", ids_TB, none)
    for multiplier in (PREVIOUS_MULTIPLIER, FIRST_MULTIPLIER):
        word_TB = _one_later(graph, word_TB)
        is_whole_TB = graph("And", is_whole_TB, graph("Greater", word_TB, none))
        part_TB = graph("Mul", word_TB, graph.weight(multiplier, np.int64))
        key_TB = graph("Add", key_TB, part_TB)
        yield graph("Where", is_whole_TB, key_TB, graph.weight(0, np.int64))


def _once(graph: _Graph, key_TB: str) -> str:
    """`sentir.nn.ngram_linear.once`, in falling order."""
    longest = graph("Gather", graph("Shape", key_TB), graph.whole(0))
    sorted_TB = graph("TopK", key_TB, longest, axis=0, outputs=2)
    # A row of numbers that do not occur before the first.
    before_TB = graph("Pad", sorted_TB, graph.whole(1, 0, -1, 0), graph.weight(-1, np.int64))
    stood_TB = graph("Equal", sorted_TB, before_TB)
    return graph("Where", stood_TB, graph.weight(0, np.int64), sorted_TB)


def _one_later(graph: _Graph, ids_TB: str) -> str:
    """Each token's forerunner: a row of padding before the first, and the last token away."""
    return graph("Pad", ids_TB, graph.whole(1, 0, -1, 0), graph.weight(PAD, np.int64))


def _array(weight: Any) -> Floats:
    found: Floats = weight.detach().float().cpu().numpy()
    return found


def _padding_mask(graph: _Graph, ids_TB: str) -> str:
    """Where the batch holds padding, (T, B, 1)."""
    longest = graph("Gather", graph("Shape", ids_TB), graph.weight(0, np.int64))
    zero, one = graph.weight(0, np.int64), graph.weight(1, np.int64)
    at_T1 = graph("Unsqueeze", graph("Range", zero, longest, one), graph.whole(1))
    inside_TB = graph("Less", at_T1, "lengths")
    return graph("Unsqueeze", graph("Not", inside_TB), graph.whole(2))


def _bigram_rows(graph: _Graph, ids_TB: str, buckets: int) -> str:
    """`sentir.nn.bigrams.HashedBigrams.rows`."""
    pad, one = graph.weight(PAD, np.int64), graph.weight(1, np.int64)
    before_TB = _one_later(graph, ids_TB)
    mixed_TB = graph(
        "Add",
        graph("Mul", before_TB, graph.weight(PREVIOUS_MULTIPLIER, np.int64)),
        graph("Mul", ids_TB, graph.weight(WORD_MULTIPLIER, np.int64)),
    )
    row_TB = graph("Add", _row_of(graph, mixed_TB, buckets), one)
    alone_TB = graph("Or", graph("Equal", before_TB, pad), graph("Equal", ids_TB, pad))
    return graph("Where", alone_TB, graph.weight(0, np.int64), row_TB)


def _row_of(graph: _Graph, key_TB: str, rows: int) -> str:
    """`sentir.nn.bigrams.hash_bucket`; all numbers are positive, so Div rounds down."""
    folded_TB = graph("Add", key_TB, graph("Div", key_TB, graph.weight(KEY_FOLD, np.int64)))
    return graph("Mod", folded_TB, graph.weight(rows, np.int64))


def _recurrent(
    graph: _Graph,
    layer: RecurrentLayer,
    cell: str,
    x_TBE: str,
    lengths_B: str,
    precision: str,
) -> tuple[str, str]:
    """The states (T, B, F), and the last that each direction has read (B, F)."""
    operator, order = _CELLS[cell]
    both = [weights_of(one) for one in (layer.forward_rnn, layer.backward_rnn) if one is not None]

    def gates(part: int) -> Floats:
        """One of `Weights` for all directions, the gates in the order of ONNX."""
        stacked = [np.split(_array(weights[part]), len(order)) for weights in both]
        return np.stack([np.concatenate([one[gate] for gate in order]) for one in stacked])

    input_DGE, memory_DGH = gates(0), gates(1)
    bias = graph.weight(np.concatenate([gates(2), gates(3)], axis=1))
    settings: dict[str, Any] = {
        "hidden_size": memory_DGH.shape[2],
        "direction": "forward" if layer.backward_rnn is None else "bidirectional",
        "outputs": 2,
    }
    if precision == "int8":
        # https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
        input_8, input_scale, input_zero = _rounded(input_DGE)
        memory_8, memory_scale, memory_zero = _rounded(memory_DGH)
        inputs = [graph.weight(input_8, np.int8), graph.weight(memory_8, np.int8)]
        scales = [
            graph.weight(input_scale),
            graph.weight(input_zero, np.int8),
            graph.weight(memory_scale),
            graph.weight(memory_zero, np.int8),
        ]
        states = graph(
            "DynamicQuantizeLSTM", x_TBE, *inputs, bias, lengths_B, "", "", "", *scales,
            domain="com.microsoft", **settings,
        )  # fmt: skip
    else:
        if cell == "gru":
            settings["linear_before_reset"] = 1  # the form of PyTorch and cuDNN
        inputs = [graph.weight(input_DGE), graph.weight(memory_DGH)]
        states = graph(operator, x_TBE, *inputs, bias, lengths_B, **settings)
    states_TBDH = graph("Transpose", states, perm=[0, 2, 1, 3])
    last_BDH = graph("Transpose", f"{states}.1", perm=[1, 0, 2])
    return (
        graph("Reshape", states_TBDH, graph.whole(0, 0, -1)),
        graph("Reshape", last_BDH, graph.whole(0, -1)),
    )


def _rounded(weight_DGN: Floats) -> tuple[npt.NDArray[np.int8], Floats, npt.NDArray[np.int8]]:
    """Weights in 8 bits (D, N, G), their scale a column and their zero points (D, G).

    One bit is left unused: processors without VNNI add two products in 16 bits, which overflow with
    all of them (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
    """
    scale_DG = np.abs(weight_DGN).max(axis=2) / LARGEST_INT8
    scale_DG[scale_DG == 0] = 1
    rounded_DGN = np.rint(weight_DGN / scale_DG[:, :, None]).astype(np.int8)
    return rounded_DGN.transpose(0, 2, 1), scale_DG, np.zeros(scale_DG.shape, dtype=np.int8)


def _summed(graph: _Graph, x_TBE: str, padding_mask_TB1: str) -> str:
    """The sum over each text's tokens, (B, E)."""
    return _sum(graph, graph("Where", padding_mask_TB1, graph.weight(0.0), x_TBE))


def _sum(graph: _Graph, x_TBE: str) -> str:
    """The sum over all tokens, (B, E)."""
    return graph("ReduceSum", x_TBE, graph.whole(0), keepdims=0)


def _scaled_sum(graph: _Graph, x_TBE: str, padding_mask_TB1: str, length_B1: str) -> str:
    """`sentir.nn.ngram_linear.scaled_sum`, (B, E)."""
    return graph("Div", _summed(graph, x_TBE, padding_mask_TB1), graph("Sqrt", length_B1))


def _pooled(
    graph: _Graph,
    model: SentimentClassifier,
    states_TBF: str,
    last_BF: str,
    padding_mask_TB1: str,
    length_B1: str,
) -> str:
    """`sentir.nn.classifier.Pooling`, (B, F)."""
    kind = model.config.pooling
    if kind == "last":
        return last_BF
    if kind == "mean":
        return graph("Div", _summed(graph, states_TBF, padding_mask_TB1), length_B1)
    never = graph.weight(-np.inf)
    if kind == "max":
        inside_TBF = graph("Where", padding_mask_TB1, never, states_TBF)
        return graph("ReduceMax", inside_TBF, axes=[0], keepdims=0)
    assert model.pooling.score is not None
    query_F1 = graph.weight(_array(model.pooling.score.weight).T)
    score_TB1 = graph("MatMul", graph("Tanh", states_TBF), query_F1)
    share_TB1 = graph("Softmax", graph("Where", padding_mask_TB1, never, score_TB1), axis=0)
    # Padding has no share, and its states are made 0 in case a runtime leaves them undefined.
    return _summed(graph, graph("Mul", share_TB1, states_TBF), padding_mask_TB1)
