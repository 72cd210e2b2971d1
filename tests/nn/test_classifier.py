"""Padding never changes a classifier's answer, and losses and probabilities are those by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fixtures.networks import MAKES, by_name
from fixtures.toy_bundle import give_rows_owners
from sentir.config import ModelConfig
from sentir.data.batching import pad
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.dropout import Dropout
from sentir.nn.padding import scaled_sum
from sentir.text.tokenizer import PAD

# A batch and a single review differ in the order of some sums, in float64.
TOLERANCE = 1e-12
V = 30
PLAIN = {"cell": "lstm", "pooling": "max", "embedding_dim": 5, "hidden_size": 4,
         "embedding_skip": False, "ngram_buckets": 0, "embedding_dropout": 0.0,
         "head_dropout": 0.2}  # fmt: skip


def network(*, classes: int = 2, **settings: Any) -> SentimentClassifier:
    """In float64, with no weight zero, not even the biases and the vector of padding."""
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
            give_rows_owners(model.ngram_linear, V)
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

        is_padding = torch.arange(32) >= batch.lengths_B[:, None]
        filled = torch.where(is_padding, torch.randint(0, V, (5, 32)), batch.ids_BT)
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


def test_the_skip_connection_reads_the_word_vectors() -> None:
    model = network(embedding_skip=True)
    (review,) = reviews([9])
    words_TBE = model.embed(torch.tensor([review]).T)
    expected_BE = words_TBE[:, 0].sum(dim=0)[None] / 3
    torch.testing.assert_close(scaled_sum(words_TBE, torch.tensor([9])), expected_BE)
    with torch.no_grad():
        # The head ignores the recurrent layers.
        model.head.weight[:, : -model.config.embedding_dim] = 0
        answer = answer_alone(model, review)
        by_hand = model.head.weight[0, -model.config.embedding_dim :] @ expected_BE[0]
    torch.testing.assert_close(answer[0], by_hand + model.head.bias[0])


def test_loss_and_probabilities_of_two_classes_by_hand() -> None:
    model = network()
    logits_BO = torch.tensor([[0.3], [-1.2], [2.0]], dtype=torch.float64)
    positive = [1 / (1 + math.exp(-logit)) for logit in (0.3, -1.2, 2.0)]
    expected = -(math.log(positive[0]) + math.log(1 - positive[1]) + math.log(positive[2])) / 3
    assert model.loss(logits_BO, torch.tensor([1, 0, 1])).item() == pytest.approx(expected)
    probabilities_BC = model.probabilities(logits_BO)
    assert probabilities_BC[:, 1].tolist() == pytest.approx(positive)
    assert probabilities_BC.sum(dim=1).tolist() == pytest.approx([1, 1, 1])


def test_loss_and_probabilities_of_three_classes_by_hand() -> None:
    model = network(classes=3)
    logits_BO = torch.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]], dtype=torch.float64)
    sums = [math.e + math.e**2 + math.e**0.5, 2 + math.e**3]
    expected = -(math.log(math.e**2 / sums[0]) + math.log(1 / sums[1])) / 2
    assert model.loss(logits_BO, torch.tensor([1, 0])).item() == pytest.approx(expected)
    probabilities_BC = model.probabilities(logits_BO)
    assert probabilities_BC[0].tolist() == pytest.approx([math.e**x / sums[0] for x in (1, 2, 0.5)])
    assert probabilities_BC.sum(dim=1).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_loss_of_probabilities_is_the_weighted_mean(classes: int, is_weighted: bool) -> None:
    model = network(classes=classes)
    if is_weighted:
        model.set_class_weights(torch.arange(1.0, classes + 1))
    logits_BO = torch.randn(4, model.head.out_features)
    probabilities_BC = torch.rand(4, classes).softmax(dim=1)
    losses_CB = torch.stack(
        [
            torch.stack([model.loss(row_O[None], torch.tensor([index])) for row_O in logits_BO])
            for index in range(classes)
        ]
    )
    expected = (probabilities_BC.T * losses_CB).sum() / 4
    torch.testing.assert_close(model.loss(logits_BO, probabilities_BC), expected)


def test_probabilities_hold_for_extreme_logits() -> None:
    probabilities_BC = network().probabilities(torch.tensor([[-800.0], [800.0]]))
    assert probabilities_BC.tolist() == [[1, 0], [0, 1]]


def test_a_frozen_embedding_is_not_trained() -> None:
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


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_qrnn_computes_the_same_from_words_as_from_tokens(
    layers: int, dtype: torch.dtype
) -> None:
    dropouts = dict.fromkeys(("embedding_dropout", "head_dropout", "dropout"), 0.0)
    model = network(
        cell="qrnn", pooling="attention", num_layers=layers, embedding_skip=True,
        embedding_skip_dropout=0.0, **dropouts,
    ).train().to(dtype)  # fmt: skip
    batch = pad(reviews([3, 9, 20]), 200)
    results = []
    for way in ("words", "tokens"):
        model.zero_grad()
        logits_BO = (
            model(batch.ids_BT, batch.lengths_B)
            if way == "words"
            else model.forward_embedded(model.embed(batch.ids_BT.T), batch.ids_BT, batch.lengths_B)
        )
        model.loss(logits_BO, torch.tensor([0, 1, 1])).backward()
        results.append([logits_BO.detach(), *(weight.grad for weight in model.parameters())])
    for ours, theirs in zip(*results, strict=True):
        assert ours is not None
        tolerance = TOLERANCE if dtype == torch.float64 else 2e-6
        torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


def test_tokens_of_a_word_share_their_dropout_in_a_qrnn() -> None:
    model = network(cell="qrnn", embedding_dropout=0.5).train()
    seen: list[Tensor] = []
    model.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(torch.tensor([[4, 7, 4], [7, 4, 9]]), torch.tensor([3, 3]))
    (words_TBE,) = seen
    assert torch.equal(words_TBE[0, 0], words_TBE[2, 0])
    assert torch.equal(words_TBE[0, 0], words_TBE[1, 1])
    assert not torch.equal(words_TBE[0, 0] == 0, words_TBE[1, 0] == 0)
