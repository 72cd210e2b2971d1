"""A run's folder: whether a run may start or resume in it, and what stays there in the end.

A folder is ours when ``run.json`` is in it, which is written before anything else. A folder that
holds other files is refused, whatever was asked: nothing is removed that Sentir did not write, and
nothing is written or removed through a symbolic link.
"""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sentir.bundle import FOLDER, KNOWN_FILES
from sentir.config import Settings
from sentir.data.cache import digest
from sentir.errors import FinishedRunError, SentirError, UsageError
from sentir.io.atomic import atomic_write, is_part_of, remove, report_unwritable, tidy
from sentir.training.callbacks import Callback, MetricsFile, call_all
from sentir.training.checkpoint import Checkpoints, Position
from sentir.version import __version__

#: The file by which a run's folder is known.
MARK = "run.json"
LOCK = ".lock"
#: What a run writes and replaces: none of it may be a symbolic link.
OWN_NAMES = (
    MARK, LOCK, FOLDER, "cache", "checkpoint.pt", "best.safetensors", "metrics.jsonl",
    "report.html", "tensorboard",
)  # fmt: skip

#: What may be in the model's folder: its files, and what `sentir export` writes there.
MODEL_FILES = (*KNOWN_FILES, "model.onnx")

_log = logging.getLogger(__name__)


@contextmanager
def open_run_dir(
    folder: Path, callbacks: Sequence[Callback], *, resume: bool, overwrite: bool
) -> Iterator[Callback]:
    """Make the folder if a run may start or resume in it, and keep other processes out of it.

    Yields:
        A callback that writes ``metrics.jsonl`` and calls all others.

    Raises:
        UsageError: the folder is not a run's, or holds another run; another process uses it; or it
            cannot be made.
    """
    is_new = not folder.exists()
    new_parents = [parent for parent in folder.parents if not parent.exists()]
    finished = failed = False
    with report_unwritable(folder):
        check_run_dir(folder, resume=resume, overwrite=overwrite)
    lock = lock_folder(folder)
    try:
        with report_unwritable(folder):
            # Again: another process may have trained here before the lock was ours.
            check_run_dir(folder, resume=resume, overwrite=overwrite)
            write_mark(folder / MARK)
        yield call_all([MetricsFile(folder / "metrics.jsonl"), *callbacks])
        finished = True
    except SentirError:
        failed = True
        raise
    except (OSError, RuntimeError) as error:
        reason = reason_unwritable(error)
        if reason is None:
            raise
        raise UsageError(
            reason,
            where=str(folder),
            todo="make room, then repeat the command"
            + (" with --resume" if (folder / "checkpoint.pt").exists() else ""),
        ) from None
    except KeyboardInterrupt:  # before or after the loop, which itself ends with its best model
        if (folder / "checkpoint.pt").exists():
            _log.info("interrupted: the same command with --resume goes on")
        raise
    finally:
        unlock_folder(lock)
        if is_new and not finished:
            _remove_if_unused(folder, new_parents, with_cache=failed)


def lock_folder(folder: Path) -> FileLock:
    """Make a folder, and keep other processes out of it until `unlock_folder`, or a kill.

    Raises:
        UsageError: another process is at work in it, or it cannot be made.
    """
    lock = FileLock(folder / LOCK, timeout=0)  # released by a kill, though the file stays
    with report_unwritable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise UsageError(
                "another process is at work here",
                where=str(folder),
                todo="wait for it, stop it, or choose another --output",
            ) from None
    return lock


def unlock_folder(lock: FileLock) -> None:
    """Let other processes into a folder again, and remove the file of the lock."""
    with suppress(OSError):  # Windows removes no file that is open
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def reason_unwritable(error: OSError | RuntimeError) -> str | None:
    """Why a file could not be written, if that is what the error says.

    PyTorch's own writer says it in words only.
    """
    if isinstance(error, OSError):
        reasons = {
            errno.ENOSPC: "the disk is full",
            getattr(errno, "EDQUOT", errno.ENOSPC): "the disk is full",
            errno.EFBIG: "a file would be larger than is allowed (ulimit -f)",
        }
        return reasons.get(error.errno or 0)
    is_writer = any(words in str(error) for words in ("inline_container", "iostream error"))
    return "the disk is full" if is_writer else None


def _remove_if_unused(folder: Path, new_parents: Sequence[Path], *, with_cache: bool) -> None:
    """Remove the new folder of a run that failed before there was anything to resume.

    Args:
        folder: the run's.
        new_parents: folders that were made for it, from the innermost outwards.
        with_cache: whether its encoded reviews go too: the reviews or the settings were wrong.
    """
    with suppress(OSError):
        if {path.name for path in folder.iterdir()} - {MARK, "cache", "metrics.jsonl"}:
            return
        cache = folder / "cache"
        if cache.is_dir() and not cache.is_symlink() and not any(cache.iterdir()):
            cache.rmdir()
        if with_cache and cache.exists():
            remove(cache)
        if cache.exists():
            return
        for name in (MARK, "metrics.jsonl"):
            (folder / name).unlink(missing_ok=True)
        for path in (folder, *new_parents):
            path.rmdir()  # an error if others have put something there, which ends it


