"""Sentir compared with fastText and with TF-IDF + logistic regression, on real reviews.

    pip install fasttext-numpy2
    python benchmarks/baselines.py [--presets fast,base] [--corpora amazon,imdb] [--data DIR]

All read the same compressed files. Training time is from the file to the saved model, reading and
cleaning included. Accuracy is on the test file, read once. Inference speed is from texts in memory
to probabilities, on all cores where the tool uses them. Size is of the model on disk. The setting
of fastText is the best of three on a tenth of the training reviews; its choice is not timed.
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
from reviews import add_data_option, read_labelled, reviews_file

from sentir import Config


def row(fit: Callable[[Path, Path], tools.Fitted], train_file: Path, test_file: Path) -> str:
    """Train and test a tool; its metrics as the cells of a table."""
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(train_file, Path(folder))
        if fitted.setting:
            print(f"chosen: {fitted.setting}", file=sys.stderr)
        labels, texts = read_labelled(test_file)
        began = time.perf_counter()
        positive_N = fitted.positive(texts)
        seconds = time.perf_counter() - began
    correct_N = (positive_N > 0.5) == (np.array(labels) == tools.POSITIVE)
    return (f"{fitted.seconds:,.0f} | {correct_N.mean():.2%} | {len(texts) / seconds:,.0f} | "
            f"{fitted.size_bytes / 1e6:,.1f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", default="fast,base")
    parser.add_argument("--corpora", default="amazon,imdb")
    add_data_option(parser)
    args = parser.parse_args()
    fits: dict[str, Callable[[Path, Path], tools.Fitted]] = {
        "fastText, word bigrams": tools.fasttext,
        "TF-IDF (1, 2) + logistic regression": tools.tfidf,
    }
    for preset in args.presets.split(","):
        fits[f"Sentir `{preset}`"] = functools.partial(tools.sentir, config=Config.preset(preset))
    print("| corpus | tool | training s | test accuracy | reviews/s | MB on disk |")
    print("|---|---|---|---|---|---|", flush=True)
    for corpus in args.corpora.split(","):
        files = [reviews_file(args.data, corpus, part) for part in ("train", "test")]
        for name, fit in fits.items():
            print(f"| {corpus} | {name} | {row(fit, *files)} |", flush=True)


if __name__ == "__main__":
    main()
