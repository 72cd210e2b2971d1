"""Rows of CSV and TSV: headers, broken rows, limits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fixtures.review_files import (
    ROWS,
    message,
    pairs,
    read,
    skipping,
    write_table,
    written,
)
from sentir.errors import UsageError
from sentir.io.reader import BadRows, ReadOptions, read_reviews


def test_a_header_that_cannot_be_used(tmp_path: Path) -> None:
    assert message(written(tmp_path / "a.csv", "text,text,label\n")) == (
        "a.csv: 'text' names two columns; rename one; if line 1 is no header, give --columns"
    )
    assert message(written(tmp_path / "a.csv", 'text,"la"bel\nx,1\n')) == (
        "a.csv:1: the row is broken (',' expected after '\"'); "
        'quote the field, write " in it as "", or pass --quoting (none, backslash)'
    )
    assert pairs(read(written(tmp_path / "a.csv", "text,label,,\nx,1,,\n"))) == [("x", "1")]


def test_a_table_without_a_header(tmp_path: Path) -> None:
    content = '"2","Great CD","My ""lovely"" Pat,\nshe"\n"1","","Bad"\n"1","short"\n'
    named = {"columns": ("class", "title", "text"), "text_column": ("title", "text")}
    for name in ("a.csv", "a.txt"):
        texts, bad_rows = skipping(written(tmp_path / name, content), **named)
        assert texts == ['Great CD: My "lovely" Pat,\nshe', "Bad"]
        assert bad_rows == [
            f"{name}:4: 2 fields where --columns names 3; quote a field that holds ',', "
            "or pass --delimiter or --quoting"
        ]
    reviews = read(written(tmp_path / "a.tsv", "x\t2\ny\t1\n"), columns=("review", "stars"))
    assert pairs(reviews) == [("x", "2"), ("y", "1")]
    assert [review.line for review in reviews] == [1, 2]
    assert reviews[0].fields == {"review": "x", "stars": "2"}
    assert message(tmp_path / "a.tsv", columns=("review", "review"), label_column="review") == (
        "a.tsv: 'review' names two columns; rename one"
    )
    assert message(tmp_path / "a.tsv", columns=("x", "stars")) == (
        "a.tsv: none of the columns 'x', 'stars' has a usual name for the text; "
        "name it with --text-column"
    )
    with pytest.raises(UsageError, match="--columns for jsonl; it is for CSV and TSV"):
        read(written(tmp_path / "a.jsonl", "{}\n"), columns=("x", "y"))


REPEATED = [("good", "pos"), ("bad", "neg"), ("good", "pos"), ("bad", "neg")]


@pytest.mark.parametrize(
    "header",
    [
        "text,label",
        "\ufefftext,label",
        '"text","label"',
        " Text , LABEL",
        "text,label\r",
        "Text,label,",
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_header_that_is_repeated_is_no_review(tmp_path: Path, header: str, name: str) -> None:
    content = f"text,label\ngood,pos\nbad,neg\n{header}\ngood,pos\nbad,neg\n"
    path = written(tmp_path / name, content.replace(",", "\t" if name == "a.tsv" else ","))
    assert pairs(read(path)) == REPEATED
    for review in read(path, labelled=False):
        assert review.fields == {"text": review.text, "label": review.label}


def test_a_header_in_the_middle_names_the_columns_below_it(tmp_path: Path) -> None:
    content = "text,label\ngood,pos\nbad,neg\nlabel,text\npos,good\nneg,bad\n"
    assert pairs(read(written(tmp_path / "a.csv", content))) == REPEATED
    content = "text,label\ngood,pos\nbad,neg\nid,label,text\n7,pos,good\n8,neg,bad\n"
    assert pairs(read(written(tmp_path / "a.csv", content))) == REPEATED
    content = "text\nlabel\nText\ntext\n"
    reviews = read(written(tmp_path / "a.csv", content), labelled=False)
    assert [review.text for review in reviews] == ["label", "Text"]


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "x,text,x,label,,\n1,good,2,pos,,\n3,bad,4,neg,,\n")
    assert pairs(read(path)) == [("good", "pos"), ("bad", "neg")]
    assert read(path, labelled=False)[0].fields == {
        "x": "1", "text": "good", "x.2": "2", "label": "pos", "": "", ".2": ""
    }  # fmt: skip
    path = written(tmp_path / "a.csv", "text,label,label,y\ngood,pos,neg,pos\n")
    assert pairs(read(path, label_column="y")) == [("good", "pos")]
    assert pairs(read(path, labelled=False)) == [("good", "pos")]
    assert message(path).startswith("a.csv: 'label' names two columns; rename one")
    path = written(tmp_path / "a.csv", "x,x,text,x.2,label\n1,2,good,3,pos\n")
    assert list((read(path, labelled=False)[0].fields or {}).values()) == [
        "1", "2", "good", "3", "pos"
    ]  # fmt: skip


def test_a_header_of_many_columns_is_fast(tmp_path: Path) -> None:
    for names in (["x"] * 20_000, [f"x{number}" for number in range(20_000)]):
        header, row = ",".join([*names, "text", "label"]), ",".join([*names, "good", "pos"])
        path = written(tmp_path / "a.csv", f"{header}\n{row}\n")
        start = time.perf_counter()
        assert pairs(read(path)) == [("good", "pos")]
        assert time.perf_counter() - start < 3


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_headers(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    write_table(path, ROWS, delimiter)
    assert pairs(read(path)) == ROWS


def test_broken_csv_rows(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        'text,label\na,1\nb\nc,1,x\n"d" d,1\n,1\ne,\nf\rg,1\n"h\nh",1\n"never closed,1\ni,2\nj,1\n',
    )
    texts, bad_rows = skipping(path)
    assert texts == ["a", "h\nh", "i", "j"]
    quote = 'quote the field, write " in it as "", or pass --quoting (none, backslash)'
    fields = "quote a field that holds ',', or pass --delimiter or --quoting"
    assert bad_rows == [
        f"a.csv:3: 1 fields where the header has 2; {fields}",
        f"a.csv:4: 3 fields where the header has 2; {fields}",
        f"a.csv:5: the row is broken (',' expected after '\"'); {quote}",
        "a.csv:6: the text is empty",
        "a.csv:7: no label in column 'label'; add it or remove the row",
        "a.csv:8: a carriage return within a field; quote the field",
        "a.csv:11: a quote opens in this row and is never closed; "
        'close it; write " as "", or pass --quoting none',
    ]
    assert message(path).startswith("a.csv:3: 1 fields")


def test_an_open_quote_costs_one_row_of_a_long_file(tmp_path: Path) -> None:
    rows = [f"row {number},1\n" for number in range(3000)]
    rows[1000] = '"' + rows[1000]
    path = written(tmp_path / "a.csv", "text,label\n" + "".join(rows))
    texts, bad_rows = skipping(path, max_line_bytes=5000)
    assert len(texts) == 2999
    assert bad_rows == [
        "a.csv:1002: a quote opens in this row and is never closed; "
        'close it; write " as "", or pass --quoting none'
    ]


def test_rows_that_all_open_a_quote_are_read_in_linear_time(tmp_path: Path) -> None:
    content = 'text,label\n"a, b",pos\n' + 'a","\n' * 100_000 + '"c\nd",neg\n'
    path = written(tmp_path / "a.csv", content)
    bad_rows = BadRows("skip")
    start = time.perf_counter()
    reviews = list(read_reviews([str(path)], ReadOptions(), bad_rows=bad_rows))
    assert time.perf_counter() - start < 20
    assert pairs(reviews)[0] == ("a, b", "pos")
    assert len(reviews) + bad_rows.count > 99_990


def test_a_long_record_after_broken_ones(tmp_path: Path) -> None:
    long = "\n".join(["a long, long line"] * 2000)
    rows = ["good,pos"] * 60_000
    rows[7:7] = ['"open,pos', f'"{long}",neg', '"open,pos', f'"{long}",neg']
    texts, bad_rows = skipping(
        written(tmp_path / "a.csv", 'text,label\n"a, b",pos\n' + "\n".join(rows))
    )
    assert len(bad_rows) == 2
    assert texts.count(long) == 2


def test_an_undecodable_line_costs_its_record(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b'text,label\n"a\n\xff\nb",1\nc,2\n')
    texts, bad_rows = skipping(path)
    assert texts == ["c"]
    assert [row.partition(" is not")[0] for row in bad_rows] == ["a.csv:3: byte 0xff at column 1"]


def test_a_line_too_long_breaks_its_record(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", f'text,label\n"a\n{"x" * 99}\nb,1\nc,2\n')
    texts, bad_rows = skipping(path, max_line_bytes=50)
    assert texts == ["b", "c"]
    assert [row.partition(";")[0] for row in bad_rows] == [
        "a.csv:3: a line of more than 50 bytes",
        "a.csv:2: the row is broken (a line within it cannot be read)",
    ]


def test_the_longest_line_is_an_option(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", f"text,label\n{'x' * 400_000},1\n")
    assert len(read(path)[0].text) == 400_000
    assert message(path, max_line_bytes=1000).startswith("a.csv:2: a line of more than 1,000 bytes")
