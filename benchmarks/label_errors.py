"""Flipped labels that ``sentir audit`` finds, among the first of its list.

    python benchmarks/label_errors.py [--counts 10000 40000] [--share 0.05] [--corpora amazon]

Takes that many training reviews of a corpus at random, flips that share of their labels, and counts
the flipped ones among the first 50 and 500 likely label errors. The time is that of the processor.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from reviews import CORPORA, add_data_option, read_lines, reviews_file, shuffled, write_lines

from sentir import audit

OTHER = {"__label__1": "__label__2", "__label__2": "__label__1"}
FIRST = (50, 500)


def flip(lines: list[str], share: float, seed: int) -> tuple[list[str], set[int]]:
    """The lines with that share of their labels flipped, and the numbers of those lines from 1."""
    chosen = set(random.Random(seed).sample(range(len(lines)), round(share * len(lines))))
    flipped = [
        " ".join([OTHER[label], text]) if row in chosen else line
        for row, line in enumerate(lines)
        for label, _, text in [line.partition(" ")]
    ]
    return flipped, {row + 1 for row in chosen}


def measure(lines: list[str], share: float, seed: int) -> str:
    """A row of the table: what was found in these lines."""
    flipped, wrong = flip(lines, share, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flipped.ft.txt"
        write_lines(flipped, path)
        began = time.process_time()
        found = audit(path)
        seconds = time.process_time() - began
    hits = [finding.line in wrong for finding in found.of_kind("label")]
    counts = [f"{sum(hits[:first])} of {min(first, len(hits))}" for first in FIRST]
    return (
        f"| {len(lines):,} | {len(wrong):,} | {' | '.join(counts)} | {sum(hits):,} of "
        f"{len(hits):,} | {found.accuracy:.1%} | {seconds:.0f} |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 40_000])
    parser.add_argument("--share", type=float, default=0.05, help="of labels to flip")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=["amazon"])
    parser.add_argument("--seed", type=int, default=0)
    add_data_option(parser)
    options = parser.parse_args()
    print("| corpus | reviews | flipped | flipped among the first 50 | among the first 500 | "
          "in the whole list | agreement | processor s |")  # fmt: skip
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for corpus in options.corpora:
        lines = shuffled(list(read_lines(reviews_file(options.data, corpus))), options.seed)
        for count in (count for count in options.counts if count <= len(lines)):
            row = measure(lines[:count], options.share, options.seed)
            print(f"| {corpus} {row}", flush=True)


if __name__ == "__main__":
    main()
