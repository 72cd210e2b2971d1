"""Reviews from every format: what is read equals what was written, and errors have a place."""

from __future__ import annotations

import bz2
import io
import itertools
import json
import sys
import tracemalloc
from pathlib import Path
from typing import Literal

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.review_files import (
    COMPRESS,
    ROWS,
    WRITERS,
    Row,
    message,
    pairs,
    read,
    skipping,
    write_json,
    write_parquet,
    write_table,
    written,
)
from sentir.errors import DataError, UsageError
from sentir.io.reader import BadRows, ReadOptions, Review, detect_format, read_reviews

_any_character = st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")


#: Control characters by which a binary file is told from text, if there are many.
_OF_BINARY = {*map(chr, range(32))} - {*"\b\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f"}

_texts = st.text(_any_character, min_size=1, max_size=40).filter(lambda text: not text.isspace())


_tricky = st.text(st.sampled_from('"\n\r\t,;| ñ😀\x1c\x85\u2028a'), min_size=1, max_size=12).filter(
    lambda text: not text.isspace()
)


_rows = st.lists(
    st.tuples(_texts | _tricky, st.sampled_from(["neg", "pos", "1", "sí"])), min_size=1, max_size=8
)


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("kind", WRITERS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=_rows)
def test_every_text_is_read_as_it_was_written(
    tmp_path: Path, kind: str, compression: str, rows: list[Row]
) -> None:
    if kind == "parquet" and compression:
        return
    if kind in ("ft", "text"):  # one line each: an end of line cannot be part of the text
        rows = [(f"{text.replace(chr(10), ' ')}.", label) for text, label in rows]
        rows = [(text, label) for text, label in rows if not text.startswith("__label__")]
    if not rows or sum(text.count(char) for text, _ in rows for char in _OF_BINARY) > 8:
        return
    path = tmp_path / f"reviews.{kind}{compression}"
    WRITERS[kind](path, rows)
    path.write_bytes(COMPRESS[compression](path.read_bytes()))
    options = ReadOptions(format="fasttext" if kind == "ft" else "auto")
    if kind == "tsv":  # a row of TSV is one line unless the quoting is given
        options = ReadOptions(quoting="standard")
    if kind == "text":
        options = ReadOptions(format="text")
        rows = [(text, "") for text, _ in rows]
    assert pairs(read_reviews([str(path)], options, labelled=kind != "text")) == rows


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "ft"])
def test_standard_input_and_urls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "reviews"
    WRITERS[kind](path, ROWS)
    stored = bz2.compress(path.read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stored)))
    assert detect_format("-") == ("fasttext" if kind == "ft" else kind)
    reviews = list(read_reviews(["-"]))
    assert pairs(reviews) == ROWS
    assert reviews[0].path == "standard input"

    with fsspec.open("memory://corpus/reviews", "wb") as stream:
        stream.write(stored)
    assert pairs(read_reviews(["memory://corpus/reviews"])) == ROWS


def test_several_sources_in_order(tmp_path: Path) -> None:
    write_table(tmp_path / "b.csv", ROWS[:2])
    write_json(tmp_path / "a.jsonl", ROWS[2:])
    sources = [str(tmp_path / "b.csv"), str(tmp_path / "*.jsonl")]
    assert pairs(read_reviews(sources)) == ROWS


def test_the_place_and_the_columns_of_a_review(tmp_path: Path) -> None:
    content = 'text,label,id\n"two\nlines",1,a\n\nthree,2.0,b\n'
    path = written(tmp_path / "a.csv", content)
    assert read(path) == [
        Review("two\nlines", "1", str(path), 2, {"text": "two\nlines", "label": "1", "id": "a"}),
        Review("three", "2", str(path), 5, {"text": "three", "label": "2.0", "id": "b"}),
    ]
    write_parquet(tmp_path / "a.parquet", ROWS)
    assert [review.line for review in read(tmp_path / "a.parquet")] == [1, 2, 3, 4]
    fasttext = read(written(tmp_path / "a.txt", "__label__2 a  b \r\n__label__1\tc\n"))
    assert [(r.text, r.label, r.line, r.fields) for r in fasttext] == [
        ("a  b ", "2", 1, None),
        ("c", "1", 2, None),
    ]


