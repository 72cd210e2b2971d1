"""Reviews from every format: what is read equals what was written, and faults are located."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import json
import lzma
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentir.errors import DataError, UsageError
from sentir.io.reader import BadRows, ReadOptions, Review, detect_format, read_reviews

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".bz2": bz2.compress,
    ".gz": gzip.compress,
    ".xz": lambda data: lzma.compress(data, preset=0),
    ".zst": zstandard.compress,
}

Row = tuple[str, str]


def write_table(path: Path, rows: Iterable[Row], delimiter: str = ",") -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerow(["text", "label"])
    writer.writerows(rows)
    path.write_bytes(buffer.getvalue().encode())


def write_json(path: Path, rows: Iterable[Row]) -> None:
    lines = (json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in rows)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def write_fasttext(path: Path, rows: Iterable[Row]) -> None:
    path.write_bytes("".join(f"__label__{label} {text}\n" for text, label in rows).encode())


def write_parquet(path: Path, rows: Iterable[Row]) -> None:
    texts, labels = zip(*rows, strict=True)
    pq.write_table(pa.table({"text": texts, "label": labels}), path, row_group_size=3)


def write_text(path: Path, rows: Iterable[Row]) -> None:
    path.write_bytes("".join(f"{text}\n" for text, _ in rows).encode())


WRITERS: dict[str, Callable[[Path, Sequence[Row]], None]] = {
    "csv": write_table,
    "tsv": lambda path, rows: write_table(path, rows, "\t"),
    "jsonl": write_json,
    "ft": write_fasttext,
    "parquet": write_parquet,
    "text": write_text,
}
ROWS = [("Malo, «muy» malo", "neg"), ('says "no"', "neg"), ("ok 😀", "pos"), ("bien", "pos")]


def pairs(reviews: Iterable[Review]) -> list[Row]:
    return [(review.text, review.label or "") for review in reviews]


def read(path: Path | str, *, labelled: bool = True, **options: Any) -> list[Review]:
    return list(read_reviews([str(path)], ReadOptions(**options), labelled=labelled))


def message(path: Path | str, *, labelled: bool = True, **options: Any) -> str:
    """The error of reading the path, without the path's folder."""
    with pytest.raises(DataError) as caught:
        read(path, labelled=labelled, **options)
    return str(caught.value).replace(f"{Path(path).parent}/", "")


def skipping(path: Path, *, labelled: bool = True, **options: Any) -> tuple[list[str], list[str]]:
    """The texts that can be read, and the messages of the rows that cannot."""
    bad_rows = BadRows("skip")
    reviews = read_reviews(
        [str(path)], ReadOptions(**options), bad_rows=bad_rows, labelled=labelled
    )
    texts = [review.text for review in reviews]
    assert bad_rows.count == len(bad_rows.examples)
    return texts, [example.replace(f"{path.parent}/", "") for example in bad_rows.examples]


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# What was written is what is read

_any_character = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
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
def test_any_text_reads_back(tmp_path: Path, kind: str, compression: str, rows: list[Row]) -> None:
    if kind == "parquet" and compression:
        return
    if kind in ("ft", "text"):  # one line each: an end of line cannot be part of the text
        rows = [(f"{text.replace(chr(10), ' ')}.", label) for text, label in rows]
        rows = [(text, label) for text, label in rows if not text.startswith("__label__")]
    if not rows:
        return
    path = tmp_path / f"reviews.{kind}{compression}"
    WRITERS[kind](path, rows)
    path.write_bytes(COMPRESS[compression](path.read_bytes()))
    options = ReadOptions(format="fasttext" if kind == "ft" else "auto")
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

    import fsspec

    with fsspec.open("memory://corpus/reviews", "wb") as stream:
        stream.write(stored)
    assert pairs(read_reviews(["memory://corpus/reviews"])) == ROWS


def test_parquet_from_a_url(tmp_path: Path) -> None:
    import fsspec

    write_parquet(tmp_path / "a", ROWS)
    with fsspec.open("memory://corpus/a.parquet", "wb") as stream:
        stream.write((tmp_path / "a").read_bytes())
    assert pairs(read_reviews(["memory://corpus/a.parquet"])) == ROWS


