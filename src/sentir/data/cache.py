"""What was worked out once, kept in a folder by what it was worked out from."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sentir.atomic import written_whole
from sentir.data.files import expand
from sentir.data.named import is_named
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
        if is_named(source):
            marks.append([source, __version__])
            continue
        for path in expand([source]):
            if path == "-" or "://" in path:
                return None
            about = Path(path).stat()
            marks.append([str(Path(path).resolve()), about.st_size, about.st_mtime_ns])
    return marks


def clear(folder: Path, *, but: str | None) -> None:
    """Delete all that is kept in the folder, but what is called so."""
    for kept in folder.glob("*"):
        if kept.name != but:
            shutil.rmtree(kept)


def cached(folder: Path, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` in `folder`, made by `make` if it is not there.

    What is there is whole.
    """
    place = folder / name
    if place.exists():
        return place
    with written_whole(place) as beside:
        beside.mkdir()
        make(beside)
    return place
