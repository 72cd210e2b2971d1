"""The folder of a search: nothing in it is lost, and nothing that is not ours is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentir.errors import DataError, UsageError
from sentir.tuning.folder import is_finished, open_search_dir, run_name, runs_of


def open_it(folder: Path, identity: str = "a", *, resume: bool = False, overwrite: bool = False):  # type: ignore[no-untyped-def]
    return open_search_dir(folder, identity, resume=resume, overwrite=overwrite)


def test_a_search_is_not_begun_over_another(tmp_path: Path) -> None:
    with open_it(tmp_path / "s"):
        pass
    with pytest.raises(UsageError, match="a search is here"), open_it(tmp_path / "s"):
        pass
    with open_it(tmp_path / "s", resume=True):
        pass


def test_overwrite_removes_what_a_search_wrote_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with open_it(folder):
        pass
    for name in ("trials.log", "best.toml", "tune.html", "notes.txt"):
        (folder / name).write_text("x", "utf-8")
    for name in ("preset", "trial-12", "trial-12-seed-2", "cache", "mine", "trial-x"):
        (folder / name).mkdir()
    with open_it(folder, overwrite=True):
        assert {path.name for path in folder.iterdir()} == {
            "tune.json", ".lock", "notes.txt", "mine", "trial-x",
        }  # fmt: skip


def test_another_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", "utf-8")
    with pytest.raises(UsageError, match="not a search's folder"), open_it(tmp_path):
        pass
    with (
        pytest.raises(UsageError, match="not a search's folder"),
        open_it(tmp_path, overwrite=True),
    ):
        pass
    with pytest.raises(UsageError, match="not a folder"), open_it(tmp_path / "letter.txt"):
        pass


@pytest.mark.parametrize("name", ["best.toml", "trial-3", "preset-seed-1", "cache"])
def test_nothing_is_written_through_a_link(name: str, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "s", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with open_it(folder):
        pass
    (folder / name).symlink_to(elsewhere)
    with pytest.raises(UsageError, match="a symbolic link"), open_it(folder, overwrite=True):
        pass


def test_another_process_is_kept_out(tmp_path: Path) -> None:
    with (
        open_it(tmp_path / "s"),
        pytest.raises(UsageError, match="another process"),
        open_it(tmp_path / "s", resume=True),
    ):
        pass


def test_a_damaged_mark_is_named(tmp_path: Path) -> None:
    (tmp_path / "tune.json").write_text("[", "utf-8")
    with pytest.raises(DataError, match=r"tune\.json: damaged"), open_it(tmp_path, resume=True):
        pass


def test_runs_are_known_by_their_names(tmp_path: Path) -> None:
    assert [run_name(0), run_name(3), run_name(0, 1)] == ["preset", "trial-3", "preset-seed-1"]
    for name in ("trial-1", "trial-1-seed-2", "trial-10"):
        (tmp_path / name).mkdir()
    assert {path.name for path in runs_of(tmp_path, 1)} == {"trial-1", "trial-1-seed-2"}
    assert not is_finished(tmp_path / "trial-1")
