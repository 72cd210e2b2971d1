"""Files shared out among processes that know nothing of each other: whole files, in their order.

The shares one after the other are all files in the order in which one process reads them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from sentir.errors import UsageError
from sentir.io.builtin import is_builtin
from sentir.io.containers import Folder
from sentir.io.members import choose, log_choice
from sentir.io.paths import expand_sources, split_part
from sentir.io.stores import is_address


class Share(NamedTuple):
    """Share `number` of `total`, counted from 0."""

    number: int = 0
    total: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """The share that an option names, such as ``3/64``.

        Raises:
            UsageError: it is not one.
        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
        number, total = map(int, match.groups()) if match else (0, 0)
        if number < total:
            return cls(number, total)
        total = total or 8
        raise UsageError(
            f"--part {text}", todo=f"parts are counted from 0: 0/{total} to {total - 1}/{total}"
        )

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


class SourceFile(NamedTuple):
    """A file, archive, URL or built-in corpus, and its size; None if it has none."""

    source: str
    size_bytes: int | None

    @property
    def identity(self) -> tuple[str, int | None]:
        """What it is on every machine, wherever its folder is mounted."""
        return (self.source if self.size_bytes is None else Path(self.source).name), self.size_bytes


def list_files(sources: Sequence[str]) -> list[SourceFile]:
    """The files that sources stand for, in the order in which they are read.

    A folder of tables is its files. One whose folders or files say the classes is read as a whole,
    and so is an archive.

    Raises:
        DataError: a file is missing, or a folder holds no reviews.
    """
    files = []
    for source in sources:
        for path in [source] if is_builtin(source) else expand_sources([source]):
            files += [SourceFile(one, _size(one)) for one in _members(path)]
    return files


def _members(path: str) -> list[str]:
    if is_builtin(path) or path == "-" or not Path(path).is_dir():
        return [path]
    sizes = Folder(path).sizes()
    chosen = choose(sizes, path, folder=Path(path).resolve().name, labelled=True)
    if any(file.label is not None or file.is_whole for file in chosen):
        return [path]
    log_choice(chosen, sizes, path)
    return [str(Path(path) / file.name) for file in chosen]


def _size(source: str) -> int | None:
    if is_builtin(source) or source == "-" or is_address(source):
        return None
    file = Path(split_part(source)[0])
    inner = file.rglob("*") if file.is_dir() else [file]
    return sum(one.stat().st_size for one in inner if one.is_file())


def share_of(files: Sequence[SourceFile], share: Share) -> list[SourceFile]:
    """The files of one share: neighbours, and about as many bytes as any other's.

    If there are more shares than files, some have none.
    """
    sizes = [file.size_bytes for file in files]
    weights = [1 if size is None or None in sizes else size for size in sizes]
    total = sum(weights) or 1
    chosen, before = [], 0
    for file, weight in zip(files, weights, strict=True):
        middle = 2 * before + weight  # in halves, so that all machines compute the same
        if min(middle * share.total // (2 * total), share.total - 1) == share.number:
            chosen.append(file)
        before += weight
    return chosen
