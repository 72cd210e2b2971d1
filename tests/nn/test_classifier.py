from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fixtures.networks import CELLS, MAKES, by_name
from fixtures.toy_bundle import own_rows
from sentir.config import ModelConfig
from sentir.data.batching import pad
from sentir.nn.cells import MODULES, weights_of
from sentir.nn.classifier import (
    Pooling,
    RecurrentLayer,
    SentimentClassifier,
    reversal_index,
    reverse_padded,
)
from sentir.nn.dropout import Dropout
from sentir.nn.ngram_linear import scaled_sum
from sentir.text.tokenizer import PAD

# A batch and a single review differ in the order of some sums, in float64.
TOLERANCE = 1e-12
V = 30
PLAIN = {"cell": "lstm", "pooling": "max", "embedding_dim": 5, "hidden_size": 4, "embedding_skip": False,
         "ngram_buckets": 0, "embedding_dropout": 0.0, "head_dropout": 0.2}  # fmt: skip


def network(*, classes: int = 2, **settings: Any) -> SentimentClassifier:
    """In float64, with weights that hide nothing: no bias is zero, nor is padding's vector."""
    torch.manual_seed(0)
    config = ModelConfig(**{**PLAIN, **settings})
    model = SentimentClassifier(config, vocabulary=V, classes=classes).double().eval()
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            if weight.is_floating_point():
                weight += 0.3 * torch.randn_like(weight)
            if name.endswith("squared_scales"):
                weight.abs_()
        if model.ngram_linear is not None:
            own_rows(model.ngram_linear, V)
    return model


def reviews(lengths: list[int]) -> list[list[int]]:
    torch.manual_seed(1)
    return [torch.randint(1, V, (length,)).tolist() for length in lengths]


def answer_alone(model: SentimentClassifier, review: list[int]) -> Tensor:
    """The answer to one review without any padding."""
    logits_BO: Tensor = model(torch.tensor([review]), torch.tensor([len(review)]))
    return logits_BO[0]