@pytest.mark.parametrize(
    ("name", "first_line", "format"),
    [
        ("a.csv", "x", "csv"),
        ("a.TSV.gz", "x", "tsv"),
        ("a.ndjson", "x", "jsonl"),
        ("a.json.zst", "x", "jsonl"),
        ("a.parquet", "PAR1\x15", "parquet"),
        ("a.csv", "PAR1\x15", "parquet"),
        ("https://a.example/a.csv", "", "csv"),
        ("imdb:test", "", "parquet"),
        ("a.ft.txt", "__label__1 x", "fasttext"),
        ("a.txt", '\ufeff{"text": 1}', "jsonl"),
        ("a.txt", "id;Texto;nota", "csv"),
        ("a.txt", "id\tReview", "tsv"),
        ("a", "PAR1\x15", "parquet"),
        ("a.txt", "Good, really good", "text"),
        ("a.txt", "Good, text", "csv"),
    ],
)
def test_formats_are_detected(tmp_path: Path, name: str, first_line: str, format: str) -> None:
    path = str(written(tmp_path / name, f"{first_line}\n")) if first_line else name
    assert detect_format(path) == format
    assert detect_format(path, ReadOptions(format="text")) == "text"


def test_predictions_need_no_labels(tmp_path: Path) -> None:
    lines = "__label__1 a\nb __label__2\n__label__1 __label__x c\r\n"
    path = written(tmp_path / "a.txt", lines)
    assert pairs(read(path, labelled=False)) == [("a", "1"), ("b __label__2", ""), ("c", "1")]
    path = written(tmp_path / "b.txt", "Muy bueno\r\nmalo")
    assert pairs(read(path, labelled=False)) == [("Muy bueno", ""), ("malo", "")]
    path = written(tmp_path / "c.csv", "text,label\na,1\nb,\n")
    assert pairs(read(path, labelled=False)) == [("a", "1"), ("b", "")]
    assert message(tmp_path / "b.txt") == (
        "b.txt: no labels in a file of plain text; "
        "pass --format (fasttext, csv, jsonl, ...) if it has them, or name it after its class "
        "(pos.txt, neg.txt)"
    )


MISSING = [
    *("nan", "NaN", "NULL", "null", "None", "NA", "N/A", "n/a", "<NA>", "#N/A", " ", ""),
    *("\\N", "(null)", "NaT", "undefined", "N.A.", "#REF!", "#VALUE!", "?", "'NULL'", "\u200b"),
]


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_rows_without_a_label_are_skipped_and_counted(
    tmp_path: Path, kind: str, on_error: Literal["raise", "skip"]
) -> None:
    rows = [("good", "pos"), *(("unknown", label) for label in MISSING), ("bad", "neg")]
    path = tmp_path / f"a.{kind}"
    WRITERS[kind](path, rows)
    bad_rows = BadRows(on_error)
    reviews = read_reviews([str(path)], ReadOptions(on_error=on_error), bad_rows=bad_rows)
    assert pairs(reviews) == [("good", "pos"), ("bad", "neg")]
    assert bad_rows.count == len(MISSING)
    first = 2 if kind in ("jsonl", "parquet") else 3
    assert bad_rows.examples[0] == (
        f"{path}:{first}: no label in column 'label'; add it or remove the row"
    )


