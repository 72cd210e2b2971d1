"""Answers: texts in, labels and probabilities out, in the order they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from sentir.bundle import Bundle, load_bundle
from sentir.data.batches import pad
from sentir.errors import UsageError

#: Reviews read ahead, so that those of like length share a batch.
WINDOW = 2048
BATCH = 64


class Prediction(NamedTuple):
    """The likeliest class and its probability, 0 to 1."""

    label: str
    probability: float


class Predictor:
    """A trained model that answers.

    Args:
        bundle: the model and all that its answers depend on.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.labels: tuple[str, ...] = bundle.labels.names

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """The likeliest label of each text.

        Raises:
            UsageError: a bare string, or something that is no string, was given.
        """
        return list(self.predict_stream(texts))

    def predict_one(self, text: str) -> Prediction:
        """The likeliest label of one text.

        Raises:
            UsageError: what was given is no string.
        """
        if not isinstance(text, str):
            raise UsageError(f"predict_one takes one text, got {type(text).__name__}")
        return self.predict([text])[0]

    def predict_proba(self, texts: Iterable[str]) -> npt.NDArray[np.float64]:
        """Probabilities of shape (N, C), classes in the order of `labels`.

        Raises:
            UsageError: a bare string, or something that is no string, was given.
        """
        parts = [self._window(window) for window in windows(texts)]
        return np.concatenate([np.empty((0, len(self.labels))), *parts])

    def predict_stream(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Like `predict` for any number of texts, some thousand in memory at a time.

        Raises:
            UsageError: as `predict`, when the text's turn comes.
        """
        for window in windows(texts):
            for row in self._window(window):
                best = int(row.argmax())
                yield Prediction(self.labels[best], float(row[best]))

    def _window(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Probabilities of some texts, computed from the shortest to the longest."""
        model, config = self.bundle.model, self.bundle.config
        ids = self.bundle.tokenizer.encode(texts)
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        answers_NC = np.empty((len(ids), len(self.labels)))
        with torch.inference_mode():
            for at in range(0, len(order), BATCH):
                rows_B = order[at : at + BATCH]
                batch = pad([ids[row] for row in rows_B], config.text.max_tokens)
                logits_BO = model(batch.ids_BT, batch.lengths_B).double()
                answers_NC[rows_B] = model.probabilities(logits_BO).numpy()
        return answers_NC


def windows(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts, `WINDOW` at a time.

    Raises:
        UsageError: a bare string, or something that is no string, was given.
    """
    if isinstance(texts, str):
        raise UsageError(
            "predict takes a list of texts, got one string",
            todo="call predict_one(text), or predict([text])",
        )
    source = enumerate(texts)
    while window := list(islice(source, WINDOW)):
        for at, text in window:
            if not isinstance(text, str):
                raise UsageError(f"text {at} is {type(text).__name__}, not a string")
        yield [text for _, text in window]


def load(path: str | Path) -> Predictor:
    """The model in a bundle's or a run's folder, ready to answer.

    >>> from sentir import load
    >>> load("runs/demo").predict(["a wonderful film"])  # doctest: +SKIP
    [Prediction(label='positive', probability=0.98)]

    Raises:
        BundleError: no bundle is there, or a file is missing, damaged or of another version.
    """
    return Predictor(load_bundle(path))
