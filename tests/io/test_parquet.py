"""Rows of Parquet: columns, damage, values that Python cannot hold."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fixtures.review_files import (
    ROWS,
    message,
    pairs,
    read,
    skipping,
    write_parquet,
    written,
)
from sentir.errors import DataError
from sentir.io.parquet import parquet_schema
from sentir.io.reader import read_reviews


def test_parquet_from_a_url(tmp_path: Path) -> None:

    write_parquet(tmp_path / "a", ROWS)
    with fsspec.open("memory://corpus/a.parquet", "wb") as stream:
        stream.write((tmp_path / "a").read_bytes())
    assert pairs(read_reviews(["memory://corpus/a.parquet"])) == ROWS


def test_parquet_reads_only_the_columns_it_needs(tmp_path: Path) -> None:
    table = pa.table({"id": [1], "content": ["good"], "title": ["A"], "label": [1.0]})
    pq.write_table(table, tmp_path / "a.parquet")
    options: dict[str, Any] = {"text_column": ("title", "content")}
    (review,) = read(tmp_path / "a.parquet", **options)
    assert (review.text, review.label) == ("A: good", "1")
    assert review.fields == {"content": "good", "title": "A", "label": 1.0}
    (review,) = read(tmp_path / "a.parquet", labelled=False, **options)
    assert review.fields == {"id": 1, "content": "good", "title": "A", "label": 1.0}


@pytest.mark.skipif(find_spec("pandas") is not None, reason="pandas has such times")
def test_parquet_with_times_that_python_lacks(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"text": ["x"], "label": ["1"], "seen": pa.array([1], pa.timestamp("ns"))}
    pq.write_table(pa.table(columns), path)
    assert pairs(read(path)) == [("x", "1")]  # training needs text and label only
    assert message(path, labelled=False) == (
        "a.parquet: a column has values that Python cannot hold (Nanosecond resolution temporal "
        "type 1 is not safely convertible to microseconds to convert to datetime.datetime); "
        "keep its times between the years 1 and 9999 and round them to microseconds, "
        "or remove the column"
    )


def test_parquet_with_dates_that_python_lacks(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"text": ["x"], "seen": pa.array([2**31 - 1], pa.int32()).cast(pa.date32())}
    pq.write_table(pa.table(columns), path)
    assert "a column has values that Python cannot hold" in message(path, labelled=False)
    assert "between the years 1 and 9999" in message(path, labelled=False)


def test_parquet_rows_without_text_or_label(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", None, "c"], "label": [1, 0, None]})
    pq.write_table(table, tmp_path / "a.parquet")
    texts, bad_rows = skipping(tmp_path / "a.parquet")
    assert texts == ["a"]
    assert bad_rows == [
        "a.parquet:2: the text is empty",
        "a.parquet:3: no label in column 'label'; add it or remove the row",
    ]


def test_parquet_that_cannot_be_read(tmp_path: Path) -> None:
    assert message("-", format="parquet") == (
        "standard input: Parquet cannot be read from a pipe; name the file"
    )
    rows = [(f"{number} " * 50, "pos") for number in range(9)]
    path = tmp_path / "a.parquet"
    write_parquet(path, rows)
    whole = path.read_bytes()
    assert message(written(tmp_path / "b.parquet.gz", gzip.compress(whole))) == (
        "b.parquet.gz: Parquet in a gz file; decompress it first: Parquet is compressed inside"
    )
    assert message(written(tmp_path / "c.parquet", "text,label\n")) == (
        "c.parquet: not a Parquet file; pass its --format"
    )
    incomplete = written(tmp_path / "d.parquet", whole[:-20])
    assert message(incomplete, on_error="skip").startswith(
        "d.parquet: the Parquet file is damaged after row 0 ("
    )


def test_parquet_that_is_damaged_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"text": [f"{n} " * 9 for n in range(6000)], "label": ["pos"] * 6000})
    pq.write_table(table, path, row_group_size=2000, compression="gzip", use_dictionary=False)
    offset = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    data = bytearray(path.read_bytes())
    data[offset + 20 : offset + 4000] = b"\xff" * 3980
    path.write_bytes(data)
    texts, bad_rows = skipping(path)
    assert texts == [f"{n} " * 9 for n in range(len(texts))]
    assert len(texts) > 1000
    assert bad_rows[0].startswith(
        f"a.parquet: the Parquet file is damaged after row {len(texts):,} ("
    )
    assert message(path).endswith("; download it again")


def test_the_schema_of_parquet(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", ROWS)
    assert parquet_schema(str(tmp_path / "a.parquet")).names == ["text", "label"]
    with pytest.raises(DataError, match="not a Parquet file"):
        parquet_schema(str(written(tmp_path / "b.parquet", "text")))
