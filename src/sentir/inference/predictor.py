"""Predictions: texts in, labels and probabilities out, in the same order.

Shapes: N texts, B texts of a batch, C classes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sentir.bundle import Bundle, load_bundle
from sentir.data.batching import pad_arrays
from sentir.decision import decision_scores
from sentir.errors import UsageError
from sentir.inference.engines import select_engine
from sentir.inference.network import Floats
from sentir.text.sentences import split_sentences

#: Texts that are sorted by length together, so that batches hold texts of similar length.
WINDOW = 1024


class Prediction(NamedTuple):
    """The predicted class and its probability, 0 to 1.

    It is the likeliest class, or the one that the model's decision rule names, whose probability
    may be less than another's (see `sentir.decision`). ``unsure`` is true if the confidence is less
    than the threshold of the model; then it is an `UnsurePrediction`. A model without a threshold
    is never unsure.
    """

    label: str
    probability: float

    @property
    def unsure(self) -> bool:
        """Whether the model has a threshold of confidence, and this is below it."""
        return False


class UnsurePrediction(Prediction):
    """A prediction below the model's threshold of confidence; `label` is the predicted class."""

    __slots__ = ()

    @property
    def unsure(self) -> bool:
        return True


class SentencePrediction(NamedTuple):
    """A sentence of a text, and its prediction."""

    sentence: str
    prediction: Prediction


_WITH_NEUTRAL = ("negative", "neutral", "positive")


def sentiment_scores(probabilities_NC: Floats, names: tuple[str, ...]) -> Floats:
    """The sentiment of each text from -1 (surely the first class) to 1 (surely the last), (N,).

    It is the mean of the classes' places, which are evenly spaced, weighted by their probabilities:
    of two classes, the probability of the second less that of the first.

    Args:
        probabilities_NC: what `Predictor.predict_proba` returns, or one row of it.
        names: the classes.

    Raises:
        UsageError: the classes have no order from bad to good.
    """
    if len(names) != 2 and names != _WITH_NEUTRAL and not _are_rising(names):
        raise UsageError(
            f"the classes {', '.join(names)} have no order that is known",
            todo="scores are for two classes, for negative, neutral, positive, and for numbers",
        )
    scores_N: Floats = probabilities_NC @ np.linspace(-1, 1, len(names))
    return scores_N


def _are_rising(names: tuple[str, ...]) -> bool:
    """Whether the classes are numbers, such as stars, from the lowest to the highest."""
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return False
    return all(low < high for low, high in pairwise(numbers))


