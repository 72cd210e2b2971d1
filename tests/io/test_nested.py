"""Fields within fields, bytes and decimals."""

from __future__ import annotations

import decimal
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fixtures.review_files import message, pairs, read, skipping, written
from sentir.io.nested import flatten


def _jsonl(path: Path, *rows: object) -> Path:
    return written(path, "".join(f"{json.dumps(row)}\n" for row in rows))


def test_fields_are_named_with_dots(tmp_path: Path) -> None:
    rows = [{"id": n, "review": {"text": f"a{n}", "reply": {"text": "thanks"}}, "mark": {"of": n}}
            for n in (1, 2)]  # fmt: skip
    path = _jsonl(tmp_path / "a.jsonl", *rows)
    options = {"text_column": ("review.text",), "label_column": "mark.of"}
    assert pairs(read(path, **options)) == [("a1", "1"), ("a2", "2")]
    (first, _) = read(path, labelled=False, **options)
    assert first.fields == rows[0]  # written back as it was
    assert message(path, text_column=("reviews.text",)).endswith("did you mean 'review.text'?")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert pairs(read(tmp_path / "a.parquet", **options)) == [("a1", "1"), ("a2", "2")]
    (first, _) = read(tmp_path / "a.parquet", **options)
    assert set(first.fields or ()) == {"review", "mark"}  # what is not needed is not read


def test_the_only_candidate_is_found(tmp_path: Path) -> None:
    row = {"user": {"name": "x"}, "data": {"text": "good", "info": {"sentiment": "pos"}}}
    path = _jsonl(tmp_path / "a.jsonl", row, {"data": {"text": "bad", "info": None}}, {"data": 5})
    texts, errors = skipping(path)
    assert texts == ["good"]
    assert [error.partition(";")[0] for error in errors] == [
        "a.jsonl:2: no label in column 'data.info.sentiment'",
        "a.jsonl:3: the text is empty",
    ]
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    assert pairs(read(tmp_path / "a.parquet")) == [("good", "pos")]


def test_two_candidates_are_for_the_user_to_choose(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", {"x": {"text": "a"}, "y": {"text": "b"}, "label": 1})
    assert message(path) == (
        "a.jsonl:1: none of the columns 'x.text', 'y.text', 'label' has a usual name for the text; "
        "pass --text-column 'x.text' if that is it (its first value: 'a')"
    )


def test_a_plain_column_comes_before_a_nested_one(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", {"reply": {"text": "b"}, "text": "a", "label": 1})
    assert pairs(read(path)) == [("a", "1")]


def test_objects_deeper_than_the_limit_are_left_as_they_are() -> None:
    deep: dict[str, object] = {"text": "a"}
    for _ in range(20):
        deep = {"x": deep}
    ((name, value),) = flatten(deep)
    assert name == ".".join("x" * 9)
    assert isinstance(value, dict)


@pytest.mark.parametrize("type_", [pa.binary(), pa.large_binary(), pa.binary(4)])
def test_texts_that_are_bytes(tmp_path: Path, type_: pa.DataType) -> None:
    table = pa.table({"text": pa.array([b"caf\xc3", b"good"], type_), "label": [b"pos", b"neg"]})
    pq.write_table(table, tmp_path / "a.parquet")
    texts, errors = skipping(tmp_path / "a.parquet")
    assert texts == ["good"]
    assert errors == ["a.parquet:1: column 'text' holds bytes b'caf\\xc3', not text; quote it"]
    assert pairs(read(tmp_path / "a.parquet", encoding="latin-1"))[0] == ("cafÃ", "pos")


def test_labels_that_are_decimals(tmp_path: Path) -> None:
    values = [decimal.Decimal(text) for text in ("5.00", "4.50", "-1.00")]
    pq.write_table(pa.table({"text": ["a", "b", "c"], "label": values}), tmp_path / "a.parquet")
    assert [label for _, label in pairs(read(tmp_path / "a.parquet"))] == ["5", "4.5", "-1"]