def check_run_dir(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse to start where something would be lost, and to resume where there is no run.

    Raises:
        UsageError: the folder is not a run's or holds another run, or the request contradicts
            itself.
    """
    checkpoint, model = folder / "checkpoint.pt", folder / FOLDER
    where = str(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError("not a folder", where=where, todo="choose another --output")
    if resume and overwrite:
        raise UsageError("--resume and --overwrite exclude each other", todo="choose one")
    check_is_ours(folder, MARK, OWN_NAMES, "not a run's folder, and not empty")
    _check_model_folder(folder / FOLDER)
    _tidy(folder)
    if overwrite:  # the old run is replaced only when there is something to put in its place
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


def check_is_ours(folder: Path, mark: str, own_names: Sequence[str], refusal: str) -> None:
    """Refuse a folder without our mark that holds files, or with links where we would write.

    Args:
        folder: it need not exist.
        mark: the file by which our folders are known.
        own_names: what is written and replaced in it.
        refusal: what to say of a folder with files and without the mark.

    Raises:
        UsageError: the folder is not ours.
    """
    if not folder.is_dir():
        return
    for name in own_names:
        if (folder / name).is_symlink():
            raise UsageError(
                "a symbolic link, through which sentir would write",
                where=str(folder / name),
                todo="remove it, or choose another --output",
            )
    names = sorted(path.name for path in folder.iterdir())
    # A kill may leave the lock, or a part of the mark, before the mark is there.
    others = [name for name in names if name != LOCK and not is_part_of(name, mark)]
    if mark not in names and others:
        raise UsageError(
            f"{refusal} (it holds {', '.join(others[:3])}{' and others' if others[3:] else ''})",
            where=str(folder),
            todo="choose another --output: a new or an empty folder",
        )


def _check_model_folder(model: Path) -> None:
    """Refuse a model's folder with files that we did not write: a run replaces it as a whole."""
    foreign = sorted(
        path.name
        for path in (model.iterdir() if model.is_dir() else ())
        if path.name not in MODEL_FILES
        and not any(is_part_of(path.name, name) for name in MODEL_FILES)
    )
    if foreign:
        raise UsageError(
            f"it holds {foreign[0]}, which sentir did not write and would remove",
            where=str(model),
            todo="move it elsewhere, or choose another --output",
        )


def _tidy(folder: Path) -> None:
    """Remove what a kill left: parts of files, and what a finished run has no use for."""
    if not (folder / MARK).exists():
        return
    for name in OWN_NAMES:
        tidy(folder / name)
    if (folder / FOLDER).exists() and not (folder / "checkpoint.pt").exists():
        (folder / "best.safetensors").unlink(missing_ok=True)
        if (folder / LOCK).exists():
            with suppress(Timeout, OSError), FileLock(folder / LOCK, timeout=0):
                (folder / LOCK).unlink()


def identity_of(cache_key: Sequence[Any], config: Settings) -> str:
    """The identity of a run: of its reviews and settings, wherever they lie."""
    settings = config.to_dict()
    # Of a file of word vectors only the name counts: it may lie elsewhere on another host.
    settings["model"]["embedding_init"] = Path(settings["model"]["embedding_init"]).name
    return digest([digest(cache_key), settings])


def checkpoints_of(
    folder: Path, cache_key: Sequence[Any], config: Settings, *, resume: bool
) -> Checkpoints:
    """The run's checkpoints; one to resume from is checked before anything else is touched.

    Raises:
        DataError: it is damaged, or was made with other settings or data.
    """
    checkpoints = Checkpoints(folder, identity_of(cache_key, config))
    if resume:
        checkpoints.check()
    return checkpoints


def is_begun(folder: Path, cache_key: Sequence[Any], config: Settings) -> bool:
    """Whether a run was begun in that folder and has not finished.

    Raises:
        FinishedRunError: this very run has finished.
    """
    if (folder / "checkpoint.pt").exists():
        return True
    mark: Any = None
    with suppress(OSError, ValueError):  # absent, or not ours
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    has_finished = isinstance(mark, dict) and "finished" in mark and (folder / FOLDER).exists()
    if has_finished and mark["finished"] == identity_of(cache_key, config):
        raise FinishedRunError(
            "this run has finished", where=str(folder), todo="--overwrite trains anew"
        )
    return False


def finish(checkpoints: Checkpoints, position: Position) -> None:
    """Remove what only an unfinished run needs, or say how to go on with it."""
    if position.stopped == "interrupted":
        _log.info(
            "interrupted: this is the best model so far; the same command with --resume goes on "
            "from the last validation"
        )
        return
    write_mark(checkpoints.path.parent / MARK, finished=checkpoints.identity)
    checkpoints.remove()


def write_mark(path: Path, **known: str) -> None:
    """Write the file by which a folder is known as ours, and what is known of what it holds."""
    with atomic_write(path) as part:
        part.write_text(json.dumps({"sentir": __version__, **known}) + "\n", encoding="utf-8")
