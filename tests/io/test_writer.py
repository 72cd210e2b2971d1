"""Records to files in every format, compressed by extension, complete or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.review_files import (
    COMPRESS,
    lines_of,
)
from sentir.errors import DataError
from sentir.io import writer
from sentir.io.lines import read_lines
from sentir.io.paths import (
    FORMAT_BY_EXTENSION,
)
from sentir.io.writer import Format, open_output, output_format, write_records

COMPRESSIONS = [extension[1:] for extension in COMPRESS if extension]


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
        # no extension: the format of the input
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
def test_the_format_of_the_output(path: str, otherwise: str, expected: str) -> None:
    assert output_format(path, otherwise) == expected


@pytest.mark.parametrize("extension", FORMAT_BY_EXTENSION)
def test_a_name_means_the_same_in_and_out(extension: str) -> None:
    format = FORMAT_BY_EXTENSION[extension]
    if format in ("arrow", "xlsx"):
        with pytest.raises(DataError, match=r"read and not written; name a \.csv, \.jsonl"):
            output_format(f"a{extension}", "fasttext")
    else:
        assert output_format(f"a{extension}", "fasttext") == format


def read_back(path: Path, format: Format) -> Rows:
    """The rows, read by other libraries; all values are text except in JSON and Parquet."""
    if format == "parquet":
        rows: Rows = pq.read_table(path).to_pylist()
        return rows
    content = path.read_bytes().decode("utf-8")
    if format == "jsonl":
        return [json.loads(line) for line in content.split("\n")[:-1]]
    delimiter = "\t" if format == "tsv" else ","
    return list(csv.DictReader(io.StringIO(content, newline=""), strict=True, delimiter=delimiter))


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "parquet"])
def test_what_is_written_is_read(tmp_path: Path, format: Format) -> None:
    path = tmp_path / "out"
    write_records(ROWS, str(path), format)
    expected = ROWS
    if format in ("csv", "tsv"):
        expected = [{name: str(value) for name, value in row.items()} for row in ROWS]
    assert read_back(path, format) == expected


values = st.text(st.characters(exclude_categories=["Cs"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries({"text": values, "a, b": values}), min_size=1))
@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "parquet"])
def test_any_text_comes_back(tmp_path: Path, format: Format, rows: Rows) -> None:
    path = tmp_path / "out"
    write_records(rows, str(path), format)
    assert read_back(path, format) == rows


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


@pytest.mark.parametrize("format", FORMATS)
def test_no_rows_make_an_empty_file(tmp_path: Path, format: Format) -> None:
    path = tmp_path / "out"
    write_records([], str(path), format)
    if format == "parquet":
        assert pq.read_table(path).num_rows == 0
    else:
        assert path.read_bytes() == b""


@pytest.mark.parametrize("extension", ["gz", "bz2", "xz", "zst"])
def test_the_extension_decides_the_compression(tmp_path: Path, extension: str) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / f"b.jsonl.{extension}"
    for path in (plain, packed):
        write_records(ROWS * 50, str(path), "jsonl")
    assert packed.stat().st_size < plain.stat().st_size / 3
    assert [*read_lines(str(packed))] == [*read_lines(str(plain))]


def test_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_records(ROWS[:1], "-", "lines")
    output = capfdbinary.readouterr().out
    assert output.decode() == 'negative\tdull, "so dull"; y qué\t0.750000\n'


@pytest.mark.parametrize("format", ["lines", "csv", "tsv", "parquet"])
def test_rows_with_fewer_columns_or_in_another_order(tmp_path: Path, format: Format) -> None:
    path = tmp_path / "out"
    write_records([{"a": "1", "b": "2"}, {"b": "4", "a": "3"}, {"b": "6"}], str(path), format)
    if format == "lines":
        assert path.read_text() == "1\t2\n3\t4\n\t6\n"
    else:
        blank = None if format == "parquet" else ""
        expected = [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}, {"a": blank, "b": "6"}]
        assert read_back(path, format) == expected


@pytest.mark.parametrize("format", ["lines", "csv", "tsv", "parquet"])
def test_a_new_column_in_a_later_row_is_an_error(tmp_path: Path, format: Format) -> None:
    path = tmp_path / "out"
    with pytest.raises(DataError) as caught:
        write_records([{"a": "1"}, {"a": "2", "b": "3"}], str(path), format)
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
    ],
    ids=ascii,
)
def test_parquet_columns_have_one_type(
    tmp_path: Path, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_ROWS", 2)
    path = tmp_path / "out.parquet"
    with pytest.raises(DataError, match=r"out\.parquet: a column has values of.*write \.jsonl"):
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


def test_fasttext_needs_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(DataError) as caught:
        write_records([{"prediction": "positive", "text": "a"}], str(path), "fasttext")
    assert str(caught.value) == (
        "fastText lines need the columns label and text; the columns are prediction, text; "
        "write .csv or .jsonl instead"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
def test_an_error_on_the_way_leaves_nothing(tmp_path: Path, format: Format) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from ROWS
        raise KeyError

    path = tmp_path / "out.gz"
    path.write_text("old")
    with pytest.raises(KeyError):
        write_records(broken(), str(path), format)
    assert [file.name for file in tmp_path.iterdir()] == ["out.gz"]
    assert path.read_text() == "old"


def test_rows_are_written_as_they_come(tmp_path: Path) -> None:
    taken: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for row in range(3):
            assert [*tmp_path.iterdir()] == [] or not (tmp_path / "out").exists()
            taken.append(row)
            yield {"a": row}

    write_records(rows(), str(tmp_path / "out"), "jsonl")
    assert taken == [0, 1, 2]
    assert (tmp_path / "out").read_text() == '{"a": 0}\n{"a": 1}\n{"a": 2}\n'


def test_rows_to_a_folder_or_the_web_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a folder, not a file"):
        write_records(ROWS, str(tmp_path), "csv")
    with pytest.raises(DataError, match="cannot write to the web"):
        write_records(ROWS, "https://a.example/a.csv", "csv")


@pytest.mark.parametrize("label", ["very good", "", "a\tb"])
def test_a_fasttext_label_has_no_blank(tmp_path: Path, label: str) -> None:
    with pytest.raises(DataError, match="no blank in a label"):
        write_records([{"label": label, "text": "a film"}], str(tmp_path / "a.ft"), "fasttext")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("extension", ["", *(f".{name}" for name in COMPRESSIONS)])
def test_what_is_written_reads_back(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.txt{extension}"
    for text in (b"old\n", b"one\ntwo\n"):
        with open_output(str(path)) as stream:
            stream.write(text)
    assert lines_of(path) == [(1, b"one"), (2, b"two")]
    assert path.read_bytes().startswith(COMPRESS[extension](b"")[:2] if extension else b"one")
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(b"old")
    with pytest.raises(KeyError), open_output(str(path)) as stream:  # noqa: PT012
        stream.write(b"new")
        raise KeyError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "a.txt", tmp_path / "link"
    path.write_bytes(b"old")
    link.symlink_to(path)
    with open_output(str(link)) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_a_stream_to_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with open_output("-") as stream:
        stream.write(b"one\n")
    assert capsysbinary.readouterr().out == b"one\n"


def test_a_pipe_is_written_to_not_replaced(tmp_path: Path) -> None:
    pipe, contents = tmp_path / "pipe", []
    os.mkfifo(pipe)
    thread = threading.Thread(target=lambda: contents.append(pipe.read_bytes()))
    thread.start()
    with open_output(str(pipe)) as stream:
        stream.write(b"one\n")
    thread.join()
    assert contents == [b"one\n"]
    assert pipe.is_fifo()


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    cases = {
        "https://a.example/a": "cannot write to the web; write a file and copy it",
        str(tmp_path): "a folder, not a file; name a file in it",
        str(file / "a"): "cannot be written (",
        "/dev/full": "cannot be written (No space left on device); check the folder and disk",
    }
    for path, message in cases.items():
        with pytest.raises(DataError) as caught, open_output(path) as stream:  # noqa: PT012
            stream.write(b"one")
            stream.flush()
        assert str(caught.value).startswith(f"{path}: {message}")
