"""Real reviews for the benchmarks: where they are and how their files are read."""

from __future__ import annotations

import argparse
import bz2
import os
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

DATA = Path(os.environ.get("SENTIR_DATA") or Path(__file__).resolve().parents[2] / "shared/data")
CORPORA = ("amazon", "imdb")


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add --data, the folder with one folder per corpus."""
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        help="folder of the reviews (default: $SENTIR_DATA, else ../shared/data)",
    )


def reviews_file(data: Path, corpus: str, part: str = "train") -> Path:
    """The file of a corpus, part train or test; the program ends where it is missing."""
    path = data / corpus / f"{part}.ft.txt.bz2"
    if not path.exists():
        sys.exit(f"{path}: no such file; set SENTIR_DATA or pass --data DIR")
    return path


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a text or bz2 file, without line ends."""
    open_file = bz2.open if path.suffix == ".bz2" else open
    with open_file(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.rstrip("\n")


def split_labels(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """Labels and texts of fastText lines."""
    pairs = [line.partition(" ") for line in lines]
    return [label for label, _, _ in pairs], [text for _, _, text in pairs]


def read_labelled(path: Path) -> tuple[list[str], list[str]]:
    """Labels and texts of a file of fastText lines."""
    return split_labels(read_lines(path))


def shuffled(lines: list[str], seed: int) -> list[str]:
    """The lines in random order; subsets are its first N lines, so small ones lie in large ones."""
    return random.Random(seed).sample(lines, len(lines))


def write_lines(lines: Iterable[str], path: Path) -> None:
    """Write the lines to a file."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
