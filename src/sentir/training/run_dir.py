"""A run's folder: whether a run may begin in it or go on, and what is left there in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sentir.bundle import FOLDER
from sentir.config import Settings
from sentir.data.cache import digest
from sentir.errors import UsageError
from sentir.io.atomic import report_unwritable
from sentir.training.callbacks import Callback, MetricsFile, call_all
from sentir.training.checkpoint import Checkpoints, Position


@contextmanager
def open_run_dir(
    folder: Path, callbacks: Sequence[Callback], *, resume: bool, overwrite: bool
) -> Iterator[Callback]:
    """Make the folder if a run may begin in it or go on, and keep other processes out of it.

    Yields:
        A callback that keeps the run's figures there, and tells the others.

    Raises:
        UsageError: the folder holds another run, or another process is at work in it; what was
            asked cannot be, or it cannot be made.
    """
    held = folder / ".lock"
    lock = FileLock(held, timeout=0)  # a kill lets go of it, though the file stays
    with report_unwritable(folder):
        check_run_dir(folder, resume=resume, overwrite=overwrite)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise UsageError(
                "another process is at work here",
                where=str(folder),
                todo="wait for it, stop it, or choose another --output",
            ) from None
    emit = call_all([MetricsFile(folder / "metrics.jsonl"), *callbacks])
    try:
        yield emit
    except KeyboardInterrupt:  # before training or after it, which itself ends with its best model
        if (folder / "checkpoint.pt").exists():
            emit({"event": "say", "message": "interrupted: the same command with --resume goes on"})
        raise
    finally:
        with suppress(OSError):  # Windows removes no file that is open
            held.unlink(missing_ok=True)
        lock.release()


def check_run_dir(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse to begin where another run would be lost, or to go on where none is.

    Raises:
        UsageError: the folder holds another run, or what was asked cannot be.
    """
    checkpoint, model = folder / "checkpoint.pt", folder / FOLDER
    where = str(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError("not a folder", where=where, todo="choose another --output")
    if resume and overwrite:
        raise UsageError("--resume and --overwrite exclude each other", todo="choose one")
    if overwrite:  # what is there goes when there is something to put in its place
        return
    if resume and model.exists() and not checkpoint.exists():
        raise UsageError("this run has finished", where=where, todo="--overwrite trains anew")
    if checkpoint.exists() and not resume:
        raise UsageError(
            "an unfinished run is here", where=where, todo="go on with --resume, or --overwrite it"
        )
    if model.exists() and not resume:
        raise UsageError(
            "a model is here", where=where, todo="--overwrite it or choose another --output"
        )


def checkpoints_of(
    folder: Path, made_from: Sequence[Any], config: Settings, *, resume: bool
) -> Checkpoints:
    """The run's checkpoints; one to go on from is looked at before anything else is touched.

    Raises:
        DataError: it is damaged, or was made with other settings or data.
    """
    checkpoints = Checkpoints(folder, digest([digest(made_from), config.to_dict()]))
    if resume:
        checkpoints.check()
    return checkpoints


def leave(checkpoints: Checkpoints, position: Position, emit: Callback) -> None:
    """Clear away what only an unfinished run needs, or say how to go on with it."""
    if position.stopped == "interrupted":
        emit({"event": "say", "message": "interrupted: this is the best model so far; the same "
              "command with --resume goes on from the last validation"})  # fmt: skip
    else:
        checkpoints.remove()