def test_other_kinds_of_missing_labels(tmp_path: Path) -> None:
    lines = [{"text": "a", "label": 1}, {"text": "b", "label": None}, {"text": "c"}]
    content = "\n".join([*map(json.dumps, lines), '{"text": "d", "label": NaN}'])
    assert pairs(read(written(tmp_path / "a.jsonl", content))) == [("a", "1")]
    table = pa.table({"text": ["a", "b", "c"], "label": [0.0, None, float("nan")]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert pairs(read(tmp_path / "a.parquet")) == [("a", "0")]
    content = "__label__pos a\n__label__nan b\n__label__NULL c\n__label__ d\n__label__none e\n"
    assert pairs(read(written(tmp_path / "a.ft.txt", content))) == [("a", "pos"), ("e", "none")]


def test_a_file_without_any_label(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\na,\nb,NULL\n")
    assert message(path) == (
        "a.csv: none of its rows could be read (2 skipped); the first error: "
        "a.csv:2: no label in column 'label'; add it or remove the row"
    )


def test_rows_without_a_label_are_predicted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\na,1\nb,nan\nc,\n")
    assert pairs(read(path, labelled=False)) == [("a", "1"), ("b", ""), ("c", "")]


def test_an_incomplete_stream_keeps_what_can_be_read(tmp_path: Path) -> None:
    lines = [f"__label__1 review {number * 7919 % 10007}\n" for number in range(150_000)]
    stored = bz2.compress("".join(lines).encode(), compresslevel=1)
    path = written(tmp_path / "a.txt.bz2", stored[: len(stored) // 2])
    texts, bad_rows = skipping(path)
    assert len(texts) > 10_000
    assert bad_rows[0].startswith(
        f"a.txt.bz2:{len(texts) + 1}: the bz2 stream is damaged or incomplete"
    )


def test_files_without_reviews(tmp_path: Path) -> None:
    assert message(written(tmp_path / "a.csv", "")) == "a.csv: is empty; check how it was written"
    assert message(written(tmp_path / "a.csv", "text,label\n")) == (
        "a.csv: holds no review; check how it was written"
    )
    assert message(written(tmp_path / "a.csv", "\n\n")).startswith("a.csv: holds no review")
    path = written(tmp_path / "a.csv", "text,label\n,1\nx\n")
    assert message(path, on_error="skip") == (
        "a.csv: none of its rows could be read (2 skipped); "
        "the first error: a.csv:2: the text is empty"
    )


def test_no_file_is_read_before_all_are_found(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", ROWS)
    reviews = read_reviews([str(tmp_path / "a.csv"), str(tmp_path / "gone.csv")])
    with pytest.raises(DataError, match=r"gone\.csv: no such file"):
        next(reviews)


def test_a_bare_string_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^sources = 'a\.csv'; pass a list of names$"):
        next(read_reviews("a.csv"))


def test_bad_rows_keep_the_first_examples() -> None:
    bad_rows = BadRows("skip")
    for number in range(30):
        bad_rows.report(DataError(str(number)))
    assert bad_rows.count == 30
    assert bad_rows.examples == [str(number) for number in range(20)]
    with pytest.raises(DataError, match="x"):
        BadRows().report(DataError("x"))


@pytest.mark.parametrize("kind", ["ft", "csv", "jsonl"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"reviews.{kind}"
    text = "Bueno, bonito y barato. " * 400
    WRITERS[kind](path, [(text, "pos")] * 100)
    few = path.read_bytes()
    header, body = few.split(b"\n", 1) if kind == "csv" else (b"", few)
    with path.open("wb") as stream:
        stream.write(header + b"\n" if header else b"")
        stream.writelines(itertools.repeat(body, 62))
    assert path.stat().st_size > 59_000_000
    next(read_reviews([str(path)]))  # imports on first use do not count
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_reviews([str(path)])) == 6200
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_the_format_of_a_glob_is_that_of_its_first_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("__label__pos a film\n")
    assert detect_format(str(tmp_path / "*.txt")) == "fasttext"


def test_skipped_rows_are_warned_of(messages) -> None:
    bad_rows = BadRows("skip")
    bad_rows.warn(kept=10)
    assert not messages.warned()
    bad_rows.count, bad_rows.examples = 2, ["a.csv:3: no text", "a.csv:9: no text"]
    bad_rows.warn(kept=10)
    assert messages.warned() == "2 rows skipped:\n  a.csv:3: no text\n  a.csv:9: no text"


def test_rows_without_text_or_label_are_counted_and_never_raised(tmp_path: Path) -> None:
    content = "title,text,label\n" + "a,b,1\n" + ",,1\n" * 5 + "a,b,\n" * 2
    bad_rows = BadRows()
    path = written(tmp_path / "a.csv", content)
    assert len(list(read_reviews([str(path)], bad_rows=bad_rows))) == 1
    assert (bad_rows.count, bad_rows.without_text, bad_rows.without_label) == (7, 5, 2)
    assert len(bad_rows.examples) == 5  # three without text are enough
    assert bad_rows.summary().startswith("7 rows skipped (5 without text, 2 without a label):\n")
    bad_rows.save(tmp_path)
    twice = BadRows()
    twice.add_saved(tmp_path)
    twice.add_saved(tmp_path)
    assert (twice.count, twice.without_text, twice.without_label) == (14, 10, 4)
