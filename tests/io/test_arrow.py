"""Arrow IPC files and streams, and Feather."""

from __future__ import annotations

import contextlib
import io
import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from fixtures.archives import table_of
from fixtures.review_files import ROWS, message, pairs, read, skipping, written
from sentir.errors import DataError
from sentir.io import arrow_growth, parquet
from sentir.io.reader import read_reviews, table_types


def _with_classes(names: list[str]) -> pa.Table:
    """A table as Hugging Face's datasets saves it."""
    feature = {"names": names, "_type": "ClassLabel"}
    info = {"info": {"features": {"text": {"dtype": "string", "_type": "Value"}, "label": feature}}}
    table = pa.table({"text": ["a", "b", "c", "d"], "label": [0, 1, -1, 9]})
    return table.replace_schema_metadata({"huggingface": json.dumps(info)})


@pytest.mark.parametrize("extension", ["arrow", "parquet"])
def test_numbers_of_saved_classes_get_their_names(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    table = _with_classes(["pos", "neg"])  # 0 is positive here
    if extension == "parquet":
        pq.write_table(table, path)
    else:
        feather.write_feather(table, str(path))
    reviews = read(path, labelled=False)
    assert [review.label for review in reviews] == ["pos", "neg", None, None]
    assert (reviews[0].fields or {})["label"] == 0  # written back as it was
    texts, errors = skipping(path)
    assert texts == ["a", "b"]
    assert len(errors) == 2


@pytest.mark.parametrize("metadata", ["{", "[]", '{"info": {"features": 5}}', '{"info": null}'])
def test_other_metadata_does_not_matter(tmp_path: Path, metadata: str) -> None:
    table = table_of(ROWS).replace_schema_metadata({"huggingface": metadata})
    feather.write_feather(table, str(tmp_path / "a.feather"))
    assert pairs(read(tmp_path / "a.feather")) == ROWS


def test_types_of_texts_and_labels(tmp_path: Path) -> None:
    path = str(tmp_path / "a.feather")
    texts = ["a", "b", "a"]
    for type_ in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        table = pa.table({"text": pa.array(texts).cast(type_), "label": [5.0, 4.5, None]})
        feather.write_feather(table, path)
        assert [(r.text, r.label) for r in read(path, labelled=False)] == [
            ("a", "5"), ("b", "4.5"), ("a", None),
        ]  # fmt: skip


def test_damaged_arrow_files(tmp_path: Path) -> None:
    feather.write_feather(table_of(ROWS), str(tmp_path / "a.feather"))
    whole = (tmp_path / "a.feather").read_bytes()
    assert "the Arrow file is damaged after row 0 (" in message(
        written(tmp_path / "b.feather", whole[:-40])
    )
    schema = table_of(ROWS).schema
    path = str(tmp_path / "a.arrow")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for row in ROWS:
            writer.write_table(table_of([row]))
    whole = (tmp_path / "a.arrow").read_bytes()
    texts, errors = skipping(written(tmp_path / "b.arrow", whole[: len(whole) * 3 // 4]))
    assert texts == [text for text, _ in ROWS[: len(texts)]]
    assert 0 < len(texts) < 4
    assert errors[0].startswith(f"b.arrow: the Arrow file is damaged after row {len(texts)} (")
    error = message(written(tmp_path / "c.arrow", b"\xff\xff\xff\xff\x10\0\0\0" + b"\x01" * 90))
    assert error.startswith("c.arrow: the Arrow file is damaged after row 0 (")


def test_columns_of_one_name(tmp_path: Path) -> None:
    columns = [pa.array(["a"]), pa.array(["b"]), pa.array(["c"]), pa.array(["1"])]
    for names, expected in {
        ("text", "x", "x", "label"): {"text": "a", "x": "b", "x.2": "c", "label": "1"},
        ("text", "text", "x", "label"): None,
        ("text", "x", "y", "text"): None,
    }.items():
        table = pa.table(columns, names=list(names))
        feather_path, parquet_path = tmp_path / "a.arrow", tmp_path / "a.parquet"
        with pa.OSFile(str(feather_path), "wb") as file, pa.ipc.new_file(file, table.schema) as new:
            new.write_table(table)
        pq.write_table(table, parquet_path)
        for path in (feather_path, parquet_path):
            if expected is None:
                assert message(path, labelled=False) == (
                    f"{path.name}: 'text' names two columns; rename one"
                )
                continue
            assert pairs(read(path)) == [("a", "1")]
            (review,) = read(path, labelled=False)
            assert review.fields == expected
            assert table_types(str(path)).names == list(expected)


def test_long_texts_are_rows_that_cannot_be_read(tmp_path: Path) -> None:
    table = table_of([("a" * 300, "pos"), ("b", "neg")])
    feather.write_feather(table, str(tmp_path / "a.feather"))
    pq.write_table(table, tmp_path / "a.parquet")
    for name in ("a.feather", "a.parquet"):
        assert skipping(tmp_path / name, max_line_bytes=200) == (
            ["b"],
            [
                f"{name}:1: column 'text' holds more than 200 bytes; "
                "shorten it, or raise --max-line-bytes"
            ],
        )


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_value_that_is_repeated_takes_its_memory_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    indices = pa.array([0] * 1024, pa.int32())
    texts = pa.DictionaryArray.from_arrays(indices, ["x" * 900_000])
    table = pa.table({"text": texts, "label": ["pos"] * 1024})
    if kind == "parquet":
        pq.write_table(table, path, compression="brotli")
        assert path.stat().st_size < 2000  # for 900 MB of texts
    else:
        feather.write_feather(table, str(path))
    pool = pa.default_memory_pool()
    before, peak = pool.bytes_allocated(), 0
    tracemalloc.start()
    count = 0
    for _ in read_reviews([str(path)]):
        count += 1
        peak = max(peak, pool.bytes_allocated() - before)
    python_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1024
    assert peak < 100_000_000
    assert python_peak < 10_000_000


@pytest.mark.parametrize("is_dictionary", [False, True])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_small_file_cannot_ask_for_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_stream: bool, is_dictionary: bool
) -> None:
    monkeypatch.setattr(arrow_growth, "MAX_BYTES", 1 << 20)
    texts: Any = pa.array(["x" * 3_000_000])
    table = pa.table({"text": texts.dictionary_encode() if is_dictionary else texts, "label": [1]})
    path = tmp_path / "a.arrow"
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    new = pa.ipc.new_stream if is_stream else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as file, new(file, table.schema, options=options) as writer:
        writer.write_table(table)
    assert path.stat().st_size < 10_000
    assert "when it is decompressed; check the file, or write it again" in message(path)
    read(_uncompressed(path, table), max_line_bytes=10_000_000)


def _uncompressed(path: Path, table: pa.Table) -> Path:
    feather.write_feather(table, str(path), compression="uncompressed")
    return path


def test_a_parquet_column_that_grows_out_of_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_MAX_CHUNK_BYTES", 1 << 20)
    table = table_of([("x" * 3_000_000, "pos")])
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    error = message(tmp_path / "a.parquet")
    assert error.startswith("a.parquet: column 'text' takes ")
    assert "and 3,000,0" in error


def test_a_stream_that_asks_for_more_memory_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    table = table_of(ROWS)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    data = path.read_bytes()
    (_, stored) = list(arrow_growth._batch_sizes(io.BytesIO(data)))[-1]
    assert data.count(stored.to_bytes(8, "little")) == 1
    huge = data.replace(stored.to_bytes(8, "little"), (1 << 60).to_bytes(8, "little"))
    assert "damaged after row 0 (" in message(written(path, huge))


def test_decimals_that_python_lacks(tmp_path: Path) -> None:
    scale = pa.decimal128(5, 1000)
    stored = pa.py_buffer((12345).to_bytes(16, "little"))
    prices = pa.Array.from_buffers(scale, 1, [None, stored])
    table = pa.table({"text": ["good"], "label": ["pos"], "price": prices})
    path = tmp_path / "a.arrow"
    feather.write_feather(table, str(path))
    assert pairs(read(path)) == [("good", "pos")]
    error = message(path, labelled=False)
    assert error.startswith("a.arrow: a column has values that Python cannot hold (a decimal); ")


def test_any_damage_is_a_data_error(tmp_path: Path) -> None:
    generator = random.Random(5)
    feather.write_feather(table_of(ROWS), str(tmp_path / "a"), compression="lz4")
    whole = (tmp_path / "a").read_bytes()
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(8, len(data))] = generator.randrange(256)
        with contextlib.suppress(DataError):
            skipping(written(tmp_path / "b", bytes(data)))
