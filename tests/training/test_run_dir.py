"""A run's folder: the files of others in it, and beside it, are sacred."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from fixtures.tiny_runs import TINY, kill, write_fasttext
from sentir.bundle import load_bundle
from sentir.errors import DataError, SentirError, UsageError
from sentir.inference.export import export
from sentir.training.pretrain import pretrain
from sentir.training.run import train
from sentir.training.run_dir import OWN_NAMES, check_run_dir, open_run_dir

NOT_OURS = "not a run's folder, and not empty"


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every path below the folder, links not followed."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        if path.is_file() and not path.is_symlink()
        else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    return write_fasttext(tmp_path / "a.ft.txt", 120)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's folder, whose files have the names of a run's."""
    project = tmp_path / "project"
    (project / "cache" / "0123456789abcdef").mkdir(parents=True)
    (project / "cache" / "0123456789abcdef" / "thesis.txt").write_text("years of work")
    (project / "model").mkdir()
    for name in ("best.safetensors", ".lock", "metrics.jsonl", "report.html", "model/notes.txt"):
        (project / name).write_text("mine")
    return project


@pytest.mark.parametrize("how", [{}, {"overwrite": True}, {"resume": True}], ids=str)
@pytest.mark.parametrize("run", [train, pretrain])
def test_a_folder_of_somebody_else_is_refused(
    project: Path, reviews: Path, run, how: dict[str, bool]
) -> None:
    before = contents(project)
    with pytest.raises(UsageError, match=f"{NOT_OURS}.*; choose another --output"):
        run(reviews, project, **how)
    assert contents(project) == before