@pytest.mark.parametrize("make", MAKES, ids=by_name)
def test_padding_never_changes_an_answer(make: dict[str, Any]) -> None:
    model = network(classes=3, **make)
    texts = reviews([1, 5, 16, 30, 17])
    batch = pad(texts, 200)
    assert batch.ids_BT.shape == (5, 32)
    with torch.no_grad():
        together = model(batch.ids_BT, batch.lengths_B)
        alone = torch.stack([answer_alone(model, text) for text in texts])
        torch.testing.assert_close(together, alone, rtol=0, atol=TOLERANCE)
        assert alone.std(dim=0).min() > 1e-3

        behind = torch.arange(32) >= batch.lengths_B[:, None]
        filled = torch.where(behind, torch.randint(0, V, (5, 32)), batch.ids_BT)
        torch.testing.assert_close(model(filled, batch.lengths_B), together, rtol=0, atol=TOLERANCE)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    more=st.integers(0, 20),
    make=st.sampled_from(MAKES),
)
def test_padding_of_any_size_changes_nothing(
    lengths: list[int], more: int, make: dict[str, Any]
) -> None:
    model = network(**make)
    texts = reviews(lengths)
    batch = pad(texts, 40)
    wider = torch.nn.functional.pad(batch.ids_BT, (0, more), value=PAD)
    with torch.no_grad():
        together = model(wider, batch.lengths_B)
        alone = torch.stack([answer_alone(model, text) for text in texts])
    torch.testing.assert_close(together, alone, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("make", MAKES, ids=by_name)
def test_every_weight_learns(make: dict[str, Any]) -> None:
    model = network(classes=3, **make).train()
    batch = pad(reviews([3, 9, 20]), 200)
    model.loss(model(batch.ids_BT, batch.lengths_B), torch.tensor([0, 1, 2])).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 1e-9, name
        assert weight.grad.isfinite().all(), name
    assert model.embedding.weight.grad is not None
    assert not model.embedding.weight.grad[PAD].any()


@pytest.mark.parametrize("cell", CELLS)
def test_two_directions_are_those_of_torch(cell: str) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer(cell, 5, 4, bidirectional=True).double()
    whole = MODULES[cell](5, 4, bidirectional=True).double()
    assert layer.backward_rnn is not None
    with torch.no_grad():
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            for direction, suffix in ((layer.forward_rnn, ""), (layer.backward_rnn, "_reverse")):
                weight = direction.get_parameter(name)
                weight.normal_()
                whole.get_parameter(name + suffix).copy_(weight)
    x_TBE = torch.randn(11, 1, 5, dtype=torch.float64)
    states_TBF = layer(x_TBE, reversal_index(torch.tensor([11]), 11))
    torch.testing.assert_close(states_TBF, whole(x_TBE)[0], rtol=0, atol=TOLERANCE)


def test_turning_is_within_the_length_and_twice_is_nothing() -> None:
    lengths_B = torch.tensor([1, 3, 5])
    reversal_index_TB = reversal_index(lengths_B, 5)
    assert reversal_index_TB.T.tolist() == [[0, 1, 2, 3, 4], [2, 1, 0, 3, 4], [4, 3, 2, 1, 0]]
    x_TBE = torch.randn(5, 3, 2)
    back_TBE = reverse_padded(x_TBE, reversal_index_TB)
    assert torch.equal(back_TBE[0, 1], x_TBE[2, 1])
    assert torch.equal(back_TBE[4, 1], x_TBE[4, 1])
    assert torch.equal(reverse_padded(back_TBE, reversal_index_TB), x_TBE)


def test_poolings_by_hand() -> None:
    states_TBF = torch.arange(24, dtype=torch.float64).reshape(4, 2, 3).sin()
    lengths_B = torch.tensor([2, 4])
    texts = [states_TBF[:2, 0], states_TBF[:4, 1]]

    def pooled(kind: str) -> Tensor:
        torch.manual_seed(0)
        pooling = Pooling(kind, 3, bidirectional=False).double()
        result: Tensor = pooling(states_TBF, lengths_B)
        if kind == "attention":
            assert pooling.score is not None
            query = pooling.score.weight[0]
            weights = [(text.tanh() @ query).softmax(dim=0) for text in texts]
            wanted = [w @ text for w, text in zip(weights, texts, strict=True)]
            torch.testing.assert_close(result, torch.stack(wanted))
        return result

    pooled("attention")
    assert torch.equal(pooled("last"), torch.stack([text[-1] for text in texts]))
    assert torch.equal(pooled("max"), torch.stack([text.amax(0) for text in texts]))
    torch.testing.assert_close(pooled("mean"), torch.stack([text.mean(0) for text in texts]))


def test_skip_reads_the_embedded_words_past_the_recurrent_layers() -> None:
    model = network(embedding_skip=True)
    (review,) = reviews([9])
    words_TBE = model.embedded(torch.tensor([review]).T)
    expected_BE = words_TBE[:, 0].sum(dim=0)[None] / 3
    torch.testing.assert_close(scaled_sum(words_TBE, torch.tensor([9])), expected_BE)
    with torch.no_grad():
        model.head.weight[:, : -model.config.embedding_dim] = 0  # deaf to the recurrent layers
        answer = answer_alone(model, review)
        by_hand = model.head.weight[0, -model.config.embedding_dim :] @ expected_BE[0]
    torch.testing.assert_close(answer[0], by_hand + model.head.bias[0])


def test_last_is_the_last_token_each_direction_has_read() -> None:
    states_TBF = torch.randn(6, 2, 4)
    last_BF = Pooling("last", 2, bidirectional=True)(states_TBF, torch.tensor([3, 6]))
    assert torch.equal(last_BF[0], torch.cat([states_TBF[2, 0, :2], states_TBF[0, 0, 2:]]))
    assert torch.equal(last_BF[1], torch.cat([states_TBF[5, 1, :2], states_TBF[0, 1, 2:]]))


def test_loss_and_probabilities_of_two_classes_by_hand() -> None:
    model = network()
    logits_BO = torch.tensor([[0.3], [-1.2], [2.0]], dtype=torch.float64)
    positive = [1 / (1 + math.exp(-logit)) for logit in (0.3, -1.2, 2.0)]
    wanted = -(math.log(positive[0]) + math.log(1 - positive[1]) + math.log(positive[2])) / 3
    assert model.loss(logits_BO, torch.tensor([1, 0, 1])).item() == pytest.approx(wanted)
    shares_BC = model.probabilities(logits_BO)
    assert shares_BC[:, 1].tolist() == pytest.approx(positive)
    assert shares_BC.sum(dim=1).tolist() == pytest.approx([1, 1, 1])


def test_loss_and_probabilities_of_three_classes_by_hand() -> None:
    model = network(classes=3)
    logits_BO = torch.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]], dtype=torch.float64)
    sums = [math.e + math.e**2 + math.e**0.5, 2 + math.e**3]
    wanted = -(math.log(math.e**2 / sums[0]) + math.log(1 / sums[1])) / 2
    assert model.loss(logits_BO, torch.tensor([1, 0])).item() == pytest.approx(wanted)
    shares_BC = model.probabilities(logits_BO)
    assert shares_BC[0].tolist() == pytest.approx([math.e**x / sums[0] for x in (1, 2, 0.5)])
    assert shares_BC.sum(dim=1).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_loss_of_probable_classes_is_that_of_each_as_often(classes: int, weighed: bool) -> None:
    model = network(classes=classes)
    if weighed:
        model.set_class_weights(torch.arange(1.0, classes + 1))
    logits_BO = torch.randn(4, model.head.out_features)
    shares_BC = torch.rand(4, classes).softmax(dim=1)
    each_CB = torch.stack([
        torch.stack([model.loss(logits_BO[row : row + 1], torch.tensor([at])) for row in range(4)])
        for at in range(classes)
    ])  # fmt: skip
    wanted = (shares_BC.T * each_CB).sum() / 4
    torch.testing.assert_close(model.loss(logits_BO, shares_BC), wanted)


