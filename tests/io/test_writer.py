from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentir.errors import DataError
from sentir.io import writer
from sentir.io.extensions import OF_EXTENSION
from sentir.io.paths import read_lines
from sentir.io.writer import Format, format_of, write_records

Rows = list[dict[str, Any]]
ROWS: Rows = [
    {"label": "negative", "text": 'dull, "so dull"; y qué', "probability": 0.75},
    {"label": "positive", "text": "a\tb\nc\rd 😀", "probability": 1e-9},
    {"label": "positive", "text": "", "probability": 1.0},
]
FORMATS: tuple[Format, ...] = ("lines", "csv", "tsv", "jsonl", "parquet", "fasttext")


@pytest.mark.parametrize(
    ("path", "otherwise", "expected"),
    [
        ("a.csv", "jsonl", "csv"),
        ("a.csv.gz", "tsv", "csv"),
        ("a.b/labelled.v2.CSV.Bz2", "tsv", "csv"),
        ("a.tsv.zst", "csv", "tsv"),
        ("a.tab", "csv", "tsv"),
        ("a.jsonl", "tsv", "jsonl"),
        ("a.ndjson.xz", "tsv", "jsonl"),
        ("a.json", "tsv", "jsonl"),
        ("a.parquet", "tsv", "parquet"),
        ("a.pq", "tsv", "parquet"),
        ("train.ft.txt.bz2", "csv", "fasttext"),
        ("train.ft", "csv", "fasttext"),
        # the name does not say: as the input was
        ("-", "csv", "csv"),
        ("-", "parquet", "parquet"),
        ("-", "jsonl", "jsonl"),
        ("-", "fasttext", "fasttext"),
        ("a.txt", "csv", "csv"),
        ("a", "fasttext", "fasttext"),
        ("a.gz", "jsonl", "jsonl"),
        ("", "tsv", "tsv"),
        ("-", "lines", "lines"),
        ("a.txt", "lines", "lines"),
    ],
)
def test_the_format_a_name_asks_for(path: str, otherwise: str, expected: str) -> None:
    assert format_of(path, otherwise) == expected


@pytest.mark.parametrize("extension", OF_EXTENSION)
def test_a_name_means_the_same_in_and_out(extension: str) -> None:
    assert format_of(f"a{extension}", "fasttext") == OF_EXTENSION[extension]


def read_back(path: Path, kind: Format) -> Rows:
    """The rows, by readers that are not ours; all values text, but in JSON and Parquet."""
    if kind == "parquet":
        rows: Rows = pq.read_table(path).to_pylist()
        return rows
    content = path.read_bytes().decode("utf-8")
    if kind == "jsonl":
        return [json.loads(line) for line in content.split("\n")[:-1]]
    delimiter = "\t" if kind == "tsv" else ","
    return list(csv.DictReader(io.StringIO(content, newline=""), strict=True, delimiter=delimiter))


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_what_is_written_is_read(tmp_path: Path, kind: Format) -> None:
    path = tmp_path / "out"
    write_records(ROWS, str(path), kind)
    expected = ROWS
    if kind in ("csv", "tsv"):
        expected = [{name: str(value) for name, value in row.items()} for row in ROWS]
    assert read_back(path, kind) == expected


values = st.text(st.characters(exclude_categories=["Cs"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries({"text": values, "a, b": values}), min_size=1))
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_any_text_comes_back(tmp_path: Path, kind: Format, rows: Rows) -> None:
    path = tmp_path / "out"
    write_records(rows, str(path), kind)
    assert read_back(path, kind) == rows


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write_records(ROWS, str(path), "lines")
    assert path.read_bytes().decode().split("\n") == [
        'negative\tdull, "so dull"; y qué\t0.750000',
        "positive\ta b c d 😀\t0.000000",
        "positive\t\t1.000000",
        "",
    ]
    write_records(ROWS, str(path), "fasttext")
    assert path.read_bytes().decode().split("\n") == [
        '__label__negative dull, "so dull"; y qué',
        "__label__positive a b c d 😀",
        "__label__positive ",
        "",
    ]


def test_csv_is_plain(tmp_path: Path) -> None:
    write_records([{"text": 'a "b"', "n": 1}, {"text": "c", "n": None}], f"{tmp_path}/a.csv", "csv")
    assert (tmp_path / "a.csv").read_bytes() == b'text,n\n"a ""b""",1\nc,\n'


@pytest.mark.parametrize("kind", FORMATS)
def test_no_rows_make_an_empty_file(tmp_path: Path, kind: Format) -> None:
    path = tmp_path / "out"
    write_records([], str(path), kind)
    if kind == "parquet":
        assert pq.read_table(path).num_rows == 0
    else:
        assert path.read_bytes() == b""


@pytest.mark.parametrize("extension", ["gz", "bz2", "xz", "zst"])
def test_the_name_tells_the_compression(tmp_path: Path, extension: str) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / f"b.jsonl.{extension}"
    for path in (plain, packed):
        write_records(ROWS * 50, str(path), "jsonl")
    assert packed.stat().st_size < plain.stat().st_size / 3
    assert [*read_lines(str(packed))] == [*read_lines(str(plain))]


def test_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_records(ROWS[:1], "-", "lines")
    told = capfdbinary.readouterr().out
    assert told.decode() == 'negative\tdull, "so dull"; y qué\t0.750000\n'


@pytest.mark.parametrize("kind", ["lines", "csv", "tsv", "parquet"])
def test_a_row_s_columns_may_be_fewer_or_in_another_order(tmp_path: Path, kind: Format) -> None:
    path = tmp_path / "out"
    write_records([{"a": "1", "b": "2"}, {"b": "4", "a": "3"}, {"b": "6"}], str(path), kind)
    if kind == "lines":
        assert path.read_text() == "1\t2\n3\t4\n\t6\n"
    else:
        blank = None if kind == "parquet" else ""
        expected = [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}, {"a": blank, "b": "6"}]
        assert read_back(path, kind) == expected


