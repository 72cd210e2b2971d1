"""Names of files: the sources that they stand for, and the format that their extension says.

A source is a path, an address that fsspec opens (``https://``, ``s3://``, ``gs://``), a glob of
either, or ``-`` for standard input. ``reviews.zip:part1.csv`` is a part of an archive, of a folder
or of a spreadsheet.
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
from sentir.io.failures import cannot_open
from sentir.io.stores import exists, expand_address, is_address, is_stored

Format = Literal["csv", "tsv", "jsonl", "parquet", "arrow", "xlsx"]
FORMAT_BY_EXTENSION: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz", ".tbz2", ".txz")
#: Usual extensions of files of reviews.
USUAL_EXTENSIONS = (*FORMAT_BY_EXTENSION, ".txt", ".ft", *COMPRESSED, *_ARCHIVES)
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
    """The files, folders, URLs and ``-`` that the sources stand for, in this order.

    Globs are sorted, and match files only. A part of a file or folder remains one
    (``reviews.zip:part1.csv``).

    Raises:
        DataError: a path that does not exist (the message gives a similar name), or a glob that
            matches no file.
    """
    files: list[str] = []
    for source in sources:
        if source == "-":
            files.append(source)
            continue
        if is_address(source):
            files += [source] if split_part(source)[1] else expand_address(source)
            continue
        try:
            files += _expand_path(source)
        except OSError as error:  # no permission for the folder, a name too long
            raise cannot_open(source, error) from None
    return files


def _expand_path(source: str) -> list[str]:
    path = Path(source)
    # Before the glob: a file may be called "reviews[1].csv".
    if path.exists() or split_part(source)[1]:
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


def split_part(source: str) -> tuple[str, str]:
    """The path of a source, and the part of it that is meant; empty: all of it.

    ``reviews.zip:part1.csv`` has a part if there is no such file, and a file or folder
    ``reviews.zip``.
    """
    if source == "-" or ":" not in source:
        return source, ""
    if is_address(source):
        return _split_address(source)
    try:
        if Path(source).exists():
            return source, ""
        for index in (index for index, letter in enumerate(source) if letter == ":"):
            path, part = source[:index], source[index + 1 :]
            if path and part and not part[0].isspace() and Path(path).exists():
                return path, part
    except (OSError, ValueError):  # too long for a file's name, so a text
        pass
    return source, ""


def _split_address(address: str) -> tuple[str, str]:
    """As `split_part`; a name in a store may well hold a colon."""
    start = address.find("/", address.find("://") + 3) + 1  # after the host, which may have a port
    if is_stored(address) and start and ":" in address[start:] and not exists(address):
        for index in range(start, len(address)):
            path, part = address[:index], address[index + 1 :]
            if address[index] == ":" and part and exists(path):
                return path, part
    return address, ""


def without_compression(name: str) -> str:
    """The name in lower case, without the extension of a compression."""
    name = name.lower()
    return name.removesuffix(Path(name).suffix) if Path(name).suffix in COMPRESSED else name


def format_from_name(name: str) -> Format | None:
    """The format by the extension, that of ``reviews.csv.gz`` being csv; None if unknown."""
    return FORMAT_BY_EXTENSION.get(Path(without_compression(name)).suffix)


def is_archive(name: str) -> bool:
    """Whether the extension is that of a zip or tar archive."""
    return without_compression(name).endswith(_ARCHIVES)
