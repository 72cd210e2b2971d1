"""From a compressed file to the Arrow store, beside NLTK's loop.

    python benchmarks/text_to_ids.py [--data DIR] [--reviews 500000]

NLTK's loop decompresses a file and cuts each review as ``word_tokenize`` does, in one process, its
Punkt learnt from other reviews as in ``benchmarks/tokenizer.py``; it stores nothing. Ours is all of
`encode_training`: read, clean, cut, split, settle the vocabulary, write. NLTK reads a part of the
file and is compared per MB. The ways take turns; figures are medians.

Then that many made-up reviews, compressed, for reviews a second and for the memory that all
processes have together, as ``benchmarks/memory.py`` sees it.
"""

from __future__ import annotations

import argparse
import bz2
import cProfile
import pstats
import statistics
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from memory import watched_memory
from tokenizer import DATA, HELD_OUT, NAMES, Split, nltk_pipeline, read

from sentir.config import TextConfig, TrainConfig
from sentir.data.corpus import Faults, read_reviews
from sentir.data.encode import encode_training
from sentir.data.sample import sample_reviews
from sentir.data.workers import available_cores

NLTK_REVIEWS, ROUNDS = 1000, 5
LEAST_RATIO, LEAST_REVIEWS_S, MOST_MIB = 20.0, 6000, 1024


def encode(path: Path, processes: int | None = None) -> None:
    """The whole way, its result thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        faults = Faults()
        encode_training(
            read_reviews([str(path)], faults=faults),
            Path(folder),
            text=TextConfig(),
            train=TrainConfig(),
            faults=faults,
            processes=processes,
        )


def nltk_loop(path: Path, split: Split) -> float:
    """MB/s of NLTK's loop over the file's first reviews, from the compressed file."""
    began, size = time.perf_counter(), 0
    with bz2.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in islice(file, NLTK_REVIEWS):
            split(line.partition(" ")[2])
            size += len(line.encode())
    return size / 1e6 / (time.perf_counter() - began)


def beside_nltk(path: Path) -> dict[str, float]:
    """Median MB/s of uncompressed text, of each way."""
    split = nltk_pipeline(read(path, 0, HELD_OUT)[1])
    with bz2.open(path) as file:
        size_mb = sum(map(len, file)) / 1e6
    speeds: dict[str, list[float]] = {"NLTK": [], "1 process": [], "all cores": []}
    for _ in range(ROUNDS):
        for way, processes in (("1 process", 1), ("all cores", None)):
            speeds["NLTK"].append(nltk_loop(path, split))
            began = time.perf_counter()
            encode(path, processes)
            speeds[way].append(size_mb / (time.perf_counter() - began))
    return {way: statistics.median(taken) for way, taken in speeds.items()}


def where_time_goes(path: Path, functions: int) -> None:
    """The functions that one process is in longest."""
    profile = cProfile.Profile()
    profile.runcall(encode, path, 1)
    stats = pstats.Stats(profile)
    rows = sorted(((row[2], name) for name, row in stats.stats.items()), reverse=True)
    print(f"\n{path.parent.name}, one process under cProfile, share of the time by function:\n")
    for seconds, (file, line, name) in rows[:functions]:
        print(f"- {seconds / stats.total_tt:.0%} {name} ({Path(file).name}:{line})")


def made_up(reviews: int) -> tuple[float, float]:
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
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the reviews")
    parser.add_argument("--reviews", type=int, default=500_000, help="made-up reviews")
    given = parser.parse_args()
    paths = {name: given.data / name / "train.ft.txt.bz2" for name in NAMES}
    if absent := [str(path) for path in paths.values() if not path.exists()]:
        print(f"nothing measured, no such file: {', '.join(absent)}; pass --data or SENTIR_DATA")
        return
    reviews_s, peak_mib = made_up(given.reviews)
    print(f"{given.reviews:,} made-up reviews on {available_cores()} cores: {reviews_s:,.0f} "
          f"reviews/s (3.6 million in {3.6e6 / reviews_s / 60:.1f} minutes), "
          f"peak {peak_mib:,.0f} MiB in all processes\n")  # fmt: skip
    missed = reviews_s < LEAST_REVIEWS_S or peak_mib >= MOST_MIB
    print("| file | NLTK's loop MB/s | 1 process MB/s | ratio | all cores MB/s | ratio |")
    print("|---|---|---|---|---|---|")
    for name, path in paths.items():
        nltk, one, every = beside_nltk(path).values()
        print(f"| {name} | {nltk:.2f} | {one:.1f} | {one / nltk:.1f} | {every:.1f} "
              f"| {every / nltk:.1f} |", flush=True)  # fmt: skip
        missed |= every / nltk < LEAST_RATIO
    for path in paths.values():
        where_time_goes(path, 10)
    print(f"\nrequired: {LEAST_RATIO:.0f} x, {LEAST_REVIEWS_S:,} reviews/s, "
          f"under {MOST_MIB:,} MiB:", "missed" if missed else "met")  # fmt: skip
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