@pytest.mark.parametrize("kind", ["lines", "csv", "tsv", "parquet"])
def test_a_column_that_comes_late_is_an_error(tmp_path: Path, kind: Format) -> None:
    path = tmp_path / "out"
    with pytest.raises(DataError) as caught:
        write_records([{"a": "1"}, {"a": "2", "b": "3"}], str(path), kind)
    assert str(caught.value) == (
        f"{path}: row 2 has a column 'b', which the first row lacks; write .jsonl instead"
    )
    assert list(tmp_path.iterdir()) == []
    write_records([{"a": "1"}, {"a": "2", "b": "3"}], str(path), "jsonl")
    assert read_back(path, "jsonl") == [{"a": "1"}, {"a": "2", "b": "3"}]


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": 1}, {"a": "x"}],
        [{"a": 1}, {"a": 2}, {"a": "x"}],  # in another row group
        [{"a": 1}, {"a": 2}, {"a": 2.5}],
        [{"a": None}, {"a": None}, {"a": 2}],
        [{"a": {"b": 1}}, {"a": {"b": 1}}, {"a": {"c": 1}}],
        [{"a": 2**70}],
        [{"a": {}}],
        [{"a": "\ud83d"}],
    ],
    ids=ascii,
)
def test_parquet_wants_columns_of_one_type(
    tmp_path: Path, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_ROWS", 2)
    path = tmp_path / "out.parquet"
    with pytest.raises(DataError, match=r"out\.parquet: the rows do not make col.*write \.jsonl"):
        write_records(rows, str(path), "parquet")
    assert list(tmp_path.iterdir()) == []


def test_parquet_is_written_group_by_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "GROUP_ROWS", 2)
    rows = [*ROWS, {**ROWS[0], "probability": 1}, {**ROWS[0], "text": None}]
    write_records(rows, str(tmp_path / "out"), "parquet")
    assert pq.ParquetFile(tmp_path / "out").num_row_groups == 3
    assert read_back(tmp_path / "out", "parquet") == rows


def test_parquet_columns_without_a_value_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_ROWS", 2)
    rows: Rows = [{"a": None, "n": None, "p": 1.0}] * 3 + [{"a": "late", "n": 7, "p": 0.5}]
    types = pa.schema([("n", pa.int8())])
    write_records(rows, str(tmp_path / "out"), "parquet", types=types)
    assert read_back(tmp_path / "out", "parquet") == rows
    assert pq.read_schema(tmp_path / "out").field("n").type == pa.int8()


def test_fasttext_wants_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(DataError) as caught:
        write_records([{"prediction": "positive", "text": "a"}], str(path), "fasttext")
    assert str(caught.value) == (
        "fastText lines want label and text, and the columns are prediction, text; "
        "write .csv or .jsonl instead"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_an_error_on_the_way_leaves_nothing(tmp_path: Path, kind: Format) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from ROWS
        raise KeyError

    path = tmp_path / "out.gz"
    path.write_text("old")
    with pytest.raises(KeyError):
        write_records(broken(), str(path), kind)
    assert [file.name for file in tmp_path.iterdir()] == ["out.gz"]
    assert path.read_text() == "old"


def test_rows_are_written_as_they_come(tmp_path: Path) -> None:
    taken: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for at in range(3):
            assert [*tmp_path.iterdir()] == [] or not (tmp_path / "out").exists()
            taken.append(at)
            yield {"a": at}

    write_records(rows(), str(tmp_path / "out"), "jsonl")
    assert taken == [0, 1, 2]
    assert (tmp_path / "out").read_text() == '{"a": 0}\n{"a": 1}\n{"a": 2}\n'


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a folder, not a file"):
        write_records(ROWS, str(tmp_path), "csv")
    with pytest.raises(DataError, match="cannot write to a URL"):
        write_records(ROWS, "s3://bucket/a.csv", "csv")


@pytest.mark.parametrize("label", ["very good", "", "a\tb"])
def test_a_fasttext_label_has_no_blank(tmp_path: Path, label: str) -> None:
    with pytest.raises(DataError, match="no blank in a label"):
        write_records([{"label": label, "text": "a film"}], str(tmp_path / "a.ft"), "fasttext")
    assert list(tmp_path.iterdir()) == []
