"""Files are tried before time is spent."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.review_files import written
from sentir.config import ReadOptions
from sentir.errors import DataError
from sentir.io.columns import Columns
from sentir.io.first_rows import CHECKED, check_first_rows

GOOD = "text,label\nx,1\n"


def check(*files: Path | str, labelled: bool = True, **options: object) -> None:
    check_first_rows(list(map(str, files)), ReadOptions(**options), labelled=labelled)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("a,b\n1,2\n", "usual name for the text"),
        ("text,b\n1,2\n", "usual name for the label"),
        ("", "is empty"),
        ("text,text,label\n1,2,3\n", "names two columns"),
        (b"PK\x03\x04" + b"\0" * 40, "zip"),
    ],
)
def test_files_as_such(tmp_path: Path, content: str | bytes, error: str, messages) -> None:
    good, bad = written(tmp_path / "a.csv", GOOD), written(tmp_path / "b.csv", content)
    check(good)
    with pytest.raises(DataError, match=error):
        check(good, bad)
    assert not messages.logged()


@pytest.mark.parametrize("row", ["x\n", ",1\n", "x,\n", '"x,1\n'])
def test_rows_are_not_judged(tmp_path: Path, row: str) -> None:
    check(written(tmp_path / "a.csv", f"text,label\n{row}{GOOD}"))


def test_what_cannot_be_read_twice_is_left_out(tmp_path: Path) -> None:
    check("-", "https://nowhere.example/a.csv", "sample", "amazon_polarity:test")
    with pytest.raises(DataError, match="no such file"):
        check("-", tmp_path / "gone.csv")


def test_a_long_list_is_not_opened_whole(tmp_path: Path) -> None:
    for number in range(CHECKED):
        written(tmp_path / f"{number:03}.csv", GOOD)
    written(tmp_path / "last.csv", "a,b\n1,2\n")
    check(tmp_path / "*.csv")


def test_doubts_are_not_told_yet_and_labels_not_needed(tmp_path: Path, messages) -> None:
    path = written(tmp_path / "a.csv", "text,review\nx,y\n")
    check(path, labelled=False)
    known = [Columns(text=("a",), label="b")]
    named = written(tmp_path / "b.csv", "a,b\n1,2\n")
    check_first_rows([str(named)], ReadOptions(), trained_on=known)
    assert not messages.warned()
