"""The tools compared: each is trained on a file of fastText lines, then classifies texts.

fastText comes with `pip install fasttext-numpy2`, spaCy with `pip install spacy`.
"""

from __future__ import annotations

import os
import random
import resource
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
#: Of spaCy's classifier.
SPACY_EPOCHS, SPACY_BATCH = 5, 64


class Fitted(NamedTuple):
    """A trained tool.

    Attributes:
        seconds: from the file to the saved model, without the choice of a setting.
        cpu_s: processor time of the same, child processes included.
        size_bytes: of the model on disk.
        positive: the probability of the positive class for each text (N,).
        setting: the setting chosen, if there was a choice.
    """

    seconds: float
    cpu_s: float
    size_bytes: int
    positive: Callable[[list[str]], Floats]
    setting: str = ""


class Stopwatch:
    """Seconds and processor seconds since it was made or started again."""

    def __init__(self) -> None:
        self.seconds = self.cpu_s = 0.0
        self.start()

    def start(self) -> None:
        """Start, or go on after `stop`."""
        self._began = time.perf_counter(), cpu_seconds()

    def stop(self) -> tuple[float, float]:
        """Seconds and processor seconds until now, without pauses."""
        self.seconds += time.perf_counter() - self._began[0]
        self.cpu_s += cpu_seconds() - self._began[1]
        return self.seconds, self.cpu_s


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def fasttext(train_file: Path, folder: Path, setting: tuple[float, int] | None = None) -> Fitted:
    """`fasttext supervised` with word bigrams, on cleaned and tokenised text.

    Args:
        train_file: fastText lines.
        folder: for its files.
        setting: learning rate and epochs; None: the best of `candidates` on a tenth of the reviews,
            trained on the others.
    """
    watch = Stopwatch()
    labels, texts = read_labelled(train_file)
    words = WordSplitter(CLEAN_STEPS, tuple)
    lines = [f"{label} {' '.join(words(text))}" for label, text in zip(labels, texts, strict=True)]
    watch.stop()

    if setting is None:
        settings = candidates(len(lines))
        others, tenth = [line for row, line in enumerate(lines) if row % 10], lines[::10]
        scores = [_fasttext(others, tried, folder).test(str(_save(tenth, folder)))[1]
                  for tried in settings]  # fmt: skip
        setting = settings[int(np.argmax(scores))]

    watch.start()
    model = _fasttext(lines, setting, folder)
    saved = folder / "model.bin"
    model.save_model(str(saved))
    cost = watch.stop()

    def positive(texts: list[str]) -> Floats:
        labels, shares = model.predict([" ".join(words(text)) for text in texts])
        shares_N = np.concatenate(shares).clip(0, 1)  # rounding takes some just above 1
        return np.where(np.array(labels)[:, 0] == POSITIVE, shares_N, 1 - shares_N)

    return Fitted(
        *cost, saved.stat().st_size, positive, f"learning rate {setting[0]}, {setting[1]} epochs"
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
    """scikit-learn: TF-IDF of words and word bigrams, logistic regression by its fastest solver."""
    watch = Stopwatch()
    labels, texts = read_labelled(train_file)
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10, solver="liblinear", dual=True, max_iter=1000),
    )
    model.fit(texts, labels)
    folder.mkdir(exist_ok=True)
    saved = folder / "model.joblib"
    joblib.dump(model, saved)
    cost = watch.stop()
    column = list(model.classes_).index(POSITIVE)
    return Fitted(*cost, saved.stat().st_size, lambda texts: model.predict_proba(texts)[:, column])


def naive_bayes_lr(train_file: Path, folder: Path) -> Fitted:
    """scikit-learn: words to trigrams, weighted by naive Bayes (Wang and Manning 2012)."""
    watch = Stopwatch()
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
    cost = watch.stop()

    def positive(texts: list[str]) -> Floats:
        weighted_NF = vectorizer.transform(texts).multiply(ratio_F).tocsr()
        return model.predict_proba(weighted_NF)[:, 1]

    return Fitted(*cost, saved.stat().st_size, positive)


def spacy(train_file: Path, folder: Path) -> Fitted:
    """spaCy's text classifier: a sum of n-grams' weights (TextCatBOW), words and pairs.

    Its default, an ensemble with a convolutional network, takes some twenty times as long.
    """
    import spacy as library
    from spacy.training import Example

    watch = Stopwatch()
    labels, texts = read_labelled(train_file)
    nlp = library.blank("en")
    model = {
        "@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": True, "ngram_size": 2,
        "no_output_layer": False, "length": 2**20,
    }  # fmt: skip
    classifier = nlp.add_pipe("textcat", config={"model": model})
    for label in sorted(set(labels)):
        classifier.add_label(label)
    examples = [
        Example.from_dict(doc, {"cats": {name: float(name == label) for name in set(labels)}})
        for doc, label in zip(map(nlp.make_doc, texts), labels, strict=True)
    ]
    optimizer = nlp.initialize(lambda: examples[:100])
    shuffle = random.Random(0).shuffle
    for _ in range(SPACY_EPOCHS):
        shuffle(examples)
        for start in range(0, len(examples), SPACY_BATCH):
            nlp.update(examples[start : start + SPACY_BATCH], sgd=optimizer)
    saved = folder / "spacy"
    nlp.to_disk(saved)
    cost = watch.stop()
    size_bytes = sum(path.stat().st_size for path in saved.rglob("*") if path.is_file())

    def positive(texts: list[str]) -> Floats:
        return np.array([doc.cats[POSITIVE] for doc in nlp.pipe(texts)])

    return Fitted(*cost, size_bytes, positive, f"{SPACY_EPOCHS} epochs")


def sentir(
    train_file: Path,
    folder: Path,
    config: Config,
    *,
    from_lm: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> Fitted:
    """`sentir train`, which holds out a part of the reviews for validation."""
    watch = Stopwatch()
    train(train=str(train_file), output=folder, config=config, from_lm=from_lm, callbacks=callbacks)
    cost = watch.stop()
    size_bytes = sum(path.stat().st_size for path in (folder / "model").iterdir())
    model = load(folder, bulk=True)
    column = model.labels.index("positive")
    return Fitted(*cost, size_bytes, lambda texts: model.predict_proba(texts)[:, column])
