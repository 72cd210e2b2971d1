"""Sentir beside fastText and TF-IDF with logistic regression, on real reviews.

    pip install fasttext-numpy2
    python benchmarks/peers.py [--presets fast,base] [--corpora amazon,imdb] [--data DIR]

All read the same compressed files. Training time is from the file to the saved model, its reading
and cleaning included. Accuracy is on the test file, read once. Answers a second are from texts in
memory to answers, on all cores where the tool uses them. Size is of the model on disk. fastText's
setting is the one that did best on a tenth of the training reviews; the choosing is not counted.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tools
from reviews import add_data_option, read, reviews_file

from sentir import Config


def row(learn: Callable[[Path, Path], tools.Learnt], train_file: Path, test_file: Path) -> str:
    """Let a tool learn and answer; its figures as the cells of a table."""
    with tempfile.TemporaryDirectory() as folder:
        learnt = learn(train_file, Path(folder))
        if learnt.setting:
            print(f"chosen: {learnt.setting}", file=sys.stderr)
        labels, texts = read(test_file)
        began = time.perf_counter()
        positive_N = learnt.positive(texts)
        took = time.perf_counter() - began
    right_N = (positive_N > 0.5) == (np.array(labels) == tools.POSITIVE)
    return (f"{learnt.seconds:,.0f} | {right_N.mean():.2%} | {len(texts) / took:,.0f} | "
            f"{learnt.size_bytes / 1e6:,.1f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default="fast,base")
    parser.add_argument("--corpora", default="amazon,imdb")
    add_data_option(parser)
    given = parser.parse_args()
    learning: dict[str, Callable[[Path, Path], tools.Learnt]] = {
        "fastText, pairs of words": tools.fasttext,
        "TF-IDF (1, 2) + logistic regression": tools.tfidf,
    }
    for preset in given.presets.split(","):
        learning[f"sentir `{preset}`"] = functools.partial(
            tools.sentir, config=Config.preset(preset)
        )
    print("| corpus | tool | training s | test accuracy | answers/s | MB on disk |")
    print("|---|---|---|---|---|---|", flush=True)
    for corpus in given.corpora.split(","):
        files = [reviews_file(given.data, corpus, part) for part in ("train", "test")]
        for name, learn in learning.items():
            print(f"| {corpus} | {name} | {row(learn, *files)} |", flush=True)


if __name__ == "__main__":
    main()
