from __future__ import annotations

import os
from pathlib import Path

import pytest

from sentir.io.atomic import atomic_write


def write_half(path: Path, error: type[BaseException]) -> None:
    with atomic_write(path) as beside:
        beside.write_text("half")
        raise error


def write_folder_half(path: Path) -> None:
    with atomic_write(path) as beside:
        beside.mkdir()
        (beside / "half.txt").touch()
        (beside / "half.txt" / "more.txt").touch()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_folder(path: Path, text: str) -> None:
    with atomic_write(path) as beside:
        (beside / "inner").mkdir(parents=True)
        (beside / "inner" / "a.txt").write_text(text)


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"  # the folder is made
    with atomic_write(path) as beside:
        beside.write_text("one")
        assert beside.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "one"
    with atomic_write(path) as beside:
        beside.write_text("two")
        assert path.read_text() == "one"
    assert path.read_text() == "two"
    assert names(path.parent) == ["a.txt"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "model"
    write_folder(path, "one")
    (path / "stale.txt").touch()
    write_folder(path, "two")
    assert (path / "inner" / "a.txt").read_text() == "two"
    assert names(path) == ["inner"]
    assert names(tmp_path) == ["model"]


def test_what_is_written_is_on_disk_before_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced, sync = tmp_path / "model", [], os.fsync

    def note(descriptor: int) -> None:
        synced.append(path.exists())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write_folder(path, "one")
    with atomic_write(tmp_path / "a.txt") as beside:
        beside.write_text("one")
    assert synced == [False, True]  # the folder's file before it, then the file


def test_an_error_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(KeyError):
        write_half(path, KeyError)
    assert names(tmp_path) == []
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_half(path, KeyboardInterrupt)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_keeps_the_old_folder_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "model"
    write_folder(path, "old")
    with pytest.raises(NotADirectoryError):
        write_folder_half(path)
    assert names(path) == ["inner"]
    assert names(tmp_path) == ["model"]


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_the_old_folder_stands_again_if_the_new_one_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model"
    write_folder(path, "old")
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="no"):
        write_folder(path, "new")
    assert (path / "inner" / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_a_file_does_not_replace_a_folder(tmp_path: Path) -> None:
    write_folder(tmp_path / "model", "old")
    with pytest.raises(OSError), atomic_write(tmp_path / "model") as beside:  # noqa: PT011
        beside.touch()
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == ["inner"]


def test_what_a_kill_left_is_tidied(tmp_path: Path) -> None:
    (tmp_path / ".a.txt.77.part").touch()
    (tmp_path / ".model.77.part").mkdir()
    write_folder(tmp_path / "model", "one")
    with atomic_write(tmp_path / "a.txt") as beside:
        beside.write_text("one")
    assert names(tmp_path) == ["a.txt", "model"]


def test_a_folder_moved_away_by_a_killed_writer_comes_back(tmp_path: Path) -> None:
    write_folder(tmp_path / ".model.77.old", "old")
    with pytest.raises(KeyError), atomic_write(tmp_path / "model"):
        raise KeyError
    assert (tmp_path / "model" / "inner" / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["model"]
    write_folder(tmp_path / ".model.78.old", "older")
    write_folder(tmp_path / "model", "new")
    assert names(tmp_path) == ["model"]
    assert (tmp_path / "model" / "inner" / "a.txt").read_text() == "new"


def test_what_belongs_to_others_is_left_alone(tmp_path: Path) -> None:
    # a part of "a.txt", which is being written while "a" is, and a file that only looks alike
    for name in (".a.txt.77.part", ".a.part", f".b.{os.getpid()}.part"):
        (tmp_path / name).touch()
    with atomic_write(tmp_path / "a") as beside:
        beside.write_text("one")
    assert len(names(tmp_path)) == 4
