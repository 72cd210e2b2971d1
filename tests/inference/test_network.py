"""The weights of a bundle as arrays are those of PyTorch's network, and probabilities its own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from fixtures.toy_bundle import toy
from sentir.errors import BundleError
from sentir.inference.network import NetworkWeights, probabilities
from sentir.nn.cells import weights_of
from sentir.nn.recurrent import RecurrentLayer
from sentir.nn.restore import restore_classifier

WHOLE = {"cell": "gru", "num_layers": 2, "bidirectional": True, "pooling": "attention",
         "embedding_skip": True, "bigram_buckets": 20, "ngram_buckets": 30}  # fmt: skip


@pytest.mark.parametrize("classes", [2, 3])
def test_every_weight_of_the_network_is_there(classes: int) -> None:
    bundle = toy(classes=classes, **WHOLE)
    weights, network = NetworkWeights.of(bundle), restore_classifier(bundle)
    assert weights.classes == classes
    assert network.bigrams is not None
    assert network.pooling.score is not None
    assert weights.query_F is not None
    for actual, expected in (
        (weights.words_VE, network.embedding.weight),
        (weights.bigrams_PE, network.bigrams.vectors.weight),
        (weights.query_F[None], network.pooling.score.weight),
        (weights.head_OX, network.head.weight),
        (weights.head_bias_O, network.head.bias),
    ):
        assert np.array_equal(actual, expected.detach().numpy())
    for directions, layer in zip(weights.layers, network.layers, strict=True):
        assert isinstance(layer, RecurrentLayer)
        rnns = [layer.forward_rnn, layer.backward_rnn]
        for arrays, rnn in zip(directions, rnns, strict=True):
            assert rnn is not None
            for actual, expected in zip(arrays, weights_of(rnn), strict=True):
                assert np.array_equal(actual, expected.detach().numpy())
    assert network.ngram_linear is not None
    assert weights.ngram_linear is not None
    buffers = dict(network.ngram_linear.named_buffers())
    for name, actual in weights.ngram_linear._asdict().items():
        part = name.rpartition("_")[0]
        expected = buffers.get(part, buffers.get(f"ngram_{part}"))
        assert expected is not None
        assert np.array_equal(actual, expected.numpy())


def test_nothing_is_copied() -> None:
    bundle = toy()
    assert NetworkWeights.of(bundle).words_VE is bundle.weights["embedding.weight"]


def test_parts_that_a_network_does_not_have_are_none() -> None:
    weights = NetworkWeights.of(toy(bidirectional=False))
    assert weights.bigrams_PE is weights.query_F is weights.ngram_linear is None
    assert [len(directions) for directions in weights.layers] == [1]


def test_weights_of_another_network_are_refused() -> None:
    bundle, wide = toy(), toy(hidden_size=6)
    with pytest.raises(BundleError, match=r"forward_rnn.weight_ih_l0 is \(20, 6\), and the .* ask"):
        NetworkWeights.of(dataclasses.replace(wide, weights=bundle.weights))
    weights = {name: array for name, array in bundle.weights.items() if name != "head.bias"}
    with pytest.raises(BundleError, match=r"model: head.bias is absent, and .*; train again"):
        NetworkWeights.of(dataclasses.replace(bundle, weights=weights))


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_the_network(classes: int) -> None:
    network = restore_classifier(toy(classes=classes))
    outputs = 1 if classes == 2 else classes
    logits_BO = np.random.default_rng(0).normal(scale=20, size=(500, outputs)).astype(np.float32)
    logits_BO[:4] = np.array([0, 1e4, -1e4, 37])[:, None]
    expected_BC = network.probabilities(torch.from_numpy(logits_BO).double()).numpy()
    actual_BC = probabilities(logits_BO)
    assert actual_BC.dtype == np.float64
    np.testing.assert_allclose(actual_BC, expected_BC, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(actual_BC.sum(axis=1), 1, rtol=0, atol=1e-15)
