"""Rows and keys of n-grams are the network's, bit for bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from fixtures.toy_bundle import WORDS, give_rows_owners
from sentir.inference import onnx_ngrams
from sentir.inference.network import NgramTables
from sentir.inference.onnx_builder import GraphBuilder
from sentir.nn import bigrams
from sentir.nn import ngram_linear as twin
from sentir.nn.ngram_linear import NgramLinear
from sentir.weights import NgramTableSize


def run(add: Callable[[GraphBuilder, str], str], ids_TB: np.ndarray) -> np.ndarray:
    """What the added nodes compute from the ids."""
    graph = GraphBuilder()
    output = add(graph, "ids")
    model = graph.model(
        [onnx.helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, ["T", "B"])],
        [onnx.ValueInfoProto(name=output)],
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    result: np.ndarray = session.run([output], {"ids": ids_TB})[0]
    return result


@pytest.fixture(name="ids_TB")
def random_ids() -> np.ndarray:
    """Ids as large as those of a large vocabulary, with padding between them."""
    ids_TB = np.random.default_rng(0).integers(0, 500_000, (50, 40))
    ids_TB[::7] = 0
    return ids_TB


@pytest.mark.parametrize("buckets", [2**17, 1000])
def test_bigrams_have_the_rows_of_the_network(ids_TB: np.ndarray, buckets: int) -> None:
    """A power of two is the hardest number of buckets: the low bits alone decide."""
    rows_TB = run(lambda graph, ids: onnx_ngrams.bigram_rows(graph, ids, buckets), ids_TB)
    expected_TB = bigrams.bigram_rows(torch.from_numpy(ids_TB), buckets).numpy()
    assert np.array_equal(rows_TB, expected_TB)
    assert len(np.unique(rows_TB)) > 500


@pytest.mark.parametrize("index", [0, 1], ids=["bigrams", "trigrams"])
def test_keys_are_those_of_the_network(ids_TB: np.ndarray, index: int) -> None:
    keys_TB = run(lambda graph, ids: list(onnx_ngrams.ngram_keys(graph, ids))[index], ids_TB)
    expected_TB = list(twin.ngram_keys(torch.from_numpy(ids_TB)))[index].numpy()
    assert np.array_equal(keys_TB, expected_TB)
    assert (keys_TB > 0).any()


def test_repeated_keys_count_once() -> None:
    ids_TB = np.array([[5, 2], [7, 2], [5, 0], [0, 2], [7, 3]])
    kept_TB = run(onnx_ngrams.without_repeats, ids_TB)
    expected_TB = twin.without_repeats(torch.from_numpy(ids_TB)).numpy()
    assert np.array_equal(np.sort(kept_TB, axis=0), np.sort(expected_TB, axis=0))
    assert np.sort(kept_TB, axis=0).T.tolist() == [[0, 0, 0, 5, 7], [0, 0, 0, 2, 3]]


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("displacements", [1, 9])
def test_the_linear_model_has_the_outputs_of_the_network(outputs: int, displacements: int) -> None:
    torch.manual_seed(0)
    vocabulary = len(WORDS) + 2
    model = NgramLinear(vocabulary, outputs, NgramTableSize(70, displacements))
    for name, weight in model.state_dict().items():
        if weight.is_floating_point():
            weight.uniform_(0.1, 1) if name.endswith("scales") else weight.normal_()
    give_rows_owners(model, vocabulary)
    ids_BT = np.random.default_rng(0).integers(1, vocabulary, (6, 12))
    lengths_B = np.array([12, 1, 2, 3, 7, 12])
    ids_BT[np.arange(12) >= lengths_B[:, None]] = 0
    tables = NgramTables(
        *(
            model.get_buffer(name).numpy()
            for name in ("word_weights", "word_squared_scales", "ngram_weights",
                         "ngram_squared_scales", "ngram_fingerprints", "ngram_displacements")
        )
    )  # fmt: skip
    outputs_BO = run(lambda graph, ids: onnx_ngrams.ngram_linear(graph, tables, ids), ids_BT.T)
    expected_BO = model(torch.from_numpy(ids_BT.T), torch.from_numpy(lengths_B)).numpy()
    np.testing.assert_allclose(outputs_BO, expected_BO, rtol=1e-5, atol=1e-6)
    assert expected_BO.std() > 0.1
