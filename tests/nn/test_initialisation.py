"""Initial weights: Sentir's, and PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fixtures.networks import CELLS
from sentir.config import ModelConfig
from sentir.nn.cells import MODULES, QrnnWeights, weights_of
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.recurrent import RecurrentLayer
from sentir.text.tokenizer import PAD

V = 30


@pytest.mark.parametrize("cell", CELLS)
def test_orthogonal_weights_and_an_open_forget_gate(cell: str) -> None:
    torch.manual_seed(0)
    config = ModelConfig(cell=cell, embedding_dim=5, hidden_size=4, num_layers=2)  # type: ignore[arg-type]
    model = SentimentClassifier(config, vocabulary=V, classes=2)
    assert not model.embedding.weight[PAD].any()
    assert model.embedding.weight[PAD + 1 :].any(dim=1).all()
    for layer in model.layers:
        assert isinstance(layer, RecurrentLayer)
        for direction in (layer.forward_rnn, layer.backward_rnn):
            assert direction is not None
            weights = weights_of(direction)
            bias_G = (
                weights.bias_G
                if isinstance(weights, QrnnWeights)
                else weights.input_bias_G + weights.hidden_bias_G
            )
            expected_G = torch.zeros_like(bias_G)
            if cell == "lstm":
                expected_G[4:8] = 1  # PyTorch stacks input, forget, candidate, output
            assert torch.equal(bias_G, expected_G)
            if isinstance(weights, QrnnWeights):  # it has no recurrent weights
                continue
            for gate_HH in weights.hidden_GH.split(4):
                torch.testing.assert_close(gate_HH @ gate_HH.T, torch.eye(4), atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_weights_as_pytorch_draws_them(cell: str) -> None:
    settings = {"cell": cell, "embedding_dim": 5, "hidden_size": 4, "initialisation": "pytorch"}
    config = ModelConfig(**settings, bidirectional=False)  # type: ignore[arg-type]
    torch.manual_seed(0)
    model = SentimentClassifier(config, vocabulary=V, classes=2)
    torch.manual_seed(0)
    embedding, layer = nn.Embedding(V, 5, padding_idx=PAD), MODULES[cell](5, 4)
    assert torch.equal(model.embedding.weight, embedding.weight)
    for ours, drawn in zip(model.layers[0].parameters(), layer.parameters(), strict=True):
        assert torch.equal(ours, drawn)


def test_word_vectors_are_small() -> None:
    torch.manual_seed(0)
    model = SentimentClassifier(ModelConfig(ngram_buckets=0), vocabulary=500, classes=2)
    assert float(model.embedding.weight[1:].std().detach()) == pytest.approx(0.1, rel=0.02)
