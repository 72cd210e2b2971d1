"""Sentir beside fastText and TF-IDF with logistic regression, on real reviews.

    pip install fasttext-numpy2
    python benchmarks/peers.py [--presets fast,base] [--corpora amazon,imdb] [--data DIR]

All read the same compressed files. Training time is from the file to the saved model, its reading
and cleaning included. Accuracy is on the test file, read once. Answers a second are from texts in
memory to labels, on all cores where the tool uses them. Size is of the model on disk. fastText's
setting is the one that did best on a tenth of the training reviews.
"""

from __future__ import annotations

import argparse
import bz2
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sentir import Config, load, train
from sentir.config import CLEAN_STEPS
from sentir.data.words import WordSplitter
from sentir.training.run import Inputs

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
#: fastText's settings tried: learning rate and passes.
SETTINGS = ((0.1, 5), (0.5, 5), (0.1, 20))


class Measured(NamedTuple):
    """One tool on one corpus."""

    seconds: float
    accuracy: float
    answers_a_second: float
    megabytes: float

    def row(self) -> str:
        return (f"{self.seconds:,.0f} | {self.accuracy:.2%} | {self.answers_a_second:,.0f} | "
                f"{self.megabytes:,.1f}")  # fmt: skip


def read(path: Path) -> tuple[list[str], list[str]]:
    """Labels and texts of a file of fastText lines."""
    with bz2.open(path, "rt", encoding="utf-8", newline="\n") as file:
        pairs = [line.rstrip("\n").split(" ", 1) for line in file]
    return [label for label, _ in pairs], [text for _, text in pairs]


def judge(
    answer: Callable[[list[str]], list[str]], test: Path, seconds: float, size_bytes: int
) -> Measured:
    labels, texts = read(test)
    began = time.perf_counter()
    found = answer(texts)
    took = time.perf_counter() - began
    right = sum(map(str.__eq__, found, labels))
    return Measured(seconds, right / len(labels), len(texts) / took, size_bytes / 1e6)


def fasttext(folder: Path) -> Measured:
    """`fasttext supervised` with pairs of words, on cleaned and cut text."""
    import fasttext as peer

    began = time.perf_counter()
    labels, texts = read(folder / "train.ft.txt.bz2")
    words = WordSplitter(CLEAN_STEPS, tuple)
    lines = [
        f"{label} {' '.join(words(text))}\n" for label, text in zip(labels, texts, strict=True)
    ]
    with tempfile.TemporaryDirectory() as made:
        best: tuple[float, Any] = (0.0, SETTINGS[0])
        whole, most, rest = (Path(made) / name for name in ("whole", "most", "rest"))
        whole.write_text("".join(lines), "utf-8")
        reading = time.perf_counter() - began
        most.write_text("".join(line for at, line in enumerate(lines) if at % 10), "utf-8")
        rest.write_text("".join(lines[::10]), "utf-8")

        def fit(path: Path, setting: tuple[float, int]) -> Any:
            rate, passes = setting
            return peer.train_supervised(
                str(path), lr=rate, epoch=passes, wordNgrams=2, dim=100, minCount=2, verbose=0
            )

        for setting in SETTINGS:
            best = max(best, (fit(most, setting).test(str(rest))[1], setting))
        began = time.perf_counter()
        model = fit(whole, best[1])
        saved = Path(made) / "model.bin"
        model.save_model(str(saved))
        seconds = reading + time.perf_counter() - began
        print(f"fastText's best of {SETTINGS}: {best[1]}", file=sys.stderr)

        def answer(texts: list[str]) -> list[str]:
            cut = [" ".join(words(text)) for text in texts]
            return [labels[0] for labels in model.predict(cut)[0]]

        return judge(answer, folder / "test.ft.txt.bz2", seconds, saved.stat().st_size)


def tfidf(folder: Path) -> Measured:
    """Words and pairs of words, logistic regression, as scikit-learn has them."""
    began = time.perf_counter()
    labels, texts = read(folder / "train.ft.txt.bz2")
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    model.fit(texts, labels)
    with tempfile.TemporaryDirectory() as made:
        saved = Path(made) / "model.joblib"
        joblib.dump(model, saved)
        seconds = time.perf_counter() - began
        return judge(lambda texts: list(model.predict(texts)), folder / "test.ft.txt.bz2", seconds,
                     saved.stat().st_size)  # fmt: skip


def sentir(folder: Path, preset: str) -> Measured:
    """`sentir train` with a preset."""
    began = time.perf_counter()
    names = {"negative": "__label__1", "positive": "__label__2"}
    with tempfile.TemporaryDirectory() as output:
        train(
            Inputs(train=(str(folder / "train.ft.txt.bz2"),)), output, config=Config.preset(preset)
        )
        seconds = time.perf_counter() - began
        model = load(output)
        size = sum(path.stat().st_size for path in (Path(output) / "model").iterdir())

        def answer(texts: list[str]) -> list[str]:
            return [names[found.label] for found in model.predict(texts)]

        return judge(answer, folder / "test.ft.txt.bz2", seconds, size)


def tools(presets: list[str]) -> Iterator[tuple[str, Callable[[Path], Measured]]]:
    yield "fastText, pairs of words", fasttext
    yield "TF-IDF (1, 2) + logistic regression", tfidf
    for preset in presets:
        yield f"sentir `{preset}`", lambda folder, preset=preset: sentir(folder, preset)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default="fast,base")
    parser.add_argument("--corpora", default="amazon,imdb")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SENTIR_DATA", BESIDE)))
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"no real reviews in {given.data}; set SENTIR_DATA to where they are")
    print("| corpus | tool | training s | test accuracy | answers/s | MB on disk |")
    print("|---|---|---|---|---|---|", flush=True)
    for corpus in given.corpora.split(","):
        for name, measure in tools(given.presets.split(",")):
            print(f"| {corpus} | {name} | {measure(given.data / corpus).row()} |", flush=True)


if __name__ == "__main__":
    main()
