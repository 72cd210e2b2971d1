"""Vectors of bigrams."""

from __future__ import annotations

import math

import pytest
import torch

from sentir.config import ModelConfig
from sentir.nn.bigrams import bigram_rows, previous_words
from sentir.nn.classifier import SentimentClassifier
from sentir.text.tokenizer import PAD


@pytest.mark.parametrize("buckets", [50_000, 65_536, 100_000, 131_072])
def test_frequent_words_spread_over_the_rows(buckets: int) -> None:
    """Bigrams of the 300 first words fill nearly as many rows as if drawn at random.

    A multiplier of 1,000,003, with 100,000 rows, would give them 1,200.
    """
    ids = torch.arange(2, 302)
    pairs_TB = torch.cartesian_prod(ids, ids).T
    used = bigram_rows(pairs_TB, buckets)[1].unique().numel()
    assert used > 0.75 * buckets * (1 - math.exp(-pairs_TB.shape[1] / buckets))


def test_there_is_no_bigram_at_the_start_and_in_padding() -> None:
    rows_TB = bigram_rows(torch.tensor([[5, 7], [6, 0], [0, 0]]), 100)
    assert rows_TB[0].tolist() == [0, 0]
    assert rows_TB[1, 0] > 0
    assert rows_TB[1, 1] == 0
    assert rows_TB[2].tolist() == [0, 0]


def test_order_matters_and_large_ids_are_no_trouble() -> None:
    rows_TB = bigram_rows(torch.tensor([[9, 8], [8, 9]]), 1000)
    assert rows_TB[1, 0] != rows_TB[1, 1]
    largest_TB = torch.tensor([[4_000_000], [3_999_999]])
    assert 1 <= int(bigram_rows(largest_TB, 1000)[1]) <= 1000


def test_previous_words() -> None:
    assert previous_words(torch.tensor([[5, 7], [6, 8]])).tolist() == [[PAD, PAD], [5, 7]]


def test_vectors_start_at_zero_and_are_learnt() -> None:
    config = ModelConfig(embedding_dim=4, hidden_size=4, bigram_buckets=50, bigram_dropout=0.0)
    model = SentimentClassifier(config, vocabulary=9, classes=2)
    ids_BT, lengths_B = torch.tensor([[3, 4, 5, 0]]), torch.tensor([3])
    assert torch.equal(model.embed(ids_BT.T), model.embedding(ids_BT.T))
    model.loss(model(ids_BT, lengths_B), torch.tensor([1])).backward()
    assert model.bigrams is not None
    gradient = model.bigrams.vectors.weight.grad
    assert gradient is not None
    assert (gradient[1:] != 0).any()
    assert (gradient[0] == 0).all()
