"""The tools compared: each is trained on a file of fastText lines, then classifies texts.

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
from reviews import read_labelled, write_lines
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sentir import Config, load, train
from sentir.config import CLEAN_STEPS
from sentir.text.parallel import available_cores
from sentir.text.treebank import WordSplitter
from sentir.training.callbacks import Callback

Floats = npt.NDArray[np.floating[Any]]

POSITIVE = "__label__2"
#: Settings of fastText to choose from: learning rate and epochs.
SETTINGS = ((0.1, 5), (0.5, 5), (0.1, 20))
#: With fewer reviews, settings with more epochs are tried too: as many steps as this many make.
ENOUGH_REVIEWS = 10_000


class Fitted(NamedTuple):
    """A trained tool.

    Attributes:
        seconds: from the file to the saved model, without the choice of a setting.
        size_bytes: of the model on disk.
        positive: the probability of the positive class for each text (N,).
        setting: the setting chosen, if there was a choice.
    """

    seconds: float
    size_bytes: int
    positive: Callable[[list[str]], Floats]
    setting: str = ""


def fasttext(train_file: Path, folder: Path) -> Fitted:
    """`fasttext supervised` with word bigrams, on cleaned and tokenised text.

    The setting is the best of `candidates` on a tenth of the reviews, trained on the others.
    """
    began = time.perf_counter()
    labels, texts = read_labelled(train_file)
    words = WordSplitter(CLEAN_STEPS, tuple)
    lines = [f"{label} {' '.join(words(text))}" for label, text in zip(labels, texts, strict=True)]
    reading_s = time.perf_counter() - began

    settings = candidates(len(lines))
    others, tenth = [line for row, line in enumerate(lines) if row % 10], lines[::10]
    scores = [_fasttext(others, setting, folder).test(str(_save(tenth, folder)))[1]
              for setting in settings]  # fmt: skip
    best = settings[int(np.argmax(scores))]

    began = time.perf_counter()
    model = _fasttext(lines, best, folder)
    saved = folder / "model.bin"
    model.save_model(str(saved))
    seconds = reading_s + time.perf_counter() - began

    def positive(texts: list[str]) -> Floats:
        labels, shares = model.predict([" ".join(words(text)) for text in texts])
        shares_N = np.concatenate(shares).clip(0, 1)  # rounding takes some just above 1
        return np.where(np.array(labels)[:, 0] == POSITIVE, shares_N, 1 - shares_N)

    return Fitted(
        seconds, saved.stat().st_size, positive, f"learning rate {best[0]}, {best[1]} epochs"
    )


def candidates(reviews: int) -> list[tuple[float, int]]:
    """The settings of fastText to choose from, for this number of training reviews."""
    factor = max(1, round(ENOUGH_REVIEWS / reviews))
    longer = [(rate, epochs * factor) for rate, epochs in SETTINGS if factor > 1]
    return [*SETTINGS, *longer]


def _fasttext(lines: Sequence[str], setting: tuple[float, int], folder: Path) -> Any:
    import fasttext as library

    rate, epochs = setting
    return library.train_supervised(
        str(_save(lines, folder)), lr=rate, epoch=epochs, wordNgrams=2, dim=100, minCount=2,
        thread=int(os.environ.get("OMP_NUM_THREADS") or available_cores()), verbose=0,
    )  # fmt: skip


def _save(lines: Sequence[str], folder: Path) -> Path:
    path = folder / "lines.txt"
    write_lines(lines, path)
    return path


def tfidf(train_file: Path, folder: Path) -> Fitted:
    """scikit-learn: TF-IDF of words and word bigrams, logistic regression."""
    began = time.perf_counter()
    labels, texts = read_labelled(train_file)
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    model.fit(texts, labels)
    folder.mkdir(exist_ok=True)
    saved = folder / "model.joblib"
    joblib.dump(model, saved)
    seconds = time.perf_counter() - began
    column = list(model.classes_).index(POSITIVE)
    return Fitted(
        seconds, saved.stat().st_size, lambda texts: model.predict_proba(texts)[:, column]
    )


def naive_bayes_lr(train_file: Path, folder: Path) -> Fitted:
    """scikit-learn: words to trigrams, weighted by naive Bayes (Wang and Manning 2012)."""
    began = time.perf_counter()
    labels, texts = read_labelled(train_file)
    is_positive_N = np.array(labels) == POSITIVE
    vectorizer = CountVectorizer(ngram_range=(1, 3), min_df=2, binary=True, dtype=np.float32)
    features_NF = vectorizer.fit_transform(texts)
    inside_F = np.asarray(features_NF[is_positive_N].sum(axis=0))[0] + 1
    others_F = np.asarray(features_NF[~is_positive_N].sum(axis=0))[0] + 1
    ratio_F = np.log(inside_F / inside_F.sum()) - np.log(others_F / others_F.sum())
    model = LogisticRegression(C=1, max_iter=1000)
    model.fit(features_NF.multiply(ratio_F).tocsr(), is_positive_N)
    folder.mkdir(exist_ok=True)
    saved = folder / "model.joblib"
    joblib.dump((vectorizer, ratio_F, model), saved)
    seconds = time.perf_counter() - began

    def positive(texts: list[str]) -> Floats:
        weighted_NF = vectorizer.transform(texts).multiply(ratio_F).tocsr()
        return model.predict_proba(weighted_NF)[:, 1]

    return Fitted(seconds, saved.stat().st_size, positive)


def sentir(
    train_file: Path,
    folder: Path,
    config: Config,
    *,
    from_lm: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> Fitted:
    """`sentir train`, which holds out a part of the reviews for validation."""
    began = time.perf_counter()
    train(train=str(train_file), output=folder, config=config, from_lm=from_lm, callbacks=callbacks)
    seconds = time.perf_counter() - began
    size_bytes = sum(path.stat().st_size for path in (folder / "model").iterdir())
    model = load(folder)
    column = model.labels.index("positive")
    return Fitted(seconds, size_bytes, lambda texts: model.predict_proba(texts)[:, column])
