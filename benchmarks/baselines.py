"""Sentir compared with fastText, scikit-learn and spaCy, on real reviews, by processor time.

    pip install fasttext-numpy2 spacy
    python benchmarks/baselines.py [--tools fasttext,fast] [--corpora amazon,imdb] [--data DIR]

All read the same compressed files, one after the other, in one thread. Training is from the file to
the saved model, reading and cleaning included; answers are from texts in memory to probabilities,
after 200 others. Both are processor seconds, child processes included: those of a machine that does
other work too vary less than seconds. Accuracy is on the test file, read once; with --held-out N it
is on the last N training reviews, which are not trained on. Size is of the model on disk.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

# Before any library that starts its threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import tools
from reviews import add_data_option, read_labelled, read_lines, reviews_file, shuffled, write_lines

from sentir import Config
from sentir.config import PRESETS

Fit = Callable[[Path, Path], tools.Fitted]
#: The best of `tools.SETTINGS` on a tenth of train, of both corpora.
FASTTEXT_SETTING = (0.1, 20)
PEERS: dict[str, tuple[str, Fit]] = {
    "fasttext": (
        "fastText, word pairs, 20 epochs",
        functools.partial(tools.fasttext, setting=FASTTEXT_SETTING),
    ),
    "tfidf": ("TF-IDF (1, 2) + logistic regression", tools.tfidf),
    "nblr": ("naive-Bayes-weighted (1-3)-grams + logistic regression", tools.naive_bayes_lr),
    "spacy": ("spaCy, TextCatBOW, word pairs", tools.spacy),
}
WARM_UP = 200


def row(fit: Fit, train_file: Path, test_file: Path) -> str:
    """Train and test a tool; its metrics as the cells of a table."""
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(train_file, Path(folder))
        labels, texts = read_labelled(test_file)
        fitted.positive(read_labelled(train_file)[1][:WARM_UP])
        watch = tools.Stopwatch()
        positive_N = fitted.positive(texts)
        _, cpu_s = watch.stop()
    correct_N = (positive_N > 0.5) == (np.array(labels) == tools.POSITIVE)
    return (f"{fitted.cpu_s:,.1f} | {1e6 * cpu_s / len(texts):,.0f} | {correct_N.mean():.2%} | "
            f"{fitted.size_bytes / 1e6:,.1f}")  # fmt: skip


def tool(name: str) -> tuple[str, Fit]:
    """The title of a tool or preset, and how it is trained; the program ends if there is none."""
    if name in PEERS:
        return PEERS[name]
    if name not in PRESETS:
        sys.exit(f"no tool {name!r}; take some of {', '.join([*PEERS, *PRESETS])}")
    return f"Sentir `{name}`", functools.partial(tools.sentir, config=Config.preset(name))


def split(train_file: Path, held_out: int, folder: Path) -> tuple[Path, Path]:
    """Files of a part of train to learn from, and of the rest."""
    lines = shuffled(list(read_lines(train_file)), seed=0)
    learnt, rest = folder / "learnt.ft.txt", folder / "held-out.ft.txt"
    write_lines(lines[:-held_out], learnt)
    write_lines(lines[-held_out:], rest)
    return learnt, rest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default="fasttext,tfidf,nblr,spacy,fast,base")
    parser.add_argument("--corpora", default="amazon,imdb")
    parser.add_argument("--held-out", type=int, default=0, help="measure on so many of train")
    add_data_option(parser)
    args = parser.parse_args()
    chosen = [tool(name) for name in args.tools.split(",")]
    print("| corpus | tool | training, CPU s | answer, CPU µs | accuracy | MB on disk |")
    print("|---|---|---|---|---|---|", flush=True)
    for corpus in args.corpora.split(","):
        with tempfile.TemporaryDirectory() as temporary:
            train_file = reviews_file(args.data, corpus)
            if args.held_out:
                train_file, test_file = split(train_file, args.held_out, Path(temporary))
            else:
                test_file = reviews_file(args.data, corpus, "test")
            for title, fit in chosen:
                print(f"| {corpus} | {title} | {row(fit, train_file, test_file)} |", flush=True)


if __name__ == "__main__":
    main()
