"""A small model with random weights, made by hand: for tests of answers, not of learning."""

from __future__ import annotations

from typing import Any

import torch

from sentir.bundle import Bundle
from sentir.config import CLEAN_STEPS, Config
from sentir.io.labels import LabelScheme
from sentir.nn.bigrams import row_of
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.ngram_linear import Terms, mark_of, ngrams
from sentir.text.tokenizer import PAD, WordTokenizer

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
            if weight.is_floating_point():
                weight += torch.randn_like(weight)
            if name.endswith("squares"):
                weight.abs_()
        if model.terms is not None:
            own_rows(model.terms, len(tokenizer.vocabulary))
    names = NAMES[classes]
    return Bundle(
        model=model.eval(),
        tokenizer=tokenizer,
        labels=LabelScheme(names, {name[:3]: at for at, name in enumerate(names)}),
        config=config,
        metrics={"validation": {"accuracy": 0.75, "loss": 0.5}},
    )


def own_rows(terms: Terms, vocabulary: int) -> None:
    """Give each row to one of the pairs and triples that fall on it, and padding nothing."""
    terms.word_weights[PAD] = terms.word_squares[PAD] = 0
    words = torch.arange(1, vocabulary)
    for keys_TB in ngrams(torch.cartesian_prod(words, words, words).T):
        keys = keys_TB[-1]
        terms.ngram_marks[row_of(keys, terms.rows)] = mark_of(keys).int()
