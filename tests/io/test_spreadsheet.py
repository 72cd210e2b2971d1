"""Rows of .xlsx spreadsheets."""

from __future__ import annotations

import datetime as dt
import random
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fixtures.review_files import ROWS, Row, message, pairs, read, skipping, written
from sentir.errors import DataError, MissingExtraError
from sentir.io import spreadsheet
from sentir.io.reader import detect_format

openpyxl: Any = pytest.importorskip("openpyxl", reason="the extra xlsx is not installed")


def _xlsx(path: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def _table(rows: Sequence[Row]) -> list[Sequence[Any]]:
    return [("text", "label"), *rows]


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = _xlsx(tmp_path / "a.xlsx", Sheet=_table([*ROWS, ("two\nlines", "1")]))
    assert detect_format(str(path)) == "xlsx"
    assert pairs(read(path))[:4] == ROWS
    assert pairs(read(path))[-1] == ("two\nlines", "1")
    assert [review.line for review in read(path)] == [2, 3, 4, 5, 6]
    zipped = tmp_path / "a.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(path, "b/a.xlsx")
    assert read(zipped)[0].path == f"{zipped}:b/a.xlsx"


def test_cells_are_as_csv_would_hold_them(tmp_path: Path) -> None:
    day = dt.datetime(2026, 11, 27)
    cells = (
        "10",
        10.0,
        4.5,
        True,
        day,
        day.replace(hour=9),
        dt.time(9, 30),
        None,
        1e300,
        "#DIV/0!",
    )
    names = [f"c{number}" for number in range(len(cells))]
    rows = [("text", "label", *names), (5.0, 5.0, *cells)]
    (review,) = read(_xlsx(tmp_path / "a.xlsx", Sheet=rows), labelled=False)
    assert (review.text, review.label) == ("5", "5")
    assert list((review.fields or {}).values())[2:] == [
        *("10", "10", "4.5", "True", "2026-11-27", "2026-11-27T09:00:00", "09:30:00", "", "1e+300"),
        "#DIV/0!",
    ]


def test_empty_rows_headers_and_merged_cells(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in ([], ["", None], ["id", "text", "", "label"], [], [1, "a", None, "pos"], [2, "b"]):
        sheet.append(row)
    sheet.append([3, "c", None, "neg", None, "stray"])
    sheet.merge_cells("D5:D6")
    book.save(tmp_path / "a.xlsx")
    texts, errors = skipping(tmp_path / "a.xlsx")
    assert texts == ["a"]
    assert errors == [
        "a.xlsx:6: no label in column 'label'; add it or remove the row",
        "a.xlsx:7: 6 cells where the header has 4; empty the cells beside the table",
    ]


def test_a_sheet_without_a_header(tmp_path: Path) -> None:
    path = _xlsx(tmp_path / "a.xlsx", Sheet=ROWS)
    assert pairs(read(path, columns=("text", "label"))) == ROWS


def test_several_sheets(tmp_path: Path) -> None:
    sheets = {"Notes": [], "Reviews": _table(ROWS)}
    assert pairs(read(_xlsx(tmp_path / "a.xlsx", **sheets))) == ROWS
    path = _xlsx(tmp_path / "b.xlsx", Info=[("by", "me")], Reviews=_table(ROWS))
    assert message(path) == (
        "b.xlsx: several sheets have rows (Info, Reviews); name one: b.xlsx:Info"
    )
    assert pairs(read(f"{path}:Reviews")) == ROWS
    assert pairs(read(f"{path}:Rev*")) == ROWS
    assert read(f"{path}:Reviews")[0].path == f"{path}:Reviews"
    assert message(f"{path}:nope") == "b.xlsx: has no sheet 'nope'; its sheets are Info, Reviews"
    assert message(_xlsx(tmp_path / "c.xlsx", A=[], B=[])) == (
        "c.xlsx: its sheets are empty; check the file"
    )


def test_cells_far_away_take_no_memory(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["text", "label"])
    book.active.append(["a", "pos"])
    book.active["XFD20000"] = "x"
    book.save(tmp_path / "a.xlsx")
    texts, errors = skipping(tmp_path / "a.xlsx")
    assert texts == ["a"]
    assert errors[0].startswith("a.xlsx:20000: 16384 cells where the header has 2")


def test_long_cells_and_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _xlsx(tmp_path / "a.xlsx", Sheet=_table([("ñ" * 150, "pos"), ("b", "neg")]))
    assert skipping(path, max_line_bytes=200) == (
        ["b"],
        ["a.xlsx:2: a cell of more than 200 bytes; shorten it, or raise --max-line-bytes"],
    )
    monkeypatch.setattr(spreadsheet, "_MAX_PART_BYTES", 300)
    assert " bytes; save the sheet as CSV" in message(path)


def test_styles_cannot_grow_out_of_measure(tmp_path: Path) -> None:
    path, big = _xlsx(tmp_path / "a.xlsx", Sheet=_table(ROWS)), tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(big, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            more = b" " * (1 << 23) if name == "xl/styles.xml" else b""
            new.writestr(name, old.read(name) + more)
    assert big.stat().st_size < 30_000
    error = message(big)
    assert error.startswith("b.xlsx: its part xl/styles.xml has 8,")
    assert error.endswith(" bytes; save the sheet as CSV")


def test_damaged_spreadsheets_are_data_errors(tmp_path: Path) -> None:
    path = _xlsx(tmp_path / "a.xlsx", Sheet=_table(ROWS * 20))
    generator, errors = random.Random(3), 0
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in members:
        for _ in range(4):
            data = bytearray(members[name])
            start = generator.randrange(len(data))
            data[start : start + 20] = generator.randbytes(20)
            with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
                for other, content in members.items():
                    archive.writestr(other, bytes(data) if other == name else content)
            try:
                skipping(tmp_path / "b.xlsx")
            except DataError:
                errors += 1
    assert errors > 10
    assert "is damaged" in message(written(tmp_path / "c.xlsx", path.read_bytes()[:-300]))


def test_without_openpyxl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _xlsx(tmp_path / "a.xlsx", Sheet=_table(ROWS))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtraError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: a spreadsheet needs the package openpyxl, which is not installed; "
        "pip install 'sentir[xlsx]'"
    )
