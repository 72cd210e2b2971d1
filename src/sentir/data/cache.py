"""Results on disk, named by a digest of everything that they depend on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from sentir.io.atomic import atomic_write, remove, target_of, tidy
from sentir.io.builtin import is_builtin
from sentir.io.failures import cannot_open
from sentir.io.labels import WORDS
from sentir.io.paths import expand_sources, split_part
from sentir.io.stores import identity, is_address, is_stored
from sentir.version import __version__

_DIGEST = re.compile("[0-9a-f]{16}")


def digest(parts: Any) -> str:
    """A short hash of anything that JSON can hold, the same on every machine."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def fingerprint(sources: Sequence[str]) -> list[list[Any]]:
    """The identity of the sources: name and content of each file, also in folders; each URL.

    It is the same wherever the files lie. Within a process a file whose size and time are the same
    is read once.

    Of a file in a store it is what the store says, such as a checksum.

    Raises:
        DataError: a file is missing, or cannot be read.
    """
    entries: list[list[Any]] = []
    for source in sources:
        if is_builtin(source):
            entries.append([source, __version__])
            continue
        for path in expand_sources([source]):
            if _is_stream(path):
                entries.append([path])
                continue
            if is_address(path):
                file, part = split_part(path)
                entries.append([*identity(file), part])
                continue
            file, part = split_part(path)
            entries += [[*entry, part] if part else entry for entry in _file_entries(Path(file))]
    return entries


def _file_entries(path: Path) -> list[list[Any]]:
    """Name and content of a file, or of every file in a folder, whose name may be a class too."""
    if not path.is_dir():
        return [[path.name, *_content(path)]]
    above = path.resolve().name
    within = above if above.lower() in WORDS else ""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return [[str(PurePosixPath(within, file.relative_to(path).as_posix())), *_content(file)]
            for file in files]  # fmt: skip


def _content(file: Path) -> list[Any]:
    """Size and digest of a file; of a pipe, which can be read only once, its address and time."""
    found = file.stat()
    if not file.is_file():
        return [str(file.resolve()), found.st_mtime_ns]
    return [found.st_size, _digest_of(file, found.st_size, found.st_mtime_ns)]


@lru_cache(maxsize=100_000)
def _digest_of(file: Path, size: int, time_ns: int) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise cannot_open(str(file), error) from None


def is_volatile(sources: Sequence[str]) -> bool:
    """Whether one of the sources can change without a trace: standard input, or the web."""
    return any(not is_builtin(source) and _is_stream(source) for source in sources)


def _is_stream(source: str) -> bool:
    return source == "-" or (is_address(source) and not is_stored(source))


def cached(
    folder: Path, name: str, make: Callable[[Path], object], *, refresh: bool = False
) -> Path:
    """The folder `name` in `folder`, made by `make` if it is missing; it is never incomplete.

    Args:
        folder: the cache.
        name: of the folder in it.
        make: fills a new folder.
        refresh: make it even if it is there.
    """
    path = folder / name
    if path.exists() and not refresh:
        tidy(path)
        return path
    with atomic_write(path) as new:
        new.mkdir()
        make(new)
    return path


def cached_reviews(
    folder: Path, key: Sequence[Any], make: Callable[[Path], object], *, keep: bool
) -> Path:
    """The folder of encoded reviews in `folder`, made by `make` if it is missing.

    Reviews cached under another key are deleted, and what a kill left of them: only folders whose
    names are digests.

    Args:
        folder: the cache.
        key: everything that the encoded reviews depend on.
        make: fills a new folder.
        keep: whether reviews cached under the same key may be used.
    """
    name = digest(key)
    for old in folder.glob("*"):
        if _DIGEST.fullmatch(old.name) and not (keep and old.name == name):
            remove(old)
        elif _DIGEST.fullmatch(killed := target_of(old.name) or ""):
            tidy(folder / killed)
    return cached(folder, name, make)
