"""The folder of a search, see `sentir.tuning.search`.

::

    SEARCH/
      tune.json       by which the folder is known as a search's
      trials.log      every trial: settings, losses, how it ended (Optuna's journal)
      best.toml       the best settings, for `sentir train --config`
      tune.html       the search to look at
      preset/         the run of trial 0, and preset-seed-1/ and so on of other seeds
      trial-7/        the run of the best trial, and of other seeds
      cache/          the reviews as ids
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentir.bundle import FOLDER
from sentir.errors import DataError, UsageError
from sentir.io.atomic import remove, report_unwritable
from sentir.training.run_dir import LOCK, check_is_ours, lock_folder, unlock_folder, write_mark

MARK, JOURNAL, BEST, PAGE, CACHE = "tune.json", "trials.log", "best.toml", "tune.html", "cache"
_OWN_NAMES = (MARK, LOCK, JOURNAL, BEST, PAGE, CACHE)
_RUN = re.compile(r"(preset|trial-\d+)(-seed-\d+)?")


def run_name(number: int, seed: int | None = None) -> str:
    """The folder of a trial's run; with `seed`, of its repetition with another seed."""
    name = f"trial-{number}" if number else "preset"
    return name if seed is None else f"{name}-seed-{seed}"


def runs_of(folder: Path, number: int) -> list[Path]:
    """The folders of a trial's run and of its repetitions, that are there."""
    name = run_name(number)
    return [
        path
        for path in folder.iterdir()
        if path.name == name or path.name.startswith(f"{name}-seed-")
    ]


def is_finished(run: Path) -> bool:
    """Whether the run in that folder was trained to its end."""
    return (run / FOLDER).exists() and not (run / "checkpoint.pt").exists()


@contextmanager
def open_search_dir(
    folder: Path, identity: str, *, resume: bool, overwrite: bool
) -> Iterator[None]:
    """Make the folder if a search may start or go on in it, and keep other processes out of it.

    Args:
        folder: the search's.
        identity: of the data, the settings to start from and what is searched.
        resume: go on with the search in that folder.
        overwrite: replace the search in that folder.

    Raises:
        DataError: the search to go on with has other data or settings.
        UsageError: the folder is not a search's, holds another search, or cannot be made; or
            another process uses it.
    """
    if resume and overwrite:
        raise UsageError("--resume and --overwrite exclude each other", todo="choose one")
    with report_unwritable(folder):
        _check(folder, resume=resume, overwrite=overwrite)
    lock = lock_folder(folder)
    try:
        with report_unwritable(folder):
            _check(folder, resume=resume, overwrite=overwrite)
            if resume and (folder / MARK).exists():
                _check_identity(folder / MARK, identity)
            elif overwrite:
                remove_search(folder)
            write_mark(folder / MARK, search=identity)
        yield
    finally:
        unlock_folder(lock)


def _check(folder: Path, *, resume: bool, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError("not a folder", where=str(folder), todo="choose another --output")
    runs = [path.name for path in folder.glob("*") if _RUN.fullmatch(path.name)]
    check_is_ours(folder, MARK, (*_OWN_NAMES, *runs), "not a search's folder, and not empty")
    if (folder / MARK).exists() and not (resume or overwrite):
        raise UsageError(
            "a search is here", where=str(folder), todo="go on with --resume, or --overwrite it"
        )


def _check_identity(mark: Path, identity: str) -> None:
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))["search"]
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(
            f"damaged ({error})", where=str(mark), todo="start again with --overwrite"
        ) from None
    if found != identity:
        raise DataError(
            "the search was made with other reviews or settings",
            where=str(mark.parent),
            todo="repeat the first command with --resume, or start again with --overwrite",
        )


def remove_search(folder: Path) -> None:
    """Remove what a search wrote, and nothing else."""
    for path in folder.iterdir():
        if path.name in (JOURNAL, BEST, PAGE, CACHE) or _RUN.fullmatch(path.name):
            remove(path)