class Predictor:
    """A trained model that predicts the sentiment of texts.

    A review alone and the same review among others get the same probabilities within 1e-5. The
    exception is the engine onnx in int8, where they may differ by some hundredths.

    Args:
        bundle: the model.
        engine: auto, torch, onnx or numba (see `sentir.inference.engines`).
        precision: float32 or int8.
        bulk: whether thousands of answers are expected; auto then takes the engine that starts
            more slowly and is faster afterwards.

    Attributes:
        bundle: the model.
        labels: the classes, in the order of the probabilities.
        engine: what computes the probabilities, with its ``name`` and ``precision``.

    Raises:
        UsageError: unknown engine or precision, or the engine cannot compute this model.
        MissingExtraError: the engine is numba or torch, and its package is not installed.
    """

    def __init__(
        self,
        bundle: Bundle,
        engine: str = "auto",
        precision: str = "float32",
        *,
        bulk: bool = False,
    ) -> None:
        self.bundle = bundle
        self.labels: tuple[str, ...] = bundle.labels.names
        self.engine = select_engine(bundle, engine, precision, bulk=bulk)
        self._pool: tuple[int, ThreadPoolExecutor] | None = None
        self._arguments = engine, precision, bulk

    def __reduce__(self) -> tuple[Any, ...]:
        """Engines hold what cannot be pickled, so the copy makes its own."""
        return _predictor, (self.bundle, *self._arguments)

    @property
    def identity(self) -> str:
        """Equal for equal answers: the model's checksum, and int8; in float32 all engines agree."""
        return self.bundle.checksum + (", int8" if self.engine.precision == "int8" else "")

    def predict(self, texts: Iterable[str]) -> list[Prediction]:
        """The predicted label of each text.

        Raises:
            UsageError: a single string, or a text that is not a string.
        """
        return list(self.predict_stream(texts))

    def predict_one(self, text: str) -> Prediction:
        """The predicted label of one text.

        Raises:
            UsageError: not a string.
        """
        if not isinstance(text, str):
            raise UsageError(f"predict_one takes one text, got {type(text).__name__}")
        return self.likeliest(self.batch_probabilities(self.bundle.tokenizer.encode([text]))[0])

    def predict_proba(self, texts: Iterable[str]) -> Floats:
        """Probabilities of shape (N, C), classes in the order of `labels`.

        Raises:
            UsageError: a single string, or a text that is not a string.
        """
        return np.concatenate([np.empty((0, len(self.labels))), *self._windows(texts)])

    def proba_in_this_thread(self, texts: Iterable[str]) -> Floats:
        """Like `predict_proba` without other threads, for callers that keep every core busy.

        Raises:
            UsageError: as `predict`.
        """
        parts = [np.empty((0, len(self.labels)))]
        for window in windows(texts):
            ids = self.bundle.tokenizer.encode(window)
            probabilities_NC = np.empty((len(ids), len(self.labels)))
            for rows in self._batch_rows(ids):
                probabilities_NC[rows] = self.batch_probabilities([ids[row] for row in rows])
            parts.append(probabilities_NC)
        return np.concatenate(parts)

    def proba_of_ids(self, ids: list[list[int]]) -> Floats:
        """Probabilities of shape (N, C) for texts that are ids already, on all cores."""
        return self._submit(ids).probabilities(len(self.labels))

    def predict_stream(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Like `predict` for any number of texts; at most two windows of them are in memory.

        Raises:
            UsageError: as `predict`, when the text is read.
        """
        yield from map(self.likeliest, self.proba_stream(texts))

    def proba_stream(self, texts: Iterable[str]) -> Iterator[Floats]:
        """Like `predict_proba` for any number of texts: the probabilities (C,) of each.

        Raises:
            UsageError: as `predict`, when the text is read.
        """
        for probabilities_NC in self._windows(texts):
            yield from probabilities_NC

    def predict_sentences(self, text: str) -> list[SentencePrediction]:
        """The sentences of one text (`sentir.text.sentences`), each predicted as if it were alone.

        A model of whole reviews is less accurate on single sentences, and finds a sentiment in
        those that have none.

        Raises:
            UsageError: not a string.
        """
        if not isinstance(text, str):
            raise UsageError(f"predict_sentences takes one text, got {type(text).__name__}")
        sentences = split_sentences(text)
        return [
            SentencePrediction(sentence, prediction)
            for sentence, prediction in zip(sentences, self.predict(sentences), strict=True)
        ]

    def scores(self, probabilities_NC: Floats) -> Floats:
        """The sentiment of each text from -1 to 1, (N,): `sentiment_scores`.

        Raises:
            UsageError: the classes have no order from bad to good.
        """
        return sentiment_scores(probabilities_NC, self.labels)

    def likeliest(self, probabilities_C: Floats) -> Prediction:
        """The class with the highest probability, or that of the model's decision rule."""
        scores_C, threshold = self.decision_scores(probabilities_C), self.bundle.threshold
        best = int(scores_C.argmax())
        is_unsure = threshold is not None and threshold.is_unsure(float(scores_C[best]))
        kind = UnsurePrediction if is_unsure else Prediction
        return kind(self.labels[best], float(probabilities_C[best]))

    def decision_scores(self, probabilities: Floats) -> Floats:
        """What the predicted class is the largest of (`sentir.decision.decision_scores`)."""
        return decision_scores(probabilities, self.bundle.decision)

    def _windows(self, texts: Iterable[str]) -> Iterator[Floats]:
        """Probabilities (N, C) of each window; meanwhile the next window is tokenised."""
        pending: deque[_PendingWindow] = deque()
        try:
            for window in windows(texts):
                pending.append(self._submit(self.bundle.tokenizer.encode(window)))
                if len(pending) == 2:
                    yield pending[0].probabilities(len(self.labels))
                    pending.popleft()
            for last in pending:
                yield last.probabilities(len(self.labels))
        finally:  # if the caller stops early, no one waits for the rest
            for batch in [batch for window in pending for batch in window.batches]:
                batch.cancel()

    def _submit(self, ids: list[list[int]]) -> _PendingWindow:
        """Start computing a window."""
        batch_rows, pool = self._batch_rows(ids), self._threads()
        batches = [
            pool.submit(self.batch_probabilities, [ids[row] for row in rows]) for rows in batch_rows
        ]
        return _PendingWindow(batch_rows, batches)

    def _batch_rows(self, ids: list[list[int]]) -> list[list[int]]:
        """The rows of each batch, which have similar lengths, the longest first.

        The longest batches take longest: if they came last, only one core would work at the end.
        """
        order = sorted(range(len(ids)), key=lambda row: len(ids[row]), reverse=True)
        size = self.engine.batch_size
        return [order[start : start + size] for start in range(0, len(order), size)]

    def _threads(self) -> ThreadPoolExecutor:
        """Threads, as the engines release Python's lock while they compute.

        A forked process does not have its parent's threads, and gets its own.
        """
        if self._pool is None or self._pool[0] != os.getpid():
            self._pool = os.getpid(), ThreadPoolExecutor(self.engine.workers)
        return self._pool[1]

    def batch_probabilities(self, ids: list[list[int]]) -> Floats:
        """Probabilities (B, C) of one batch, given the tokenizer's ids; any thread may call it."""
        return self.engine.probabilities(pad_arrays(ids, self.bundle.config.text.max_length))


def _predictor(bundle: Bundle, engine: str, precision: str, bulk: bool) -> Predictor:
    return Predictor(bundle, engine, precision, bulk=bulk)


class _PendingWindow(NamedTuple):
    """A window that is being computed: the rows of each batch, and its probabilities to come."""

    batch_rows: list[list[int]]
    batches: list[Future[Floats]]

    def probabilities(self, classes: int) -> Floats:
        """Probabilities in the order of the window, (N, C)."""
        probabilities_NC = np.empty((sum(map(len, self.batch_rows)), classes))
        for rows_B, batch in zip(self.batch_rows, self.batches, strict=True):
            probabilities_NC[rows_B] = batch.result()
        return probabilities_NC


def windows(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts, `WINDOW` at a time.

    Raises:
        UsageError: a single string, or a text that is not a string.
    """
    if isinstance(texts, str):
        raise UsageError(
            "predict takes a list of texts, got one string",
            todo="call predict_one(text), or predict([text])",
        )
    source = enumerate(texts)
    while window := list(islice(source, WINDOW)):
        for index, text in window:
            if not isinstance(text, str):
                raise UsageError(f"text {index} is {type(text).__name__}, not a string")
        yield [text for _, text in window]


def load(
    path: str | Path, engine: str = "auto", precision: str = "float32", *, bulk: bool = False
) -> Predictor:
    """The model in a bundle's or a run's folder, ready to answer.

    Args:
        path: the folder.
        engine: auto, torch, onnx or numba (see `sentir.inference.engines`).
        precision: float32 or int8.
        bulk: whether thousands of answers are expected (see `Predictor`).

    >>> from sentir import load
    >>> load("runs/demo").predict(["a wonderful film"])  # doctest: +SKIP
    [Prediction(label='positive', probability=0.98)]

    Raises:
        BundleError: no bundle is there, or a file is missing, damaged or of another version.
        UsageError: unknown engine or precision, or the engine cannot compute this model.
        MissingExtraError: the engine is numba or torch, and its package is not installed.
    """
    return Predictor(load_bundle(path), engine, precision, bulk=bulk)