def test_probabilities_hold_for_extreme_logits() -> None:
    shares_BC = network().probabilities(torch.tensor([[-800.0], [800.0]]))
    assert shares_BC.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("cell", CELLS)
def test_weights_at_the_start(cell: str) -> None:
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
            bias_G = weights.input_bias_G + weights.hidden_bias_G
            wanted_G = torch.zeros_like(bias_G)
            if cell == "lstm":
                wanted_G[4:8] = 1  # torch stacks input, forget, candidate, output
            assert torch.equal(bias_G, wanted_G)
            for gate_HH in weights.hidden_GH.split(4):
                torch.testing.assert_close(gate_HH @ gate_HH.T, torch.eye(4), atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_weights_that_begin_as_pytorch_draws_them(cell: str) -> None:
    settings = {"cell": cell, "embedding_dim": 5, "hidden_size": 4, "initialisation": "pytorch"}
    config = ModelConfig(**settings, bidirectional=False)  # type: ignore[arg-type]
    torch.manual_seed(0)
    model = SentimentClassifier(config, vocabulary=V, classes=2)
    torch.manual_seed(0)
    embedding, layer = nn.Embedding(V, 5, padding_idx=PAD), MODULES[cell](5, 4)
    assert torch.equal(model.embedding.weight, embedding.weight)
    for ours, drawn in zip(model.layers[0].parameters(), layer.parameters(), strict=True):
        assert torch.equal(ours, drawn)


def test_a_frozen_embedding_stays_and_the_rest_learns() -> None:
    model = network(freeze_embedding=True).train()
    batch = pad(reviews([4, 7]), 200)
    model.loss(model(batch.ids_BT, batch.lengths_B), torch.tensor([0, 1])).backward()
    assert model.embedding.weight.grad is None
    assert all(w.grad is not None for w in model.parameters() if w is not model.embedding.weight)


def test_dropout_acts_in_training_only() -> None:
    model = network(num_layers=2, embedding_dropout=0.5, dropout=0.5, head_dropout=0.5)
    assert sum(isinstance(part, Dropout) for part in model.modules()) == 3
    batch = pad(reviews([9, 12]), 200)
    answers = [model(batch.ids_BT, batch.lengths_B) for _ in range(2)]
    assert torch.equal(*answers)
    model.train()
    answers = [model(batch.ids_BT, batch.lengths_B) for _ in range(2)]
    assert not torch.equal(*answers)
