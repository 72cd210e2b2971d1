"""Public data sets by name, downloaded from the Hugging Face hub once and kept in its cache.

``amazon_polarity`` is the training split, ``amazon_polarity:test`` the test split. The hub's
environment variables apply: ``HF_ENDPOINT`` (a mirror), ``HF_HOME`` (the cache) and
``HF_HUB_OFFLINE`` (use the cache only). A download that was interrupted goes on where it stopped:
see `sentir.io.hub_download`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sentir.errors import DataError
from sentir.extras import require
from sentir.io.hub_download import list_files, resume


@dataclass(frozen=True, kw_only=True)
class HubDataset:
    """A data set on the hub and its columns.

    Its files are named ``<folder>/<split>-<shard>-of-<shards>.parquet``.
    """

    repository: str
    splits: tuple[str, ...]
    text_column: tuple[str, ...]
    label_column: str


DATASETS: dict[str, HubDataset] = {
    "amazon_polarity": HubDataset(
        repository="fancyzhx/amazon_polarity",
        splits=("train", "test"),
        text_column=("title", "content"),
        label_column="label",
    ),
    "yelp_polarity": HubDataset(
        repository="fancyzhx/yelp_polarity",
        splits=("train", "test"),
        text_column=("text",),
        label_column="label",
    ),
    "imdb": HubDataset(
        repository="stanfordnlp/imdb",
        splits=("train", "test"),
        text_column=("text",),
        label_column="label",
    ),
}


def find_dataset(source: str) -> tuple[str, str] | None:
    """The data set and the split that a source names; None if it names neither.

    Raises:
        DataError: the data set has no such split.
    """
    name, _, split = source.partition(":")
    if name not in DATASETS or Path(source).exists() or Path(name).exists():
        return None
    split, splits = split or "train", DATASETS[name].splits
    if split not in splits:
        near = difflib.get_close_matches(split, splits, n=1, cutoff=0.0)[0]
        raise DataError(f"no split {split!r}", where=name, todo=f"did you mean {name}:{near}?")
    return name, split


def fetch_dataset(name: str, split: str = "train") -> list[Path]:
    """The Parquet files of one split, downloaded unless they are in the cache.

    Args:
        name: one of `DATASETS`.
        split: one of its splits.

    Raises:
        DataError: there is no such data set or split, the hub cannot be reached and the files are
            not in the cache, or files are missing on the hub.
    """
    if name not in DATASETS:
        raise DataError(f"no data set {name!r}", todo=f"take one of {', '.join(DATASETS)}")
    dataset = DATASETS[name]
    if split not in dataset.splits:
        todo = f"take one of {', '.join(dataset.splits)}"
        raise DataError(f"no split {split!r}", where=name, todo=todo)
    require(f"the data set {name}", "huggingface_hub", "pyarrow")
    from huggingface_hub import snapshot_download

    with _reported(name):
        files = []
        with suppress(Exception):  # without the hub, the client below looks into its cache
            files = list_files(dataset.repository, _patterns(split))
        resume(dataset.repository, files)
        folder = snapshot_download(
            dataset.repository, repo_type="dataset", allow_patterns=_patterns(split)
        )
    paths = sorted(Path(folder).rglob(f"{split}-*.parquet"))
    _check_complete(paths, name, split)
    return paths


def size_of(name: str, split: str = "train") -> tuple[int, int]:
    """Bytes of a split's files, and how many of them are here already.

    Raises:
        DataError: the hub cannot be reached.
    """
    require(f"the data set {name}", "huggingface_hub")
    with _reported(name):
        files = list_files(DATASETS[name].repository, _patterns(split))
    return sum(file.size_bytes for file in files), sum(file.present_bytes for file in files)


def _patterns(split: str) -> list[str]:
    return [f"{split}-*.parquet", f"*/{split}-*.parquet"]


@contextmanager
def _reported(name: str) -> Iterator[None]:
    """A failed download as a DataError that says what to do."""
    try:
        yield
    except Exception as error:  # the hub's, its HTTP client's and the disk's errors are many
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"cannot be downloaded from the Hugging Face hub ({reason})",
            where=name,
            todo=(
                "check the network, set HF_ENDPOINT to a mirror, or download the Parquet files of "
                f"datasets/{DATASETS[name].repository} by hand and pass their names"
            ),
        ) from error


def _check_complete(files: list[Path], name: str, split: str) -> None:
    shards = re.search(r"-of-(\d+)$", files[0].stem) if files else None
    expected = int(shards[1]) if shards else len(files)
    if files and len(files) == expected:
        return
    count = f"{len(files)} of {expected}" if files else "no"
    raise DataError(
        f"split {split}: {count} files found",
        where=name,
        todo="try again later, or download the Parquet files by hand and pass their names",
    )
