"""From a compressed file to the Arrow store, beside NLTK's loop.

    python benchmarks/text_to_ids.py [--data DIR] [--reviews 500000] [--rounds 5]

NLTK's loop decompresses a file and cuts each review as ``word_tokenize`` does, in one process, its
Punkt learnt from other reviews as in ``benchmarks/tokenizer.py``; it stores nothing. Ours is all of
`encode_training`: read, clean, cut, split, settle the vocabulary, write. NLTK reads a part of the
file and is compared per MB. The ways take turns; figures are medians. Speeds are by the clock and
by the processor time of all processes, which other work on the machine disturbs less.

Then that many made-up reviews, compressed, for reviews a second and for the memory that all
processes have together, as ``benchmarks/memory.py`` sees it.
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
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from memory import watched_memory
from reviews import CORPORA, add_data_option, reviews_file
from tokenizer import HELD_OUT, Split, clean_reviews, nltk_pipeline

from sentir.config import TextConfig, TrainConfig
from sentir.data.encoding import encode_training
from sentir.io.reader import BadRows, read_reviews
from sentir.synthetic.reviews import sample_reviews
from sentir.text.parallel import available_cores

NLTK_REVIEWS, ROUNDS = 1000, 5
LEAST_RATIO, LEAST_REVIEWS_S, MOST_MIB = 20.0, 6000, 1024


def encode(path: Path, processes: int | None = None) -> None:
    """The whole way, its result thrown away."""
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
    """NLTK's loop over the file's first reviews, from the compressed file; their MB."""
    size = 0
    with bz2.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in islice(file, NLTK_REVIEWS):
            split(line.partition(" ")[2])
            size += len(line.encode())
    return size / 1e6


class Speed(NamedTuple):
    """MB of uncompressed text a second, and a second of processor time of all processes."""

    wall: float
    processor: float


def measured(size_mb: Callable[[], float]) -> Speed:
    """How fast something goes that tells how much it did."""
    before = os.times()
    size = size_mb()
    taken = [after - begun for after, begun in zip(os.times(), before, strict=True)]
    return Speed(size / taken[-1], size / sum(taken[:-1]))


def beside_nltk(path: Path, rounds: int) -> dict[str, Speed]:
    """Median speeds of each way, the ways taking turns."""
    split = nltk_pipeline(clean_reviews(path, 0, HELD_OUT)[1])
    with bz2.open(path) as file:
        size_mb = sum(map(len, file)) / 1e6

    def ours(processes: int | None) -> float:
        encode(path, processes)
        return size_mb

    speeds: dict[str, list[Speed]] = {"NLTK": [], "1 process": [], "all cores": []}
    for _ in range(rounds):
        for way, processes in (("1 process", 1), ("all cores", None)):
            speeds["NLTK"].append(measured(lambda: nltk_loop(path, split)))
            speeds[way].append(measured(lambda: ours(processes)))  # noqa: B023 (called at once)
    return {
        way: Speed(*map(statistics.median, zip(*taken, strict=True)))
        for way, taken in speeds.items()
    }


def where_time_goes(path: Path, functions: int) -> None:
    """The functions that one process is in longest."""
    profile = cProfile.Profile()
    profile.runcall(encode, path, 1)
    stats = pstats.Stats(profile)
    rows = sorted(((row[2], name) for name, row in stats.stats.items()), reverse=True)
    print(f"\n{path.parent.name}, one process under cProfile, share of the time by function:\n")
    for seconds, (file, line, name) in rows[:functions]:
        print(f"- {seconds / stats.total_tt:.0%} {name} ({Path(file).name}:{line})")


def builtin_reviews(reviews: int) -> tuple[float, float]:
    """Reviews a second and the peak memory of all processes (MiB), on made-up reviews."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.ft.txt.bz2"
        with bz2.open(path, "wt", encoding="utf-8") as file:
            for label, text in sample_reviews(reviews):
                file.write(f"__label__{label} {text}\n")
        with watched_memory() as seen_mib:
            began = time.perf_counter()
            encode(path)
            seconds = time.perf_counter() - began
    return reviews / seconds, max(seen_mib)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_data_option(parser)
    parser.add_argument("--reviews", type=int, default=500_000, help="made-up reviews")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    paths = {corpus: reviews_file(given.data, corpus) for corpus in CORPORA}
    reviews_s, peak_mib = builtin_reviews(given.reviews)
    print(f"{given.reviews:,} made-up reviews on {available_cores()} cores: {reviews_s:,.0f} "
          f"reviews/s (3.6 million in {3.6e6 / reviews_s / 60:.1f} minutes), "
          f"peak {peak_mib:,.0f} MiB in all processes\n")  # fmt: skip
    missed = reviews_s < LEAST_REVIEWS_S or peak_mib >= MOST_MIB
    print("| file | MB a second of | NLTK's loop | 1 process | ratio | all cores | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, path in paths.items():
        ways = beside_nltk(path, given.rounds)
        for time_of, (nltk, one, every) in zip(
            Speed._fields, zip(*ways.values(), strict=True), strict=True
        ):
            print(f"| {name} | {time_of} time | {nltk:.2f} | {one:.1f} | {one / nltk:.1f} "
                  f"| {every:.1f} | {every / nltk:.1f} |", flush=True)  # fmt: skip
        missed |= ways["all cores"].wall / ways["NLTK"].wall < LEAST_RATIO
    for path in paths.values():
        where_time_goes(path, 10)
    print(f"\nrequired: {LEAST_RATIO:.0f} x, {LEAST_REVIEWS_S:,} reviews/s, "
          f"under {MOST_MIB:,} MiB:", "missed" if missed else "met")  # fmt: skip
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
