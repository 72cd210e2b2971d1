"""Files shared out among processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentir.errors import DataError, UsageError
from sentir.io.shares import Share, SourceFile, list_files, share_of


@given(st.lists(st.integers(0, 50) | st.none(), max_size=12), st.integers(1, 9))
def test_shares_are_all_files_in_their_order(sizes: list[int | None], total: int) -> None:
    files = [SourceFile(f"{index}.csv", size) for index, size in enumerate(sizes)]
    shares = [share_of(files, Share(number, total)) for number in range(total)]
    assert [file for share in shares for file in share] == files


def test_shares_are_about_as_large() -> None:
    files = [SourceFile(f"{index}.csv", 10) for index in range(64)]
    assert {len(share_of(files, Share(number, 8))) for number in range(8)} == {8}


@pytest.mark.parametrize("text", ["3/3", "0/0", "-1/3", "1", "a/b", "1/3/5"])
def test_a_share_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="parts are counted from 0: 0/"):
        Share.parse(text)


def test_a_share_is_written_as_it_is_read() -> None:
    assert str(Share.parse("3/64")) == "3/64"


def test_a_folder_of_tables_is_its_files(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "README.md"):
        (tmp_path / name).write_text("text,label\nx,pos\n")
    assert [Path(file.source).name for file in list_files([str(tmp_path)])] == ["a.csv", "b.csv"]


def test_a_folder_whose_names_say_the_classes_is_one(tmp_path: Path) -> None:
    for name in ("pos", "neg"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text("x")
        (tmp_path / name / "2.txt").write_text("y")
    (file,) = list_files([str(tmp_path)])
    assert file == (str(tmp_path), 4)


def test_what_a_file_is_does_not_hang_on_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("12345")
    (file,) = list_files([str(tmp_path / "*.csv")])
    assert file.identity == ("a.csv", 5)
    assert list_files(["sample"])[0].identity == ("sample", None)
    with pytest.raises(DataError, match="no such file"):
        list_files([str(tmp_path / "b.csv")])
