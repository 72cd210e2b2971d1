"""A small model with random weights, made by hand: for tests of answers, not of learning."""

from __future__ import annotations

from typing import Any

import torch

from sentir.bundle import Bundle
from sentir.config import CLEAN_STEPS, Config
from sentir.data.labels import LabelScheme
from sentir.data.tokenizer import WordTokenizer
from sentir.nn.classifier import SentimentClassifier

WORDS = "the film was not good bad wonderful dull a hotel la habitación estaba sucia . ,".split()
NAMES = {2: ("negative", "positive"), 3: ("negative", "neutral", "positive")}


def toy(*, classes: int = 2, seed: int = 0, **settings: Any) -> Bundle:
    """The bundle; settings of the text and the model may be given."""
    config = Config().override({"embedding": 6, "hidden": 5, "max_tokens": 40, **settings})
    torch.manual_seed(seed)
    tokenizer = WordTokenizer(WORDS, CLEAN_STEPS)
    model = SentimentClassifier(config.model, vocabulary=len(tokenizer.vocabulary), classes=classes)
    with torch.no_grad():  # far from the start, so that answers differ
        for name, weight in model.state_dict().items():
            weight += torch.randn_like(weight)
            if name.endswith("squares"):
                weight.abs_()
    names = NAMES[classes]
    return Bundle(
        model=model.eval(),
        tokenizer=tokenizer,
        labels=LabelScheme(names, {name[:3]: at for at, name in enumerate(names)}),
        config=config,
        metrics={"validation": {"accuracy": 0.75, "loss": 0.5}},
    )
