"""Peak memory of encoding a corpus, by its size.

    python benchmarks/memory.py [--sizes 100000,400000,1600000]

For each size a corpus of synthetic reviews is written as fastText lines and encoded in a process of
its own. Prints reviews per second, the peak memory of that process and its workers together, and
the increase over the memory before the first review. Memory is PSS (shared pages count once),
sampled every 50 ms; Linux only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentir.config import TextConfig, TrainConfig
from sentir.data.encoding import encode_training
from sentir.io.reader import BadRows, read_reviews
from sentir.synthetic.reviews import sample_reviews


def memory_mib() -> float:
    """Memory of this process and its children (MiB)."""
    own = os.getpid()
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    kib = 0
    for process in (str(own), *children):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:  # the process has ended
            continue
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024


@contextmanager
def sampled_memory() -> Iterator[list[float]]:
    """Samples of `memory_mib`, taken every 50 ms (MiB)."""
    samples_mib, done = [memory_mib()], threading.Event()

    def sample() -> None:
        while not done.wait(0.05):
            samples_mib.append(memory_mib())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples_mib
    finally:
        done.set()
        thread.join()


def encode(path: str) -> None:
    """Encode one file; print its speed and memory."""
    folders = tempfile.TemporaryDirectory(dir=Path(path).parent)
    with folders as folder, sampled_memory() as samples_mib:
        bad_rows = BadRows()
        began = time.perf_counter()
        corpora = encode_training(
            read_reviews([path], bad_rows=bad_rows),
            Path(folder),
            text=TextConfig(),
            train=TrainConfig(),
            bad_rows=bad_rows,
        )
        seconds = time.perf_counter() - began
        count = len(corpora.train) + len(corpora.valid)
        stored = (Path(folder) / "train.arrow").stat().st_size / 2**20
    peak = max(samples_mib)
    print(f"| {count:,} | {Path(path).stat().st_size / 2**20:,.0f} | {stored:,.0f} | "
          f"{count / seconds:,.0f} | {peak:,.0f} | {peak - samples_mib[0]:,.0f} |",
          flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="100000,400000,1600000")
    parser.add_argument("--encode", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.encode:
        encode(args.encode)
        return
    print("| reviews | file MiB | store MiB | reviews/s | peak MiB | increase MiB |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.ft.txt"
        for size in args.sizes.split(","):
            with path.open("w", encoding="utf-8") as file:
                for label, text in sample_reviews(int(size)):
                    file.write(f"__label__{label} {text}\n")
            subprocess.run([sys.executable, __file__, "--encode", str(path)], check=True)


if __name__ == "__main__":
    main()
