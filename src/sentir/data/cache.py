"""What was worked out once, kept in a folder by what it was worked out from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sentir.io.atomic import atomic_write, remove
from sentir.io.builtin import is_builtin
from sentir.io.paths import expand_sources
from sentir.version import __version__


def digest(parts: Any) -> str:
    """A short name for anything that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def fingerprint(sources: Sequence[str]) -> list[list[Any]] | None:
    """What tells whether the sources are still the same: each file's path, size and time.

    None if one of them can change unseen: standard input, or a URL.

    Raises:
        DataError: a file is not there.
    """
    marks: list[list[Any]] = []
    for source in sources:
        if is_builtin(source):
            marks.append([source, __version__])
            continue
        for path in expand_sources([source]):
            if path == "-" or "://" in path:
                return None
            about = Path(path).stat()
            marks.append([str(Path(path).resolve()), about.st_size, about.st_mtime_ns])
    return marks


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
    folder: Path, made_from: Sequence[Any], make: Callable[[Path], object], *, resume: bool
) -> Path:
    """The folder in `folder` of reviews as ids, made by `make` if it is not there.

    What was made from other things is deleted. What can change unseen (None in `made_from`:
    standard input, a URL) is made again, but not in the midst of a run.
    """
    name = digest(made_from)
    may_stay = resume or None not in made_from
    for kept in folder.glob("*"):
        if not (may_stay and kept.name == name):
            remove(kept)
    return cached(folder, name, make)
