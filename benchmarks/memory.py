"""Peak memory of encoding a corpus, against its size.

    python benchmarks/memory.py [--sizes 100000,400000,1600000]

For each size a corpus of made-up reviews is written as fastText lines, and encoded in a process of
its own. Printed: reviews a second, the process's peak memory as the system saw it, and the peak
above what the same process had taken before the first review.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sentir.config import TextConfig, TrainConfig
from sentir.data.corpus import Faults, read_reviews
from sentir.data.encode import encode_training
from sentir.data.sample import sample_reviews


def peak_mib() -> float:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def encode(path: str) -> None:
    """Encode one file and print what it took."""
    import sentir.data.tokenizer  # noqa: F401

    before = peak_mib()
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        faults = Faults()
        began = time.perf_counter()
        corpora = encode_training(
            read_reviews([path], faults=faults),
            Path(folder),
            text=TextConfig(),
            train=TrainConfig(),
            faults=faults,
        )
        seconds = time.perf_counter() - began
        count = len(corpora.train) + len(corpora.valid)
        stored = (Path(folder) / "train.arrow").stat().st_size / 2**20
    print(f"| {count:,} | {Path(path).stat().st_size / 2**20:,.0f} | {stored:,.0f} | "
          f"{count / seconds:,.0f} | {peak_mib():,.0f} | {peak_mib() - before:,.0f} |",
          flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="100000,400000,1600000")
    parser.add_argument("--encode", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.encode:
        encode(given.encode)
        return
    print("| reviews | file MiB | store MiB | reviews/s | peak MiB | of it for the reviews MiB |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.ft.txt"
        for size in given.sizes.split(","):
            with path.open("w", encoding="utf-8") as file:
                for label, text in sample_reviews(int(size)):
                    file.write(f"__label__{label} {text}\n")
            subprocess.run([sys.executable, __file__, "--encode", str(path)], check=True)


if __name__ == "__main__":
    main()
