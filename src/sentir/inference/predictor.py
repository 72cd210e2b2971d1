"""Answers: texts in, labels and probabilities out, in the order they came."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.bundle import Bundle, load_bundle
from sentir.data.batching import pad
from sentir.errors import UsageError
from sentir.inference.engines import select_engine

#: Reviews taken together, so that those of like length share a batch.
WINDOW = 1024

Floats = npt.NDArray[np.float64]


class Prediction(NamedTuple):
    """The likeliest class and its probability, 0 to 1."""

    label: str
    probability: float


class Predictor:
    """A trained model that answers.

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
        MissingExtraError: the engine is numba, and Numba is not installed.
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
        return self.likeliest(self._answer(self.bundle.tokenizer.encode([text]))[0])

    def predict_proba(self, texts: Iterable[str]) -> npt.NDArray[np.float64]:
        """Probabilities of shape (N, C), classes in the order of `labels`.

        Raises:
            UsageError: a bare string, or something that is no string, was given.
        """
        return np.concatenate([np.empty((0, len(self.labels))), *self._answered(texts)])

    def predict_stream(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Like `predict` for any number of texts, two windows of which are in memory at a time.

        Raises:
            UsageError: as `predict`, when the text is read.
        """
        yield from map(self.likeliest, self.proba_stream(texts))

    def proba_stream(self, texts: Iterable[str]) -> Iterator[Floats]:
        """Like `predict_proba` for any number of texts: of each the probabilities (C,).

        Raises:
            UsageError: as `predict`, when the text is read.
        """
        for answers_NC in self._answered(texts):
            yield from answers_NC

    def likeliest(self, shares_C: Floats) -> Prediction:
        """The class with the highest of these probabilities (C,)."""
        best = int(shares_C.argmax())
        return Prediction(self.labels[best], float(shares_C[best]))

    def _answered(self, texts: Iterable[str]) -> Iterator[Floats]:
        """Probabilities of each window; the next one is cut into words meanwhile."""
        begun: deque[_Begun] = deque()
        try:
            for window in windows(texts):
                begun.append(self._begin(self.bundle.tokenizer.encode(window)))
                if len(begun) == 2:
                    yield begun[0].answers(len(self.labels))
                    begun.popleft()
            for last in begun:
                yield last.answers(len(self.labels))
        finally:  # nobody waits for what is left when the caller stops
            for part in [part for left in begun for part in left.parts]:
                part.cancel()

    def _begin(self, ids: list[list[int]]) -> _Begun:
        """Hand out a window in batches of like length; the longest first, as they end last."""
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]), reverse=True)
        size, pool = self.engine.batch_size, self._threads()
        rows = [order[at : at + size] for at in range(0, len(order), size)]
        return _Begun(rows, [pool.submit(self._answer, [ids[at] for at in part]) for part in rows])

    def _threads(self) -> ThreadPoolExecutor:
        """Threads, as the engines let go of Python's lock: while they compute, the next window is
        cut into words.

        A forked process has none of its parent's, and gets its own.
        """
        if self._pool is None or self._pool[0] != os.getpid():
            self._pool = os.getpid(), ThreadPoolExecutor(self.engine.workers)
        return self._pool[1]

    def _answer(self, ids: list[list[int]]) -> Floats:
        return self.engine.probabilities(pad(ids, self.bundle.config.text.max_length))


def bundle_of(model: str | Path | Bundle | Predictor) -> Bundle:
    """The model itself, whichever way it is given.

    Raises:
        BundleError: there is no classifier in the folder.
    """
    if isinstance(model, Predictor):
        return model.bundle
    return model if isinstance(model, Bundle) else load_bundle(model)


def _predictor(bundle: Bundle, engine: str, precision: str, bulk: bool) -> Predictor:
    return Predictor(bundle, engine, precision, bulk=bulk)


class _Begun(NamedTuple):
    """A window whose batches are being computed: which rows are where, and the answers to come."""

    rows: list[list[int]]
    parts: list[Future[Floats]]

    def answers(self, classes: int) -> Floats:
        """Probabilities in the order of the window, (N, C)."""
        answers_NC = np.empty((sum(map(len, self.rows)), classes))
        for rows_B, part in zip(self.rows, self.parts, strict=True):
            answers_NC[rows_B] = part.result()
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
        MissingExtraError: the engine is numba, and Numba is not installed.
    """
    return Predictor(load_bundle(path), engine, precision, bulk=bulk)