def test_several_sources_in_order(tmp_path: Path) -> None:
    write_table(tmp_path / "b.csv", ROWS[:2])
    write_json(tmp_path / "a.jsonl", ROWS[2:])
    sources = [str(tmp_path / "b.csv"), str(tmp_path / "*.jsonl")]
    assert pairs(read_reviews(sources)) == ROWS


def test_a_corpus_that_is_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "a.csv", ROWS)
    *made, last = read_reviews(["sample:test", "a.csv"])
    assert {review.label for review in made[:-3]} == {"negative", "positive"}
    assert (last.text, last.line) == ("bien", 5)


def test_where_a_review_stands(tmp_path: Path) -> None:
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


def test_parquet_reads_only_the_columns_it_needs(tmp_path: Path) -> None:
    table = pa.table({"id": [1], "content": ["good"], "title": ["A"], "label": [1.0]})
    pq.write_table(table, tmp_path / "a.parquet")
    options: dict[str, Any] = {"text_column": ("title", "content")}
    (review,) = read(tmp_path / "a.parquet", **options)
    assert (review.text, review.label) == ("A: good", "1")
    assert review.fields == {"content": "good", "title": "A", "label": 1.0}
    (review,) = read(tmp_path / "a.parquet", labelled=False, **options)
    assert review.fields == {"id": 1, "content": "good", "title": "A", "label": 1.0}


# Labels, columns, formats


@pytest.mark.parametrize(
    ("value", "label"),
    [(1, "1"), (1.0, "1"), ("1", "1"), ("1.0", "1"), (" 1", "1"), (-1, "-1"), (3.5, "3.5"),
     (True, "true"), (" pos ", "pos"), ("1.5", "1.5"), ("1 star", "1 star")],
)  # fmt: skip
def test_numbers_are_one_label_however_they_are_written(
    tmp_path: Path, value: Any, label: str
) -> None:
    path = written(tmp_path / "a.jsonl", json.dumps({"text": "x", "label": value}))
    assert read(path)[0].label == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Review", "Sentiment"),
        ("review_text", "STARS"),
        ("Reseña", "Puntuación"),
        ("texto", "polaridad"),
        ("content", "overall"),
    ],
)
def test_columns_with_usual_names_are_found(tmp_path: Path, text: str, label: str) -> None:
    path = written(tmp_path / "a.csv", f"id,{label},{text}\n7,1,x\n")
    assert pairs(read(path)) == [("x", "1")]


