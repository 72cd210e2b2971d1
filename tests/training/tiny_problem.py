"""A tiny problem to train on: the words of one class are not those of the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sentir.config import Config
from sentir.data.dataset import CorpusWriter, EncodedCorpus
from sentir.nn.classifier import SentimentClassifier

V = 20


def tiny(**changes: Any) -> Config:
    """Settings of a small network and a short training, with changes."""
    small = {"embedding": 6, "hidden": 5, "batch_size": 8, "epochs": 3, "learning_rate": 0.02}
    return Config().override({**small, **changes})


def new_model(config: Config, *, seed: int = 0, classes: int = 2) -> SentimentClassifier:
    torch.manual_seed(seed)
    return SentimentClassifier(config.model, vocabulary=V, classes=classes)


def write_corpus(
    path: Path, reviews: Sequence[Sequence[int]], labels: Sequence[int]
) -> EncodedCorpus:
    """A corpus of reviews given as ids."""
    ends = np.cumsum([0, *map(len, reviews)], dtype=np.int32)
    flat = np.array([id for review in reviews for id in review], dtype=np.int32)
    with CorpusWriter(path, texts=False) as writer:
        hashes = np.arange(len(labels), dtype=np.uint64)
        writer.write(flat, ends, np.array(labels, dtype=np.int32), hashes)
    return EncodedCorpus(path)


def separable(path: Path, count: int, *, wrong: float = 0.0) -> EncodedCorpus:
    """Reviews of two classes that share no word; a share of the labels may be wrong."""
    random = np.random.default_rng(sum(path.name.encode()))
    labels = random.integers(0, 2, count)
    reviews = [
        (random.integers(2, 11, random.integers(1, 25)) + 9 * label).tolist() for label in labels
    ]
    mistaken = random.random(count) < wrong
    return write_corpus(path, reviews, np.where(mistaken, 1 - labels, labels).tolist())


def weights_of(model: SentimentClassifier) -> dict[str, torch.Tensor]:
    """A copy."""
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
