from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sentir.errors import UsageError
from sentir.io import atomic
from sentir.io.atomic import atomic_write, check_writable, is_part_of, scratch_folder


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
        assert beside.parent.parent == path.parent  # on the same file system
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

    monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)

    def fail(self: Path, target: Path) -> Path:
        if self.name == "model" and target == path and self != path:
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


def killed_write(path: Path, *, after: str) -> None:
    """Another process that is killed while it writes."""
    program = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from sentir.io.atomic import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as beside:\n"
        f"    {after}\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=False, timeout=60)


def test_what_a_kill_left_is_tidied(tmp_path: Path) -> None:
    killed_write(tmp_path / "a.txt", after="beside.touch()")
    killed_write(tmp_path / "model", after="beside.mkdir()")
    assert len(names(tmp_path)) == 2
    assert is_part_of(names(tmp_path)[0], "a.txt")
    write_folder(tmp_path / "model", "one")
    with atomic_write(tmp_path / "a.txt") as beside:
        beside.write_text("one")
    assert names(tmp_path) == ["a.txt", "model"]


def test_a_folder_moved_away_by_a_killed_writer_comes_back(tmp_path: Path) -> None:
    write_folder(tmp_path / ".model.abcdefgh.part" / "old", "old")
    with pytest.raises(KeyError), atomic_write(tmp_path / "model"):
        raise KeyError
    assert (tmp_path / "model" / "inner" / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["model"]
    write_folder(tmp_path / ".model.hgfedcba.part" / "old", "older")
    write_folder(tmp_path / "model", "new")
    assert names(tmp_path) == ["model"]
    assert (tmp_path / "model" / "inner" / "a.txt").read_text() == "new"


def test_what_another_writer_uses_is_not_tidied(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.txt") as first:
        first.write_text("first")
        with atomic_write(tmp_path / "a.txt") as second:
            second.write_text("second")
        assert (tmp_path / "a.txt").read_text() == "second"
        assert first.read_text() == "first"
    assert (tmp_path / "a.txt").read_text() == "first"  # the last to end wins
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_many_writers_of_one_path(tmp_path: Path, kind: str) -> None:
    """Every write succeeds, and no reader meets a file that is absent, half or mixed."""
    path = tmp_path / "a.txt"
    path.write_text("start" * 1000)
    program = (
        "import sys\nfrom pathlib import Path\nfrom sentir.io.atomic import atomic_write\n"
        "for number in range(40):\n"
        "    with atomic_write(Path(sys.argv[1])) as beside:\n"
        "        beside.write_text(sys.argv[2] * 5000)\n"
    )

    def write(letter: str) -> None:
        if kind == "processes":
            subprocess.run([sys.executable, "-c", program, path, letter], check=True, timeout=60)
            return
        for _ in range(40):
            with atomic_write(path) as beside:
                beside.write_text(letter * 5000)

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, letter) for letter in "xyz"]
        while not all(writer.done() for writer in writers):
            assert len(set(path.read_text().replace("start", "s"))) == 1
        for writer in writers:
            writer.result()
    assert names(tmp_path) == ["a.txt"]


def test_many_writers_of_one_folder(tmp_path: Path) -> None:
    path = tmp_path / "model"
    write_folder(path, "start")

    def write(letter: str) -> None:
        for _ in range(40):
            write_folder(path, letter)

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, letter) for letter in "xyz"]
        while not all(writer.done() for writer in writers):
            assert path.is_dir()
        for writer in writers:
            writer.result()
    assert names(tmp_path) == ["model"]
    assert (path / "inner" / "a.txt").read_text() in "xyz"


def test_without_an_exchange_of_names_a_folder_is_replaced_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    test_a_folder_is_replaced_whole(tmp_path)


def test_what_belongs_to_others_is_left_alone(tmp_path: Path) -> None:
    # a part of "a.txt", which is being written while "a" is, and a file that only looks alike
    for name in (".a.txt.abcdefgh.part", ".a.part", ".b.abcdefgh.part"):
        (tmp_path / name).mkdir()
    with atomic_write(tmp_path / "a") as beside:
        beside.write_text("one")
    assert len(names(tmp_path)) == 4


def test_what_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "a.csv"):
        with pytest.raises(UsageError, match="cannot be written"):
            check_writable(path)
    for path in (tmp_path / "file", tmp_path / "new" / "a.csv", Path("/dev/null")):
        check_writable(path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_scratch_folder_does_not_stay(tmp_path: Path) -> None:
    """Nor what a kill left of one; what another process uses does."""
    path = tmp_path / "new" / "scratch"
    killed = tmp_path / "new" / ".scratch.abcdefgh.part"
    (killed / "inside").mkdir(parents=True)
    with scratch_folder(path) as first, scratch_folder(path) as second:
        (first / "file").write_text("a")
        assert first != second
        assert sorted(path.parent.iterdir()) == sorted([first, second])
    assert list(path.parent.iterdir()) == []
    with pytest.raises(FileNotFoundError), scratch_folder(path) as scratch:
        (scratch / "no folder" / "file").touch()
    assert list(path.parent.iterdir()) == []
