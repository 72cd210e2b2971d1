"""What a command leaves on disk, but for the time it took; and whether it is whole."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from sentir.bundle import load_bundle, load_language_model
from sentir.errors import BundleError
from sentir.training.callbacks import read_metrics

#: Values of metrics that are times.
_TIMES = ("seconds", "reviews_per_second", "tokens_per_second")


def snapshot(folder: Path) -> dict[str, Any]:
    """Every file of the folder by its name: its content, without times."""
    return {
        path.relative_to(folder).as_posix(): content(path)
        for path in sorted(folder.rglob("*"))
        if not path.is_dir() or not any(path.iterdir())
    }


def content(path: Path) -> Any:
    """What is in a file, without times; of one that is not whole, its bytes."""
    if path.is_dir():
        return "an empty folder"
    try:
        return _whole(path)
    except (EOFError, LookupError, OSError, ValueError):
        return path.read_bytes()


def _whole(path: Path) -> Any:
    if path.name == "metrics.jsonl":
        return [_without_times(row) for row in read_metrics(path)]
    if path.name == "metrics.json":
        return _without_times(json.loads(path.read_bytes()))
    if path.name == "config.json":
        settings = json.loads(path.read_bytes())
        settings["checksums"].pop("metrics.json")  # which has times in it
        settings["checksums"].pop("config.json")
        return settings
    if path.suffix in (".html", ".svg"):  # with times, and ids drawn at random
        return path.read_bytes()[-20:]
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return path.read_bytes()


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_times(part) for key, part in value.items() if not key.endswith(_TIMES)
        }
    return value


def differences(got: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Names of the files that are too many, missing or other."""
    return [
        *(f"{name} is left" for name in got.keys() - wanted.keys()),
        *(f"{name} is missing" for name in wanted.keys() - got.keys()),
        *(f"{name} differs" for name in got.keys() & wanted.keys() if got[name] != wanted[name]),
    ]


def read_model(run: Path) -> str:
    """What a reader meets in a run's folder: the checksum of a whole model, or "" for none.

    Raises:
        BundleError: with another message than that no model is there: what is there is damaged.
    """
    for load in (load_bundle, load_language_model):
        try:
            return load(run).checksum
        except BundleError as error:
            if any(words in str(error) for words in ("no model here", "has not finished")):
                return ""
            if "language model" not in str(error):
                raise
    raise AssertionError("neither a classifier nor a language model")
