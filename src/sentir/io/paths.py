"""Names of files: the sources that they stand for, and the format that their extension says.

A source is a path, a glob of paths, ``-`` for standard input, or any URL that fsspec opens
(``https://``, ``s3://``, ``memory://``).
"""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from sentir.errors import DataError, UsageError
from sentir.io.compression import EXTENSIONS as COMPRESSED
from sentir.io.streams import cannot_open

Format = Literal["csv", "tsv", "jsonl", "parquet"]
FORMAT_BY_EXTENSION: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
#: Usual extensions of files of reviews.
USUAL_EXTENSIONS = (*FORMAT_BY_EXTENSION, ".txt", ".ft", *COMPRESSED)
#: One file, URL or name of a data set, or several.
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def path_list(paths: Paths, name: str) -> tuple[str, ...]:
    """One path or several, as a tuple of strings.

    Raises:
        UsageError: something that is no path.
    """
    if isinstance(paths, str | os.PathLike):
        return (os.fspath(paths),)
    try:
        return tuple(os.fspath(path) for path in paths)
    except TypeError:
        raise UsageError(f"{name} = {paths!r}", todo="pass a path, or a list of paths") from None


def expand_sources(sources: Iterable[str]) -> list[str]:
    """The files, URLs and ``-`` that the sources stand for, in this order; globs are sorted.

    Raises:
        DataError: a path that does not exist (the message gives a similar name), a folder, or a
            glob that matches no file.
    """
    files: list[str] = []
    for source in sources:
        if source == "-" or "://" in source:
            files.append(source)
            continue
        try:
            files += _expand_path(source)
        except OSError as error:  # no permission for the folder, a name too long
            raise cannot_open(source, error) from None
    return files


def _expand_path(source: str) -> list[str]:
    path = Path(source)
    if path.is_dir():
        raise DataError(
            "a folder, not a file", where=source, todo=f"name the files in it: '{path / '*.csv'}'"
        )
    if path.exists():  # before the glob: a file may be called "reviews[1].csv"
        return [source]
    if glob.has_magic(source):
        matches = glob.iglob(source, recursive=True)  # noqa: PTH207 (Path.glob: no absolute patterns)
        files = sorted(file for file in matches if not Path(file).is_dir())
        if not files:
            raise DataError("no file matches", where=source, todo="check the folder and pattern")
        return files
    if not path.parent.is_dir():
        raise DataError("no such file", where=source, todo=f"there is no folder {path.parent}")
    near = difflib.get_close_matches(path.name, [file.name for file in path.parent.iterdir()], n=1)
    todo = f"did you mean {path.parent / near[0]}?" if near else "check the name"
    raise DataError("no such file", where=source, todo=todo)


def without_compression(name: str) -> str:
    """The name in lower case, without the extension of a compression."""
    name = name.lower()
    return name.removesuffix(Path(name).suffix) if Path(name).suffix in COMPRESSED else name


def format_from_name(name: str) -> Format | None:
    """The format by the extension, that of ``reviews.csv.gz`` being csv; None if unknown."""
    return FORMAT_BY_EXTENSION.get(Path(without_compression(name)).suffix)
