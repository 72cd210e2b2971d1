"""Sources: files, globs and URLs; formats by extension."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentir.errors import DataError, UsageError
from sentir.io.paths import (
    expand_sources,
    format_from_name,
    path_list,
    without_compression,
)


def test_expand_keeps_the_order_and_sorts_globs(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c[1].csv"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "d.csv").mkdir()
    plain, bracketed = str(tmp_path / "b.csv"), str(tmp_path / "c[1].csv")
    assert expand_sources([bracketed, "-", "memory://x", str(tmp_path / "[ab].csv"), plain]) == [
        bracketed,
        "-",
        "memory://x",
        str(tmp_path / "a.csv"),
        plain,
        plain,
    ]
    assert len(expand_sources([str(tmp_path / "*.csv")])) == 3


def test_sources_that_do_not_exist_are_errors_with_advice(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_bytes(b"x")
    near, far = tmp_path / "review.csv", tmp_path / "zzz"
    cases = {
        near: f"no such file; did you mean {tmp_path / 'reviews.csv'}?",
        far: "no such file; check the name",
        tmp_path / "gone" / "x": f"no such file; there is no folder {tmp_path / 'gone'}",
        tmp_path: f"a folder, not a file; name the files in it: '{tmp_path / '*.csv'}'",
        tmp_path / "*.tsv": "no file matches; check the folder and pattern",
        tmp_path / ("x" * 300): (
            "cannot be opened (File name too long); check the name, its permissions and the network"
        ),
    }
    for path, message in cases.items():
        with pytest.raises(DataError) as caught:
            expand_sources([str(path)])
        assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.csv", "csv"),
        ("a.TSV.gz", "tsv"),
        ("a.tab", "tsv"),
        ("b.v2/a.json.zst", "jsonl"),
        ("a.pq", "parquet"),
        ("a.csv.txt", None),
        ("csv", None),
        ("a.gz", None),
    ],
)
def test_the_format_of_a_name(name: str, format: str | None) -> None:
    assert format_from_name(name) == format


def test_the_name_without_compression() -> None:
    assert without_compression("Train.FT.txt.BZ2") == "train.ft.txt"
    assert without_compression("a.csv") == "a.csv"


@pytest.mark.parametrize("paths", ["a.csv", Path("a.csv"), ["a.csv"], (Path("a.csv"),)])
def test_one_path_or_several(paths) -> None:
    assert path_list(paths, "train") == ("a.csv",)


@pytest.mark.parametrize("paths", [None, 3, [3], [None]])
def test_what_is_no_path_is_refused_by_name(paths) -> None:
    with pytest.raises(UsageError, match=r"valid = .*; pass a path, or a list of paths"):
        path_list(paths, "valid")