def test_columns_can_be_named_and_joined(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a,b,text,label,z\nA,B,no,no,1\n,B,no,no,2\n")
    reviews = read(path, text_column=("a", "b"), label_column="z")
    assert pairs(reviews) == [("A: B", "1"), ("B", "2")]


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,revew,note\n1,x,y\n")
    assert message(path) == (
        "a.csv: none of the columns 'id', 'revew', 'note' has a usual name for the text; "
        "name it with --text-column; if line 1 is no header, give --columns"
    )
    assert message(path, text_column=("revew",)) == (
        "a.csv: none of the columns 'id', 'revew', 'note' has a usual name for the label; "
        "name it with --label-column; if line 1 is no header, give --columns"
    )
    assert message(path, text_column=("review",)) == (
        "a.csv: no column 'review' among 'id', 'revew', 'note'; did you mean 'revew'?; "
        "if line 1 is no header, give --columns"
    )
    assert message(path, text_column=("revew",), label_column="zzz", labelled=False) == (
        "a.csv: no column 'zzz' among 'id', 'revew', 'note'; name one of them; "
        "if line 1 is no header, give --columns"
    )
    assert read(path, text_column=("revew",), labelled=False)[0].label is None
    wide = written(tmp_path / "w.csv", ",".join(f"c{n}" for n in range(30)) + "\n")
    assert "'c19' and 10 more has a usual name" in message(wide)


def test_a_header_that_cannot_be_used(tmp_path: Path) -> None:
    assert message(written(tmp_path / "a.csv", "text,text,label\n")) == (
        "a.csv: 'text' names two columns; rename one"
    )
    assert message(written(tmp_path / "a.csv", 'text,"la"bel\nx,1\n')) == (
        "a.csv:1: the row is broken (',' expected after '\"'); "
        'quote the field, and write " in it as ""'
    )
    assert pairs(read(written(tmp_path / "a.csv", "text,label,,\nx,1,,\n"))) == [("x", "1")]


@pytest.mark.skipif(find_spec("pandas") is not None, reason="pandas has such times")
def test_parquet_with_times_that_python_lacks(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"text": ["x"], "label": ["1"], "seen": pa.array([1], pa.timestamp("ns"))}
    pq.write_table(pa.table(columns), path)
    assert pairs(read(path)) == [("x", "1")]  # learning needs text and label only
    assert message(path, labelled=False) == (
        "a.parquet: a column has no equal in Python (Nanosecond resolution temporal type 1 is not "
        "safely convertible to microseconds to convert to datetime.datetime); round its times to "
        "microseconds, or leave it out"
    )


def test_a_table_without_a_header(tmp_path: Path) -> None:
    content = '"2","Great CD","My ""lovely"" Pat,\nshe"\n"1","","Bad"\n"1","short"\n'
    named = {"columns": ("class", "title", "text"), "text_column": ("title", "text")}
    for name in ("a.csv", "a.txt"):
        texts, bad_rows = skipping(written(tmp_path / name, content), **named)
        assert texts == ['Great CD: My "lovely" Pat,\nshe', "Bad"]
        assert bad_rows == [
            f"{name}:4: 2 fields where --columns names 3; quote a field that holds ','"
        ]
    reviews = read(written(tmp_path / "a.tsv", "x\t2\ny\t1\n"), columns=("review", "stars"))
    assert pairs(reviews) == [("x", "2"), ("y", "1")]
    assert [review.line for review in reviews] == [1, 2]
    assert reviews[0].fields == {"review": "x", "stars": "2"}
    assert message(tmp_path / "a.tsv", columns=("review", "review")) == (
        "a.tsv: 'review' names two columns; rename one"
    )
    assert message(tmp_path / "a.tsv", columns=("x", "stars")) == (
        "a.tsv: none of the columns 'x', 'stars' has a usual name for the text; "
        "name it with --text-column"
    )
    with pytest.raises(UsageError, match="--columns for jsonl; it is for CSV and TSV"):
        read(written(tmp_path / "a.jsonl", "{}\n"), columns=("x", "y"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_headers(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    write_table(path, ROWS, delimiter)
    assert pairs(read(path)) == ROWS


@pytest.mark.parametrize(
    ("name", "first_line", "format"),
    [
        ("a.csv", "", "csv"),
        ("a.TSV.gz", "", "tsv"),
        ("a.ndjson", "", "jsonl"),
        ("a.json.zst", "", "jsonl"),
        ("a.parquet", "", "parquet"),
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
def test_formats_are_found(tmp_path: Path, name: str, first_line: str, format: str) -> None:
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
        "pass --format (fasttext, csv, jsonl, ...) if it has them"
    )


# Encodings


def test_encodings(tmp_path: Path) -> None:
    content = "text,label\nbueno,1\nniño año,2\n"
    path = written(tmp_path / "a.csv", content.encode("latin-1"))
    assert message(path) == (
        "a.csv:3: byte 0xf1 at column 3 is not utf-8; "
        "pass --encoding latin-1 (or what it is), or convert the file with iconv"
    )
    assert skipping(path)[0] == ["bueno"]
    assert read(path, encoding="latin-1")[1].text == "niño año"
    marked = written(tmp_path / "b.csv", b"\xef\xbb\xbf" + content.encode())
    assert read(marked)[1].text == "niño año"
    assert read(marked)[1].fields == {"text": "niño año", "label": "2"}


@pytest.mark.parametrize("encoding", ["UTF-16", "UTF-32"])
def test_wide_encodings_are_refused_by_name(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.csv", "text,label\nx,1\n".encode(encoding))
    assert message(path, on_error="skip").startswith(f"a.csv: the file is in {encoding}; convert")


def test_encodings_that_cannot_be_used(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\nx,1\n")
    assert message(path, encoding="latin-l") == (
        "--encoding: no encoding is called 'latin-l'; try utf-8, latin-1 or cp1252"
    )
    assert "no encoding is called 'hex'" in message(path, encoding="hex")
    for encoding in ("utf-16", "cp037", "utf-7"):
        assert message(path, encoding=encoding) == (
            f"--encoding: {encoding} cannot be read line by line; "
            f"convert the file: iconv -f {encoding} -t utf-8"
        )


# Rows that cannot be read


def test_broken_fasttext_rows(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.ft.txt",
        "__label__1 a\nb\n\n__label__ c\n__label__1 __label__2 d\n__label__1,__label__2 e\n"
        "__label__1 \n__label__1\n__label__2 f\x00g\n",
    )
    texts, bad_rows = skipping(path)
    assert texts == ["a", "f\x00g"]
    none = "no label at the line's start; write __label__NAME before the text"
    several = "several labels; leave one: a review has one class"
    empty = "the text is empty; remove the row"
    assert bad_rows == [
        f"a.ft.txt:{number}: {what}"
        for number, what in enumerate([none, none, none, several, several, empty, empty], start=2)
    ]
    assert message(path) == f"a.ft.txt:2: {none}"


def test_broken_csv_rows(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        'text,label\na,1\nb\nc,1,x\n"d" d,1\n,1\ne,\nf\rg,1\n"h\nh",1\n"never closed,1\ni,2\nj,1\n',
    )
    texts, bad_rows = skipping(path)
    assert texts == ["a", "h\nh", "i", "j"]
    quote = 'quote the field, and write " in it as ""'
    assert bad_rows == [
        "a.csv:3: 1 fields where the header has 2; quote a field that holds ','",
        "a.csv:4: 3 fields where the header has 2; quote a field that holds ','",
        f"a.csv:5: the row is broken (',' expected after '\"'); {quote}",
        "a.csv:6: the text is empty; remove the row",
        "a.csv:7: no label in column 'label'; add it or remove the row",
        "a.csv:8: a carriage return within a field; quote the field",
        'a.csv:11: a quote opens in this row and is never closed; close it; write " as ""',
    ]
    assert message(path).startswith("a.csv:3: 1 fields")


def test_an_open_quote_costs_one_row_of_a_long_file(tmp_path: Path) -> None:
    rows = [f"row {number},1\n" for number in range(3000)]
    rows[1000] = '"' + rows[1000]
    path = written(tmp_path / "a.csv", "text,label\n" + "".join(rows))
    texts, bad_rows = skipping(path, max_line_bytes=5000)
    assert len(texts) == 2999
    assert bad_rows == [
        'a.csv:1002: a quote opens in this row and is never closed; close it; write " as ""'
    ]


def test_an_unreadable_line_costs_its_record(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b'text,label\n"a\n\xff\nb",1\nc,2\n')
    texts, bad_rows = skipping(path)
    assert texts == ["c"]
    assert [fault.partition(" is not")[0] for fault in bad_rows] == [
        "a.csv:3: byte 0xff at column 1"
    ]


def test_a_line_too_long_breaks_its_record(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", f'text,label\n"a\n{"x" * 99}\nb,1\nc,2\n')
    texts, bad_rows = skipping(path, max_line_bytes=50)
    assert texts == ["b", "c"]
    assert [fault.partition(";")[0] for fault in bad_rows] == [
        "a.csv:3: a line of more than 50 bytes",
        "a.csv:2: the row is broken (a line within it cannot be read)",
    ]


def test_a_long_field_is_read_if_the_line_may_be_long(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", f"text,label\n{'x' * 400_000},1\n")
    assert len(read(path)[0].text) == 400_000
    assert message(path, max_line_bytes=1000).startswith("a.csv:2: a line of more than 1,000 bytes")


def test_broken_json_rows(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        '{"text": "a", "label": 1}\n{"text": "b"\n\n[1]\n{"text": "c"}\n{"label": 1}\n'
        '{"text": 5, "label": 1}\n{"text": "d", "label": [1]}\n{"text": "\\ud83d", "label": 1}\n'
        + "[" * 100_000
        + '\n{"text": "e", "label": NaN}\n{"text": "f", "label": 2, "more": {}}\n',
    )
    texts, bad_rows = skipping(path)
    assert texts == ["a", "f"]
    assert [fault.partition(" (")[0] for fault in bad_rows] == [
        "a.jsonl:2: not JSON",
        'a.jsonl:4: JSON list, not an object; write {"text": ..., "label": ...}',
        "a.jsonl:5: no label in column 'label'; add it or remove the row",
        "a.jsonl:6: the text is empty; remove the row",
        "a.jsonl:7: column 'text' holds int 5, not text; quote it",
        "a.jsonl:8: the label is [1]; give one text or number",
        "a.jsonl:9: character 1 of the text is half of a surrogate pair; write the character whole",
        "a.jsonl:10: not JSON",
        "a.jsonl:11: no label in column 'label'; add it or remove the row",
    ]
    assert message(path) == (
        "a.jsonl:2: not JSON (Expecting ',' delimiter: line 1 column 13 (char 12)); "
        "write one JSON object on each line"
    )


def test_json_whose_first_rows_lack_the_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"error": "x"}\n{"text": "a", "label": 1}\n')
    assert skipping(path)[0] == ["a"]
    assert message(path).startswith("a.jsonl:1: none of the columns 'error' has a usual name")


def test_a_json_array_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '\n[{"text": "a", "label": 1}]')
    assert message(path, on_error="skip").startswith(
        "a.json:2: a JSON array, not JSON lines; write"
    )


def test_parquet_rows_without_text_or_label(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", None, "c"], "label": [1, 0, None]})
    pq.write_table(table, tmp_path / "a.parquet")
    texts, bad_rows = skipping(tmp_path / "a.parquet")
    assert texts == ["a"]
    assert bad_rows == [
        "a.parquet:2: the text is empty; remove the row",
        "a.parquet:3: no label in column 'label'; add it or remove the row",
    ]


# Files that cannot be read


def test_parquet_that_cannot_be_read(tmp_path: Path) -> None:
    assert message("-", format="parquet") == (
        "standard input: Parquet cannot be read from a pipe; name the file"
    )
    rows = [(f"{number} " * 50, "pos") for number in range(9)]
    path = tmp_path / "a.parquet"
    write_parquet(path, rows)
    whole = path.read_bytes()
    assert message(written(tmp_path / "b.parquet.gz", gzip.compress(whole))) == (
        "b.parquet.gz: Parquet in a gz file; unpack it first: Parquet is compressed within"
    )
    assert message(written(tmp_path / "c.parquet", "text,label\n")) == (
        "c.parquet: not a Parquet file; pass its --format"
    )
    cut = written(tmp_path / "d.parquet", whole[:-20])
    assert message(cut, on_error="skip").startswith(
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
    assert message(path).endswith("; fetch it again")


def test_a_cut_stream_keeps_what_can_be_read(tmp_path: Path) -> None:
    lines = [f"__label__1 review {number * 7919 % 10007}\n" for number in range(150_000)]
    stored = bz2.compress("".join(lines).encode(), compresslevel=1)
    path = written(tmp_path / "a.txt.bz2", stored[: len(stored) // 2])
    texts, bad_rows = skipping(path)
    assert len(texts) > 10_000
    assert bad_rows[0].startswith(f"a.txt.bz2:{len(texts) + 1}: the bz2 stream is damaged or cut")


def test_files_without_reviews(tmp_path: Path) -> None:
    assert message(written(tmp_path / "a.csv", "")) == "a.csv: is empty; check what wrote it"
    assert message(written(tmp_path / "a.csv", "text,label\n")) == (
        "a.csv: holds no review; check what wrote it"
    )
    assert message(written(tmp_path / "a.csv", "\n\n")).startswith("a.csv: holds no review")
    path = written(tmp_path / "a.csv", "text,label\n,1\nx\n")
    assert message(path, on_error="skip") == (
        "a.csv: none of its rows could be read (2 passed over); "
        "the first: a.csv:2: the text is empty; remove the row"
    )


def test_no_file_is_read_before_all_are_found(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", ROWS)
    reviews = read_reviews([str(tmp_path / "a.csv"), str(tmp_path / "gone.csv")])
    with pytest.raises(DataError, match=r"gone\.csv: no such file"):
        next(reviews)


def test_a_bare_string_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^sources = 'a\.csv'; pass a list of names$"):
        next(read_reviews("a.csv"))


def test_faults_keep_the_first_examples() -> None:
    bad_rows = BadRows("skip")
    for number in range(30):
        bad_rows.report(DataError(str(number)))
    assert bad_rows.count == 30
    assert bad_rows.examples == [str(number) for number in range(20)]
    with pytest.raises(DataError, match="x"):
        BadRows().report(DataError("x"))


# Memory


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
    next(read_reviews([str(path)]))  # what is loaded on first use does not count
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_reviews([str(path)])) == 6200
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_the_format_of_a_pattern_is_that_of_its_first_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("__label__pos a film\n")
    assert detect_format(str(tmp_path / "*.txt")) == "fasttext"
