"""The tools that are compared: each learns from a file of fastText lines, then answers texts.

fastText comes with `pip install fasttext-numpy2`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import numpy.typing as npt
from reviews import read, write
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sentir import Config, load, train
from sentir.config import CLEAN_STEPS
from sentir.text.parallel import available_cores
from sentir.text.treebank import WordSplitter
from sentir.training.callbacks import Callback

Floats = npt.NDArray[np.floating[Any]]

POSITIVE = "__label__2"
#: fastText's settings tried: learning rate and passes.
SETTINGS = ((0.1, 5), (0.5, 5), (0.1, 20))
#: With fewer reviews its passes are also tried as many times more: as many steps as these make.
ENOUGH_REVIEWS = 10_000


class Learnt(NamedTuple):
    """A tool that has learnt.

    Attributes:
        seconds: from the file to the saved model, the choosing of a setting not counted.
        size_bytes: of the model on disk.
        positive: for texts the probabilities (N,) that they are positive.
        setting: what was chosen, if anything was.
    """

    seconds: float
    size_bytes: int
    positive: Callable[[list[str]], Floats]
    setting: str = ""


def fasttext(train_file: Path, folder: Path) -> Learnt:
    """`fasttext supervised` with pairs of words, on cleaned and cut text.

    Its setting is the one that does best on a tenth of the reviews, learning from the others.
    """
    began = time.perf_counter()
    labels, texts = read(train_file)
    words = WordSplitter(CLEAN_STEPS, tuple)
    lines = [f"{label} {' '.join(words(text))}" for label, text in zip(labels, texts, strict=True)]
    reading = time.perf_counter() - began

    settings = settings_for(len(lines))
    others, tenth = [line for at, line in enumerate(lines) if at % 10], lines[::10]
    scores = [_fasttext(others, setting, folder).test(str(_written(tenth, folder)))[1]
              for setting in settings]  # fmt: skip
    best = settings[int(np.argmax(scores))]

    began = time.perf_counter()
    model = _fasttext(lines, best, folder)
    saved = folder / "model.bin"
    model.save_model(str(saved))
    seconds = reading + time.perf_counter() - began

    def positive(texts: list[str]) -> Floats:
        labels, shares = model.predict([" ".join(words(text)) for text in texts])
        shares_N = np.concatenate(shares).clip(0, 1)  # rounding takes some just above 1
        return np.where(np.array(labels)[:, 0] == POSITIVE, shares_N, 1 - shares_N)

    return Learnt(seconds, saved.stat().st_size, positive, f"rate {best[0]}, {best[1]} passes")


def settings_for(reviews: int) -> list[tuple[float, int]]:
    """fastText's settings that are tried for so many reviews."""
    times = max(1, round(ENOUGH_REVIEWS / reviews))
    more = [(rate, passes * times) for rate, passes in SETTINGS if times > 1]
    return [*SETTINGS, *more]


def _fasttext(lines: Sequence[str], setting: tuple[float, int], folder: Path) -> Any:
    import fasttext as peer

    rate, passes = setting
    return peer.train_supervised(
        str(_written(lines, folder)), lr=rate, epoch=passes, wordNgrams=2, dim=100, minCount=2,
        thread=int(os.environ.get("OMP_NUM_THREADS") or available_cores()), verbose=0,
    )  # fmt: skip


def _written(lines: Sequence[str], folder: Path) -> Path:
    path = folder / "lines.txt"
    write(lines, path)
    return path


def tfidf(train_file: Path, folder: Path) -> Learnt:
    """Words and pairs of words, logistic regression, as scikit-learn has them."""
    began = time.perf_counter()
    labels, texts = read(train_file)
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    model.fit(texts, labels)
    saved = folder / "model.joblib"
    joblib.dump(model, saved)
    seconds = time.perf_counter() - began
    column = list(model.classes_).index(POSITIVE)
    return Learnt(
        seconds, saved.stat().st_size, lambda texts: model.predict_proba(texts)[:, column]
    )


def sentir(
    train_file: Path,
    folder: Path,
    config: Config,
    *,
    from_lm: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> Learnt:
    """`sentir train`, which sets a part of the reviews aside to validate on."""
    began = time.perf_counter()
    inputs = {"train": (str(train_file),)}
    train(**inputs, output=folder, config=config, from_lm=from_lm, callbacks=callbacks)
    seconds = time.perf_counter() - began
    size_bytes = sum(path.stat().st_size for path in (folder / "model").iterdir())
    model = load(folder)
    column = model.labels.index("positive")
    return Learnt(seconds, size_bytes, lambda texts: model.predict_proba(texts)[:, column])
