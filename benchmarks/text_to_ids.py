"""Speed from a compressed file to encoded ids, compared with a loop over NLTK.

    python benchmarks/text_to_ids.py [--data DIR] [--reviews 500000] [--rounds 5]

The loop over NLTK decompresses a file and tokenises each review like ``word_tokenize``, in one
process, with Punkt trained on other reviews as in ``benchmarks/tokenizer.py``; it stores nothing.
Sentir runs all of `encode_training`: read, clean, tokenise, split, finalise the vocabulary, write.
NLTK reads a part of the file and is compared per MB. The methods alternate; results are medians, by
wall time and by the processor time of all processes, which other work on the machine disturbs less.

Then synthetic reviews, compressed, for reviews per second and for the memory of all processes
together, as ``benchmarks/memory.py`` samples it.
"""

from __future__ import annotations

import argparse
import bz2
import cProfile
import os
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from memory import sampled_memory
from reviews import CORPORA, add_data_option, reviews_file
from tokenizer import HELD_OUT, Split, clean_reviews, nltk_pipeline

from sentir.config import TextConfig, TrainConfig
from sentir.data.encoding import encode_training
from sentir.io.reader import BadRows, read_reviews
from sentir.synthetic.reviews import sample_reviews
from sentir.text.parallel import available_cores

NLTK_REVIEWS, ROUNDS = 1000, 5
MIN_RATIO, MIN_REVIEWS_S, MAX_MIB = 20.0, 6000, 1024


def encode(path: Path, processes: int | None = None) -> None:
    """Encode a file into a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        bad_rows = BadRows()
        encode_training(
            read_reviews([str(path)], bad_rows=bad_rows),
            Path(folder),
            text=TextConfig(),
            train=TrainConfig(),
            bad_rows=bad_rows,
            processes=processes,
        )


def nltk_loop(path: Path, split: Split) -> float:
    """Tokenise the first reviews of a compressed file with NLTK; returns their size (MB)."""
    size = 0
    with bz2.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in islice(file, NLTK_REVIEWS):
            split(line.partition(" ")[2])
            size += len(line.encode())
    return size / 1e6


class Speed(NamedTuple):
    """MB of uncompressed text per second of wall time, and of processor time of all processes."""

    wall: float
    processor: float


def speed_of(work: Callable[[], float]) -> Speed:
    """Speed of a function that returns the size of what it processed (MB)."""
    before = os.times()
    size_mb = work()
    elapsed_s = [after - start for after, start in zip(os.times(), before, strict=True)]
    return Speed(size_mb / elapsed_s[-1], size_mb / sum(elapsed_s[:-1]))


def compare(path: Path, rounds: int) -> dict[str, Speed]:
    """Median speed of each method; the methods alternate."""
    split = nltk_pipeline(clean_reviews(path, 0, HELD_OUT)[1])
    with bz2.open(path) as file:
        size_mb = sum(map(len, file)) / 1e6

    def encode_whole(processes: int | None) -> float:
        encode(path, processes)
        return size_mb

    speeds: dict[str, list[Speed]] = {"NLTK": [], "1 process": [], "all cores": []}
    for _ in range(rounds):
        for method, processes in (("1 process", 1), ("all cores", None)):
            speeds["NLTK"].append(speed_of(lambda: nltk_loop(path, split)))
            speeds[method].append(speed_of(partial(encode_whole, processes)))
    return {
        method: Speed(*map(statistics.median, zip(*rounds_, strict=True)))
        for method, rounds_ in speeds.items()
    }


def print_profile(path: Path, functions: int) -> None:
    """Print the functions in which one process spends most time."""
    profile = cProfile.Profile()
    profile.runcall(encode, path, 1)
    stats = pstats.Stats(profile)
    rows = sorted(((row[2], name) for name, row in stats.stats.items()), reverse=True)
    print(f"\n{path.parent.name}, one process under cProfile, share of time by function:\n")
    for seconds, (file, line, name) in rows[:functions]:
        print(f"- {seconds / stats.total_tt:.0%} {name} ({Path(file).name}:{line})")


def encode_synthetic(reviews: int) -> tuple[float, float]:
    """Reviews per second and peak memory of all processes (MiB), on synthetic reviews."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.ft.txt.bz2"
        with bz2.open(path, "wt", encoding="utf-8") as file:
            for label, text in sample_reviews(reviews):
                file.write(f"__label__{label} {text}\n")
        with sampled_memory() as samples_mib:
            began = time.perf_counter()
            encode(path)
            seconds = time.perf_counter() - began
    return reviews / seconds, max(samples_mib)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_data_option(parser)
    parser.add_argument("--reviews", type=int, default=500_000, help="synthetic reviews")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    paths = {corpus: reviews_file(args.data, corpus) for corpus in CORPORA}
    reviews_s, peak_mib = encode_synthetic(args.reviews)
    print(f"{args.reviews:,} synthetic reviews on {available_cores()} cores: {reviews_s:,.0f} "
          f"reviews/s (3.6 million in {3.6e6 / reviews_s / 60:.1f} minutes), "
          f"peak {peak_mib:,.0f} MiB in all processes\n")  # fmt: skip
    missed = reviews_s < MIN_REVIEWS_S or peak_mib >= MAX_MIB
    print("| file | MB per second of | NLTK | 1 process | ratio | all cores | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, path in paths.items():
        speeds = compare(path, args.rounds)
        for kind, (nltk, single, parallel) in zip(
            Speed._fields, zip(*speeds.values(), strict=True), strict=True
        ):
            print(f"| {name} | {kind} time | {nltk:.2f} | {single:.1f} | {single / nltk:.1f} "
                  f"| {parallel:.1f} | {parallel / nltk:.1f} |", flush=True)  # fmt: skip
        missed |= speeds["all cores"].wall / speeds["NLTK"].wall < MIN_RATIO
    for path in paths.values():
        print_profile(path, 10)
    print(f"\ntarget: {MIN_RATIO:.0f} x, {MIN_REVIEWS_S:,} reviews/s, "
          f"under {MAX_MIB:,} MiB:", "missed" if missed else "reached")  # fmt: skip
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
