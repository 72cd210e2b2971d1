"""The real reviews that benchmarks read: where they are looked for, and how files are read."""

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
    """The option --data, the folder that holds a folder for each corpus."""
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        help="folder of the reviews (unset: $SENTIR_DATA, else ../shared/data beside the checkout)",
    )


def reviews_file(data: Path, corpus: str, part: str = "train") -> Path:
    """The file of a corpus' part, train or test; ends the program where it is absent."""
    path = data / corpus / f"{part}.ft.txt.bz2"
    if not path.exists():
        sys.exit(f"{path}: no such file; set SENTIR_DATA or pass --data to where the reviews are")
    return path


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a file, compressed or not, without their ends."""
    opened = bz2.open if path.suffix == ".bz2" else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.rstrip("\n")


def split(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """Labels and texts of fastText lines."""
    pairs = [line.partition(" ") for line in lines]
    return [label for label, _, _ in pairs], [text for _, _, text in pairs]


def read(path: Path) -> tuple[list[str], list[str]]:
    """Labels and texts of a file of fastText lines."""
    return split(lines_of(path))


def shuffled(lines: list[str], seed: int) -> list[str]:
    """The lines in an order that the seed decides: a part is so many of the first."""
    return random.Random(seed).sample(lines, len(lines))


def write(lines: Iterable[str], path: Path) -> None:
    """A file of these lines."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
