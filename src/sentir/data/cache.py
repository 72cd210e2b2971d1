"""What was worked out once, kept in a folder by what it was worked out from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sentir.io.atomic import atomic_write, remove
from sentir.io.builtin import is_builtin
from sentir.io.paths import expand_sources
from sentir.version import __version__

_DIGEST = re.compile("[0-9a-f]{16}")


def digest(parts: Any) -> str:
    """A short name for anything that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def fingerprint(sources: Sequence[str]) -> list[list[Any]]:
    """What tells whether the sources are the same: each file's path, size and time, each URL.

    Raises:
        DataError: a file is not there.
    """
    marks: list[list[Any]] = []
    for source in sources:
        if is_builtin(source):
            marks.append([source, __version__])
            continue
        for path in expand_sources([source]):
            if _is_stream(path):
                marks.append([path])
                continue
            about = Path(path).stat()
            marks.append([str(Path(path).resolve()), about.st_size, about.st_mtime_ns])
    return marks


def is_volatile(sources: Sequence[str]) -> bool:
    """Whether one of the sources can change without a trace: standard input, or a URL."""
    return any(not is_builtin(source) and _is_stream(source) for source in sources)


def _is_stream(source: str) -> bool:
    return source == "-" or "://" in source


def cached(folder: Path, name: str, make: Callable[[Path], object], *, anew: bool = False) -> Path:
    """The folder `name` in `folder`, made by `make` if it is not there, or in any case (`anew`).

    What is there is whole.
    """
    place = folder / name
    if place.exists() and not anew:
        return place
    with atomic_write(place) as beside:
        beside.mkdir()
        make(beside)
    return place


def cached_reviews(
    folder: Path, key: Sequence[Any], make: Callable[[Path], object], *, keep: bool
) -> Path:
    """The folder in `folder` of reviews as ids, made by `make` if it is not there.

    Reviews cached under another key are deleted: nothing but folders whose names are digests.

    Args:
        folder: the cache.
        key: everything that the encoded reviews depend on.
        make: fills a new folder.
        keep: whether reviews cached under the same key may be used again.
    """
    name = digest(key)
    for old in folder.glob("*"):
        if _DIGEST.fullmatch(old.name) and not (keep and old.name == name):
            remove(old)
    return cached(folder, name, make)
