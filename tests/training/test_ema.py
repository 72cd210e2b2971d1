"""The running mean of the weights."""

from __future__ import annotations

import torch

from sentir.config import ModelConfig
from sentir.nn.classifier import SentimentClassifier
from sentir.training.ema import ExponentialMovingAverage


def test_the_mean_follows_the_weights() -> None:
    model = SentimentClassifier(
        ModelConfig(embedding_dim=2, hidden_size=2), vocabulary=4, classes=2
    )
    average = ExponentialMovingAverage(model, 0.75)
    seen = []
    for value in (1.0, 3.0, 5.0):
        with torch.no_grad():
            model.head.bias.fill_(value)
        average.update(model)
        seen.append(average.model.head.bias.item())
    assert seen == [1.0, 1.5, 2.375]


def test_at_zero_it_is_the_model_itself() -> None:
    model = SentimentClassifier(
        ModelConfig(embedding_dim=2, hidden_size=2), vocabulary=4, classes=2
    )
    average = ExponentialMovingAverage(model, 0.0)
    average.update(model)
    assert average.model is model
    assert average.state_dict() == {}
    average.load_state_dict({})
