"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentir.errors import UsageError
from sentir.io.stores import address_of
from sentir.io.terminal import printable

if sys.platform != "win32":
    import fcntl

#: Age at which an unfinished write is taken for abandoned where folders cannot be locked (seconds).
ABANDONED_AFTER_S = 24 * 3600
#: Both from the Linux kernel's headers: relative to the current folder, and swap both names.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A place to write a file or a folder to; at the end it becomes `path`.

    It lies in a folder of its own beside `path`, with a random name, which is locked while it is in
    use: several threads, processes or containers may write the same path, and the last one to end
    wins. What is written reaches the disk before it is renamed, so a kill or a power cut leaves the
    old content or the new one. When the block raises nothing is left behind; what a kill left is
    removed when the path is next written, but never what another writer still uses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tidy(path)
    with _work_folder(path) as work:
        new = work / path.name
        yield new
        for file in new.rglob("*") if new.is_dir() else (new,):
            if not file.is_dir():
                with file.open("rb") as written:
                    os.fsync(written.fileno())
        if new.is_dir():
            _replace_folder(new, path)
        else:
            new.replace(path)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """A new folder beside `path`, which does not come to be, for files of the block alone.

    At its end it is removed; what a kill left is removed when the same is next made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tidy(path)
    with _work_folder(path) as work:
        yield work


@contextmanager
def _work_folder(path: Path) -> Iterator[Path]:
    """A new folder beside `path`, locked, and removed at the end."""
    while True:
        work = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        with _locked(work) as is_locked:
            if is_locked and work.is_dir():  # else another writer took it for abandoned just now
                try:
                    yield work
                finally:
                    shutil.rmtree(work, ignore_errors=True)
                return


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder if nobody holds it; the lock ends with the block, or with the process."""
    if sys.platform == "win32":  # folders cannot be opened there: go by their age
        yield folder.is_dir() and time.time() - folder.stat().st_mtime < ABANDONED_AFTER_S
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        except OSError:  # a file system without locks
            yield True
        else:
            yield True
    finally:
        os.close(descriptor)


def _replace_folder(new: Path, path: Path) -> None:
    """Put a folder in the place of another, in one step where the system can."""
    while True:
        if not path.exists():
            with contextlib.suppress(OSError):  # another writer may be first
                new.rename(path)
                return
        if _exchange(new, path):
            return
        old = new.with_name("old")
        path.rename(old)
        try:
            new.rename(path)
        except OSError:
            old.rename(path)
            raise
        return


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; false where the system or the file system cannot."""
    if sys.platform != "linux":
        return False
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(swap(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)


def target_of(name: str) -> str | None:
    """The name of the path of which `atomic_write` leaves this when it is killed, or None."""
    part = re.fullmatch(r"\.(.+)\.\w{8}\.part", name, re.DOTALL)
    return part and part[1]


def is_part_of(name: str, target: str) -> bool:
    """Whether a file of that name is what `atomic_write` leaves of `target` when it is killed."""
    return target_of(name) == target


def tidy(path: Path) -> None:
    """Remove what killed writers left; a folder one had moved away and not replaced comes back.

    Writing the path does it too. What another writer still uses stays.
    """
    for work in [work for work in path.parent.iterdir() if is_part_of(work.name, path.name)]:
        if sys.platform == "win32":
            abandoned = time.time() - work.stat().st_mtime > ABANDONED_AFTER_S
            if abandoned:
                _remove_abandoned(work, path)
            continue
        with _locked(work) as is_locked:
            if is_locked:
                _remove_abandoned(work, path)


def _remove_abandoned(work: Path, path: Path) -> None:
    if (work / "old").is_dir() and not path.exists():
        (work / "old").rename(path)
    shutil.rmtree(work, ignore_errors=True)


def remove(path: Path) -> None:
    """Delete a file or a folder with all that is in it, if it is there; of a link, the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def report_unwritable(path: Path) -> Iterator[None]:
    """For what a user has named: that it cannot be written is the user's to know.

    Raises:
        UsageError: the block could not write there, or it is an address and no path.
    """
    _refuse_address(path)
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot be written ({error.strerror or error})",
            where=str(path),
            todo="choose another place",
        ) from None


def _refuse_address(path: Path) -> None:
    """Refuse an address where a folder would be made that is called ``s3:``.

    Raises:
        UsageError: it is one.
    """
    if address := address_of(path):
        raise UsageError(
            "an address, and this is written to a path",
            where=address,
            todo="write it here, and copy it",
        )


def check_writable(path: Path) -> None:
    """Find out whether a file can be written, before work is spent on its content.

    A file that is no regular one (a pipe, ``/dev/stdout``) is not tried.

    Raises:
        UsageError: it cannot.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        return
    with report_unwritable(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        target = path.resolve()
        folder = next(parent for parent in target.parents if parent.exists())
        Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=folder)).rmdir()


def write_page(page: str, path: Path) -> None:
    """Write a page; a reader never meets half of one.

    Raises:
        UsageError: the place cannot be written.
    """
    with report_unwritable(path), atomic_write(path) as beside:
        # A review may hold half of a surrogate pair, or control characters.
        beside.write_bytes(printable(page, keep="\n\t\r").encode())
