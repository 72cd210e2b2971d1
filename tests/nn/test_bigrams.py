"""Vectors of word pairs."""

from __future__ import annotations

import math

import pytest
import torch

from sentir.config import ModelConfig
from sentir.nn.bigrams import HashedBigrams
from sentir.nn.classifier import SentimentClassifier


@pytest.mark.parametrize("buckets", [50_000, 65_536, 100_000, 131_072])
def test_frequent_words_spread_over_the_rows(buckets: int) -> None:
    """Pairs of the 300 first words fill nearly as many rows as if drawn at random.

    A multiplier of 1,000,003, with 100,000 rows, would press them into 1,200.
    """
    ids = torch.arange(2, 302)
    before, at = torch.meshgrid(ids, ids, indexing="ij")
    pairs_TB = torch.stack([before.flatten(), at.flatten()])
    used = HashedBigrams(buckets, 1, 0.0).rows(pairs_TB)[1].unique().numel()
    assert used > 0.75 * buckets * (1 - math.exp(-before.numel() / buckets))


def test_there_is_no_pair_at_the_start_and_in_padding() -> None:
    rows_TB = HashedBigrams(100, 4, 0.0).rows(torch.tensor([[5, 7], [6, 0], [0, 0]]))
    assert rows_TB[0].tolist() == [0, 0]
    assert rows_TB[1, 0] > 0
    assert rows_TB[1, 1] == 0
    assert rows_TB[2].tolist() == [0, 0]


def test_order_matters_and_large_ids_are_no_trouble() -> None:
    bigrams = HashedBigrams(1000, 4, 0.0)
    one = bigrams.rows(torch.tensor([[9], [8]]))[1]
    other = bigrams.rows(torch.tensor([[8], [9]]))[1]
    assert one != other
    largest = torch.tensor([[4_000_000], [3_999_999]])
    assert 1 <= int(bigrams.rows(largest)[1]) <= 1000


def test_pairs_begin_as_nothing_and_are_learnt() -> None:
    config = ModelConfig(embedding_dim=4, hidden_size=4, bigram_buckets=50, bigram_dropout=0.0)
    model = SentimentClassifier(config, vocabulary=9, classes=2)
    ids_BT, lengths_B = torch.tensor([[3, 4, 5, 0]]), torch.tensor([3])
    assert torch.equal(model.embedded(ids_BT.T), model.embedding(ids_BT.T))
    model.loss(model(ids_BT, lengths_B), torch.tensor([1])).backward()
    assert model.bigrams is not None
    gradient = model.bigrams.vectors.weight.grad
    assert gradient is not None
    assert (gradient[1:] != 0).any()
    assert (gradient[0] == 0).all()
