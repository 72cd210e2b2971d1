"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentir.errors import UsageError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A place beside `path` to write a file or a folder to; at the end it becomes `path`.

    What is written reaches the disk before it is renamed, so that a kill, or a power cut, leaves
    what stood there or the new one. When the block raises nothing is left behind; what a kill left
    is tidied when the path is next written. (To replace a folder takes two renames: killed between
    them, the old one lies aside, whole, until then.)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _tidy(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        for file in beside.rglob("*") if beside.is_dir() else (beside,):
            if not file.is_dir():
                with file.open("rb") as written:
                    os.fsync(written.fileno())
        if path.is_dir() and beside.is_dir():  # a folder cannot be renamed onto another
            old = path.with_name(f".{path.name}.{os.getpid()}.old")
            path.rename(old)
            try:
                beside.rename(path)
            except OSError:
                old.rename(path)
                raise
            remove(old)
        else:
            beside.replace(path)
    finally:
        remove(beside)


def _tidy(path: Path) -> None:
    """Remove what a killed writer left; a folder it had moved away and not replaced comes back."""
    left = re.compile(rf"\.{re.escape(path.name)}\.\d+\.(?:old|part)")
    for beside in [beside for beside in path.parent.iterdir() if left.fullmatch(beside.name)]:
        if beside.suffix == ".old" and not path.exists():
            beside.rename(path)
        else:
            remove(beside)


def remove(path: Path) -> None:
    """Delete a file or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def report_unwritable(path: Path) -> Iterator[None]:
    """For what a user has named: that it cannot be written is the user's to know.

    Raises:
        UsageError: the block could not write there.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot be written ({error.strerror or error})",
            where=str(path),
            todo="choose another place",
        ) from None


def write_page(page: str, path: Path) -> None:
    """Write a page; a reader never meets half of one.

    Raises:
        UsageError: the place cannot be written.
    """
    with report_unwritable(path), atomic_write(path) as beside:
        # A review may hold half of a surrogate pair, which UTF-8 has no bytes for.
        beside.write_bytes(page.encode("utf-8", errors="replace"))
