"""What the end of a file's name says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sentir.io.compression import EXTENSIONS as COMPRESSED

Format = Literal["csv", "tsv", "jsonl", "parquet"]
OF_EXTENSION: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
#: What a file of reviews is likely to end in.
USUAL = (*OF_EXTENSION, ".txt", ".ft", *COMPRESSED)


def unpacked(name: str) -> str:
    """The name, in small letters, without the ending that says how it is compressed."""
    name = name.lower()
    return name.removesuffix(Path(name).suffix) if Path(name).suffix in COMPRESSED else name


def format_of_name(name: str) -> Format | None:
    """The format of a table, if the name says it: that of ``reviews.csv.gz`` is csv."""
    return OF_EXTENSION.get(Path(unpacked(name)).suffix)
