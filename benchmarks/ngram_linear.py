"""The n-gram linear model fitted in memory and chunk by chunk: loss, CPU seconds, peak memory.

    python benchmarks/ngram_linear.py [--sizes 10000,20000,38000] [--ways memory,chunks]

Learns from the first reviews of a random order of Amazon's training file, and measures on 5,000
others of it, calibrated on these. Beyond 38,719 reviews those of IMDB follow, and its unlabelled
ones with the two labels in turn: then the loss says nothing, but memory and CPU time do. Each fit
is a process of its own with one thread. CPU seconds and the peak (VmHWM) are of the fits of all
penalties with counting, without encoding; the peak is shown less what the process had before.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import scipy.optimize
import sklearn.linear_model
import torch
from reviews import add_data_option, read_lines, reviews_file, shuffled, write_lines

from sentir.config import Config
from sentir.data.dataset import EncodedCorpus
from sentir.data.encoding import encode_training
from sentir.io.reader import BadRows, read_reviews
from sentir.nn.classifier import SentimentClassifier
from sentir.training import ngram_counts
from sentir.training.ngram_linear import fit_ngram_linear

HELD_OUT = 5000
#: Imported before memory is measured.
IMPORTED = scipy.optimize, sklearn.linear_model
MAX_TOKENS = {"memory": 2**62, "chunks": 0}


def peak_mib() -> float:
    """Most memory that this process has had (MiB)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


def encode(train: Path, valid: Path, folder: Path) -> None:
    """Encode both, with the words of both."""
    bad_rows, config = BadRows(), Config()
    encode_training(
        read_reviews([str(train)], bad_rows=bad_rows),
        folder,
        text=config.text,
        train=config.train,
        valid_reviews=read_reviews([str(valid)], bad_rows=bad_rows),
        bad_rows=bad_rows,
    )


def measure(folder: Path, way: str) -> None:
    """Fit to what is encoded in a folder, and print a row of the table."""
    torch.set_num_threads(1)
    ngram_counts.MAX_TOKENS = MAX_TOKENS[way]
    config = Config().override({"embedding_dim": 1, "hidden_size": 1})
    train, valid = EncodedCorpus(folder / "train.arrow"), EncodedCorpus(folder / "valid.arrow")
    words = 1 + max(int(ids.max(initial=1)) for corpus in (train, valid) for ids in corpus)
    model = SentimentClassifier(config.model, vocabulary=words, classes=2)
    for parameter in model.head.parameters():
        torch.nn.init.zeros_(parameter)
    before, began = peak_mib(), time.process_time()
    silence_NO = np.zeros((len(valid), 1))
    max_length = config.text.max_length
    told_NO = fit_ngram_linear(model, train, valid, silence_NO, max_length, folder=folder)
    seconds = time.process_time() - began
    signs_N = 2 * valid.labels_N - 1
    loss = np.logaddexp(0, -signs_N * told_NO[:, 0]).mean()
    accuracy = (told_NO[:, 0] * signs_N > 0).mean()
    print(f"| {len(train):,} | {way} | {loss:.5f} | {accuracy:.2%} | {seconds:.1f} | "
          f"{peak_mib() - before:,.0f} |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--sizes", default="10000,20000,38000")
    parser.add_argument("--ways", default="memory,chunks")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(Path(args.measure[0]), args.measure[1])
        return
    lines = shuffled(list(read_lines(reviews_file(args.data, "amazon"))), 0)
    if max(sizes := [int(size) for size in args.sizes.split(",")]) > len(lines) - HELD_OUT:
        lines += read_lines(reviews_file(args.data, "imdb"))
        unlabelled = read_lines(args.data / "imdb" / "unsup.txt.bz2")
        lines += [f"__label__{1 + number % 2} {text}" for number, text in enumerate(unlabelled)]
    print("| reviews | fitted | loss | accuracy | CPU s | peak MiB |")
    print("|--:|---|--:|--:|--:|--:|", flush=True)
    for size in sizes:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            train, valid = folder / "train.ft.txt", folder / "valid.ft.txt"
            write_lines(lines[HELD_OUT : HELD_OUT + size], train)
            write_lines(lines[:HELD_OUT], valid)
            encode(train, valid, folder)
            for way in args.ways.split(","):
                subprocess.run(
                    [sys.executable, __file__, "--measure", str(folder), way],
                    check=True,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                )


if __name__ == "__main__":
    main()
