"""The ONNX graph computes what the network computes."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from fixtures.networks import CELLS, MAKES, by_name
from fixtures.toy_bundle import WORDS, toy
from sentir.data.batching import pad, pad_arrays
from sentir.errors import UsageError
from sentir.inference import onnx_graph
from sentir.inference.onnx_graph import onnx_model
from sentir.nn.restore import restore_classifier

# Both in float32; sums and sigmoids are taken in other orders.
TOLERANCE = 1e-5
MAKES = [
    *MAKES,
    *({"cell": cell, "pooling": "attention", "bidirectional": both, "num_layers": 2,
       "embedding_skip": skip, "bigram_buckets": 50}
      for cell in CELLS for both in (False, True) for skip in (False, True)),
    {"cell": "lstm", "pooling": "attention", "bidirectional": True, "num_layers": 1,
     "embedding_skip": True, "bigram_buckets": 50, "ngram_buckets": 70},
]  # fmt: skip
V = len(WORDS) + 2


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def batch(lengths: list[int], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Random reviews padded on the right to `width` tokens."""
    random = np.random.default_rng(sum(lengths))
    ids_BT = np.zeros((len(lengths), width), dtype=np.int64)
    for row, length in enumerate(lengths):
        ids_BT[row, :length] = random.integers(1, V, length)
    return ids_BT, np.array(lengths)


@pytest.mark.parametrize("make", MAKES, ids=lambda make: f"{by_name(make)}-{make.get('bigrams')}")
@pytest.mark.parametrize("classes", [2, 3])
def test_equal_to_the_network(make: dict[str, Any], classes: int) -> None:
    bundle = toy(classes=classes, **make)
    model = onnx_model(bundle)
    onnx.checker.check_model(model, full_check=True)
    runtime = session(model)
    for lengths, width in (([1], 1), ([3], 3), ([1, 9, 4], 9), ([7, 1, 20, 2, 33], 40), ([5], 16)):
        ids_BT, lengths_B = batch(lengths, width)
        with torch.inference_mode():
            logits_BO = restore_classifier(bundle)(
                torch.from_numpy(ids_BT), torch.from_numpy(lengths_B)
            )
            expected_BC = restore_classifier(bundle).probabilities(logits_BO)
        inputs = {"ids": ids_BT, "lengths": lengths_B}
        probabilities_BC, actual_BO = runtime.run(["probabilities", "logits"], inputs)
        assert probabilities_BC.shape == (len(lengths), classes)
        np.testing.assert_allclose(probabilities_BC, expected_BC.numpy(), rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(actual_BO, logits_BO.numpy(), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("make", MAKES[-2:], ids=by_name)
def test_float16_rounds_the_tables_and_nothing_else(make: dict[str, Any]) -> None:
    bundle = toy(**make)
    rounded = dict(bundle.weights)
    for name in rounded:
        if re.search(r"embedding|vectors|_weights|squared_scales", name):
            rounded[name] = rounded[name].astype(np.float16).astype(np.float32)
    ids_BT, lengths_B = batch([4, 1, 12], 12)
    inputs = {"ids": ids_BT, "lengths": lengths_B}
    model = onnx_model(bundle, "float16")
    onnx.checker.check_model(model, full_check=True)
    actual_BC = session(model).run(["probabilities"], inputs)[0]
    expected = onnx_model(dataclasses.replace(bundle, weights=rounded))
    np.testing.assert_array_equal(actual_BC, session(expected).run(["probabilities"], inputs)[0])


@pytest.mark.parametrize("make", MAKES[-6:], ids=by_name)
def test_padding_changes_nothing(make: dict[str, Any]) -> None:
    runtime = session(onnx_model(toy(**make)))
    ids_BT, lengths_B = batch([4, 1, 12], 12)
    narrow_BC = runtime.run(["probabilities"], {"ids": ids_BT, "lengths": lengths_B})[0]
    wide_BT = np.pad(ids_BT, ((0, 0), (0, 21)))
    wide_BC = runtime.run(["probabilities"], {"ids": wide_BT, "lengths": lengths_B})[0]
    np.testing.assert_allclose(wide_BC, narrow_BC, rtol=0, atol=TOLERANCE)
    assert narrow_BC[:, 0].std() > 1e-3
    for row, length in enumerate(lengths_B):
        alone = {"ids": ids_BT[row : row + 1, :length], "lengths": lengths_B[row : row + 1]}
        alone_1C = runtime.run(["probabilities"], alone)[0]
        np.testing.assert_allclose(alone_1C[0], narrow_BC[row], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("make", [make for make in MAKES if make["cell"] == "lstm"], ids=by_name)
def test_int8_is_quantised_and_near_to_float32(make: dict[str, Any]) -> None:
    bundle = toy(**make)
    model = onnx_model(bundle, "int8")
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("DynamicQuantizeLSTM") == make["num_layers"]
    assert "LSTM" not in operators
    runtime, exact = session(model), session(onnx_model(bundle))
    for lengths in ([1], [17], [5, 30, 2]):
        ids_BT, lengths_B = batch(lengths, max(lengths))
        inputs = {"ids": ids_BT, "lengths": lengths_B}
        actual_BC, expected_BC = (
            model.run(["probabilities"], inputs)[0] for model in (runtime, exact)
        )
        np.testing.assert_allclose(actual_BC, expected_BC, rtol=0, atol=0.06)


def test_int8_is_for_the_lstm() -> None:
    with pytest.raises(UsageError, match="int8 is for the cell lstm, this model's is gru"):
        onnx_model(toy(cell="gru"), "int8")


def test_a_model_too_large_for_onnx_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_graph, "MAX_BYTES", 1000)
    with pytest.raises(UsageError, match="more than the 1,000 bytes"):
        onnx_model(toy())


def test_the_metadata_hold_what_else_is_needed() -> None:
    bundle = toy(classes=3)
    runtime = session(onnx_model(bundle))
    metadata = {
        name: json.loads(value)
        for name, value in runtime.get_modelmeta().custom_metadata_map.items()
    }
    assert tuple(metadata["labels"]) == bundle.labels.names
    assert (metadata["max_length"], metadata["first_tokens"]) == (40, 10)
    assert (metadata["pad"], metadata["unknown"]) == (0, 1)
    assert metadata["clean"] == list(bundle.tokenizer.steps)
    assert (metadata["format"], metadata["precision"]) == (1, "float32")


def test_padded_batches_are_valid_inputs() -> None:
    """The ids and lengths of `pad_arrays`."""
    bundle = toy()
    reviews: list[list[int]] = [[2, 3], [], [4] * 60]
    arrays, padded = pad_arrays(reviews, 40), pad(reviews, 40)
    inputs = {"ids": arrays.ids_BT, "lengths": arrays.lengths_B}
    probabilities_BC = session(onnx_model(bundle)).run(["probabilities"], inputs)[0]
    with torch.inference_mode():
        logits_BO = restore_classifier(bundle)(padded.ids_BT, padded.lengths_B)
    expected_BC = restore_classifier(bundle).probabilities(logits_BO).numpy()
    np.testing.assert_allclose(probabilities_BC, expected_BC, rtol=0, atol=TOLERANCE)