@pytest.mark.parametrize("name", [".env", "checkpoint.pt", "model", "run.json.bak", ".run.json.x"])
def test_a_single_file_makes_a_folder_somebody_else_s(tmp_path: Path, name: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text("")
    with pytest.raises(UsageError, match=rf"{NOT_OURS} \(it holds {name}\)"):
        check_run_dir(tmp_path / "run", resume=False, overwrite=True)


def test_an_empty_folder_and_what_a_kill_left_in_one_are_taken(
    tmp_path: Path, reviews: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / ".lock").touch()
    (run / ".run.json.abcdefgh.part").mkdir()  # killed while the mark was written
    train(reviews, run, config=TINY)
    assert json.loads((run / "run.json").read_text())["sentir"]
    assert {path.name for path in run.iterdir()} <= set(OWN_NAMES)


@pytest.mark.parametrize("name", ["cache", "model", "metrics.jsonl", "report.html", "run.json"])
def test_nothing_is_written_or_removed_through_a_link(
    tmp_path: Path, reviews: Path, name: str
) -> None:
    run, scratch = tmp_path / "run", tmp_path / "scratch"
    train(reviews, run, config=TINY)
    scratch.mkdir()
    (scratch / "0123456789abcdef").write_text("mine")
    (run / name).rename(tmp_path / "aside")
    (run / name).symlink_to(scratch)
    before = contents(scratch)
    with pytest.raises(UsageError, match=f"{name}: a symbolic link.*; remove it"):
        train(reviews, run, config=TINY, overwrite=True)
    assert contents(scratch) == before


def test_what_others_put_into_a_run_s_folder_stays(tmp_path: Path, reviews: Path) -> None:
    run = tmp_path / "run"
    train(reviews, run, config=TINY)
    (run / "notes.txt").write_text("mine")
    (run / "cache" / "notes").mkdir()
    train(reviews, run, config=TINY.override({"min_count": 1}), overwrite=True)
    assert (run / "notes.txt").read_text() == "mine"
    assert (run / "cache" / "notes").is_dir()


def test_a_strange_file_in_the_model_s_folder_is_not_removed(tmp_path: Path, reviews: Path) -> None:
    run = tmp_path / "run"
    train(reviews, run, config=TINY)
    (run / "model" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"it holds notes.txt, which sentir did not write"):
        train(reviews, run, config=TINY, overwrite=True)
    assert (run / "model" / "notes.txt").read_text() == "mine"


def test_an_exported_model_beside_the_bundle_is_ours(tmp_path: Path, reviews: Path) -> None:
    run = tmp_path / "run"
    train(reviews, run, config=TINY)
    export(load_bundle(run), run / "model" / "model.onnx")
    train(reviews, run, config=TINY, overwrite=True)
    assert not (run / "model" / "model.onnx").exists()  # it would be of the old model


def test_a_run_that_fails_early_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        train(tmp_path / "nowhere.csv", tmp_path / "new" / "run", config=TINY)
    assert not (tmp_path / "new" / "run").exists()


def test_a_run_that_is_killed_keeps_its_folder(tmp_path: Path, reviews: Path) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        train(reviews, tmp_path / "run", config=TINY.override({"epochs": 2}), callbacks=[kill])
    assert (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_link_to_a_run_s_folder_is_a_run_s_folder(tmp_path: Path, reviews: Path) -> None:
    train(reviews, tmp_path / "first", config=TINY)
    (tmp_path / "latest").symlink_to(tmp_path / "first")
    train(reviews, tmp_path / "latest", config=TINY, overwrite=True)
    assert (tmp_path / "latest").is_symlink()


def test_the_mark_is_there_before_anything_else(tmp_path: Path) -> None:
    with open_run_dir(tmp_path / "run", [], resume=False, overwrite=False):
        assert {path.name for path in (tmp_path / "run").iterdir()} == {"run.json", ".lock"}


def test_a_run_that_another_finished_meanwhile_is_not_replaced(
    tmp_path: Path, reviews: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one trains between the first look at the folder and the lock."""
    folder = tmp_path / "run"
    acquire = FileLock.acquire

    def late(lock: FileLock) -> object:
        monkeypatch.setattr(FileLock, "acquire", acquire)
        train(reviews, folder, config=TINY)
        return acquire(lock)

    monkeypatch.setattr(FileLock, "acquire", late)
    with pytest.raises(UsageError, match="a model is here"):
        train(reviews, folder, config=TINY, seed=1)
    assert load_bundle(folder).config.train.seed == 0
    assert not (folder / ".lock").exists()


def test_what_a_kill_left_is_tidied(tmp_path: Path, reviews: Path) -> None:
    """Also where nothing is written again: in the cache, and in a run that has finished."""
    folder = tmp_path / "run"
    train(reviews, folder, config=TINY)
    whole = contents(folder)
    cached = next(path for path in (folder / "cache").iterdir() if path.is_dir())
    for path in (folder / "model", folder / "report.html", folder / "cache", cached):
        part = path.with_name(f".{path.name}.abcdefgh.part")
        (part / path.name).mkdir(parents=True)
    (folder / "best.safetensors").write_bytes(b"the kill came before it was removed")
    (folder / ".lock").touch()
    with pytest.raises(UsageError, match="this run has finished"):
        train(reviews, folder, config=TINY, resume=True)
    assert not (folder / ".lock").exists()
    train(reviews, folder, config=TINY, overwrite=True)
    assert contents(folder).keys() == whole.keys()


def mount(folder: Path, size: str) -> bool:
    """A file system of that size on the folder; false where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return (
        bool(shutil.which("mount")) and subprocess.run(command, capture_output=True).returncode == 0
    )


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system of a given size")
@pytest.mark.parametrize("size", ["40k", "120k", "200k", "300k"])
def test_a_full_disk_is_one_line(tmp_path: Path, reviews: Path, size: str) -> None:
    """Wherever it is met: in the mark, the cache, a checkpoint, the bundle or the report."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount(disk, size):
        pytest.skip("only root can mount a small file system")
    try:
        with pytest.raises(UsageError, match=r"the disk is full|No space left") as caught:
            train(reviews, disk / "run", config=TINY.override({"embedding_dim": 64}))
        assert "; " in str(caught.value)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EFBIG, "File too large"), r"larger than is allowed \(ulimit -f\)"),
        (RuntimeError("[enforce fail at inline_container.cc:672] . pos 3"), "the disk is full"),
        # PyTorch's last write, as it closes the file
        (RuntimeError("basic_ios::clear: iostream error"), "the disk is full"),
    ],
    ids=["full", "limit", "pytorch", "pytorch closes"],
)
def test_a_full_disk_is_known_whoever_writes(tmp_path: Path, error: Exception, reason: str) -> None:
    with (
        pytest.raises(UsageError, match=f"{reason}; make room, then repeat the command"),
        open_run_dir(tmp_path / "run", [], resume=False, overwrite=False),
    ):
        raise error


def test_other_failures_are_not_taken_for_a_full_disk(tmp_path: Path, reviews: Path) -> None:
    def fail(event: dict[str, object]) -> None:
        raise OSError("the sensor is broken")

    with pytest.raises(OSError, match="the sensor is broken"):
        train(reviews, tmp_path / "run", config=TINY, callbacks=[fail])


def test_a_run_that_fails_late_leaves_no_folder(tmp_path: Path, reviews: Path) -> None:
    stray = tmp_path / "b.ft.txt"
    stray.write_text("__label__meh x\n")
    before = sorted(tmp_path.iterdir())
    for run, inputs in ((train, {"test": str(stray)}), (train, {"device": "cuda"}),
                        (pretrain, {"device": "cuda"})):  # fmt: skip
        with pytest.raises(SentirError):
            run(reviews, tmp_path / "runs" / "shop", **inputs)
        assert sorted(tmp_path.iterdir()) == before


def test_a_run_that_fails_leaves_what_others_put_beside_it(tmp_path: Path, reviews: Path) -> None:
    def fail(event: dict[str, object]) -> None:
        (tmp_path / "runs" / "notes.txt").write_text("mine")
        raise DataError("stop")

    with pytest.raises(DataError, match="stop"):
        train(reviews, tmp_path / "runs" / "shop", config=TINY, callbacks=[fail])
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["notes.txt"]


def test_an_old_run_that_fails_again_stays(tmp_path: Path, reviews: Path) -> None:
    def interrupt(event: dict[str, object]) -> None:
        if event["event"] == "start":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(reviews, tmp_path / "run", config=TINY, callbacks=[interrupt])
    assert (tmp_path / "run" / "cache").is_dir()  # the reviews need not be read again
