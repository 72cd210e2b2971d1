"""A table that is written in the form in which it was read opens where the first one did."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentir.config import ReadOptions
from sentir.errors import DataError
from sentir.io.reader import read_reviews
from sentir.io.table_form import TableForm
from sentir.io.writer import write_records


def copied(source: Path, target: Path, *, added: str = "", **options: Any) -> bytes:
    """The bytes of a copy, to which a column is added."""
    form = TableForm()
    reviews = read_reviews(
        [str(source)], ReadOptions(**options), labelled=False, keep_empty=True, form=form
    )
    extra = {"answer": added} if added else {}
    format = "tsv" if source.suffix == ".tsv" else "csv"
    write_records(({**(r.fields or {}), **extra} for r in reviews), str(target), format, form=form)
    return target.read_bytes()


BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.csv", b'id,text\n1,"good, ""so"" good"\n2,bad\n', {}),
        ("a.csv", BOM + b'id;text\r\n1;"good; film"\r\n2;"two\r\nlines"\r\n', {}),
        ("a.csv", b"sep=;\r\nid;text\r\n1;good\r\n", {}),
        ("a.csv", BOM + b"sep=|\nid|text\n1|good\n", {}),
        ("a.csv", b'"id","text"\n"1","good"\n"2","bad, so bad"\n', {}),
        ("a.csv", b"id\ttext\n1\tgood\n2\tbad\n", {}),
        ("a.tsv", b'id\ttext\n1\t"Love it\n2\tsay "no"\n3\t"', {"quoting": "none"}),
        ("a.csv", b'id,text\n1,"say \\"no\\", twice"\n2,C:\\\\temp\n', {"quoting": "backslash"}),
        ("a.csv", "id;text\r\n1;caf\xe9 – “so”\r\n".encode("cp1252"), {"encoding": "cp1252"}),
        ("a.csv", "id,text\n1,很好看\n".encode("gb18030"), {"encoding": "gb18030"}),
        ("a.csv", "id,text\n1,とても\n".encode("iso2022_jp"), {"encoding": "iso2022_jp"}),
        ("a.csv", BOM + b"id,text\n1,good\n", {"encoding": "utf-8-sig"}),
        ("a.tsv", b'id\ttext\n1\tsay "no"\n2\tbad\n', {}),
        ("a.csv", b'id,text\n1,say "no"\n2,bad\n', {}),
        ("a.csv", b'id,text\n1,"say ""no"""\n2,bad\n', {}),
        ("a.csv", b"text,x,x,,  y \ngood,1,2,3,4\n", {}),
        ("a.csv", b"text,n\n=1+1,-5\n", {}),
    ],
)
def test_every_byte_comes_back(
    name: str, content: bytes, options: dict[str, Any], tmp_path: Path
) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    assert copied(source, tmp_path / "copy", **options) == content.removesuffix(b"\n") + b"\n"
    with_column = copied(source, tmp_path / "copy", added="x", **options)
    assert len(with_column) > len(content)
    assert with_column.startswith(content[: content.index(b"text")])


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        (b"text\ngood\n", {}, b"text,answer\ngood,x\n"),
        (b'text\r\n"good; so, good"\r\n', {}, b'text,answer\r\n"good; so, good",x\r\n'),
        (b"text\ngood\tfine\n", {"delimiter": "|"}, b"text|answer\ngood\tfine|x\n"),
        (b"sep=;\ntext\ngood\n", {}, b"sep=;\ntext;answer\ngood;x\n"),
    ],
)
def test_a_table_of_one_column_gets_commas(
    content: bytes, options: dict[str, Any], expected: bytes, tmp_path: Path
) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(content)
    assert copied(source, tmp_path / "copy", added="x", **options) == expected


def test_escaped_quotes_are_recognised_in_the_copy(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'text,n\n"say \\"no\\"",1\n"x",2\n')
    copy = tmp_path / "copy.csv"
    copied(tmp_path / "a.csv", copy, added="x")
    texts = [review.text for review in read_reviews([str(copy)], labelled=False)]
    assert texts == ['say "no"', "x"]


def test_what_becomes_standard(tmp_path: Path) -> None:
    """Old Macs' line ends, blanks around quotes, blank lines and empty cells after a row."""
    source = tmp_path / "a.csv"
    for content, expected in (
        (b"id,text\r1,good\r2,bad\r", b"id,text\n1,good\n2,bad\n"),
        (b'id,text\n1, "good, so" \n2,bad\n', b'id,text\n1,"good, so"\n2,bad\n'),
        (b"id,text\n\n1,good,,\n,\n2,bad\n", b"id,text\n1,good\n,\n2,bad\n"),
    ):
        source.write_bytes(content)
        assert copied(source, tmp_path / "copy") == expected


def test_a_quote_far_down_in_tsv_is_not_doubled(tmp_path: Path) -> None:
    """Nor is a field that must be quoted left bare."""
    source = tmp_path / "a.tsv"
    content = b"id\ttext\n" + b"1\tgood\n" * 600 + b'2\tsay "no"\n3\t"a\ttab"\n4\t"""so"""\n'
    source.write_bytes(content)
    assert copied(source, tmp_path / "copy") == content


def test_the_first_table_decides(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id;text\r\n1;good\r\n")
    (tmp_path / "b.csv").write_bytes(b"text,id\nbad,2\n")
    form = TableForm()
    sources = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    reviews = read_reviews(sources, labelled=False, form=form)
    write_records((r.fields or {} for r in reviews), str(tmp_path / "out"), "csv", form=form)
    assert (tmp_path / "out").read_bytes() == b"id;text\r\n1;good\r\n2;bad\r\n"


def test_what_does_not_fit_the_form_is_an_error(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    latin = TableForm(delimiter=";", encoding="latin-1")
    with pytest.raises(DataError, match=r"out\.csv: '€' cannot be written in latin-1; convert"):
        write_records([{"text": "5 €"}], str(target), "csv", form=latin)
    bare = TableForm(delimiter=";", quoting="none")
    for value in ("a;b", "a\nb", "a\rb"):
        with pytest.raises(DataError, match="a table without quoting cannot hold"):
            write_records([{"text": value}], str(target), "csv", form=bare)
    assert not target.exists()


# Files that are full of control characters are binary, and refused.
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\r\t"), min_size=1
).filter(lambda text: "\ufeff" not in text)
rows = st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(rows=rows, delimiter=st.sampled_from(",;\t|"), line_end=st.sampled_from(["\n", "\r\n"]))
@pytest.mark.parametrize("quoting", ["minimal", "all", "backslash"])
def test_any_table_keeps_its_rows_and_gets_columns(
    quoting: str, rows: Sequence[tuple[str, ...]], delimiter: str, line_end: str, tmp_path: Path
) -> None:
    """Read by the csv module in the dialect that the file was written in."""
    kind: dict[str, Any] = {"delimiter": delimiter, "lineterminator": line_end}
    if quoting == "backslash":
        kind |= {"doublequote": False, "escapechar": "\\"}
    if quoting != "minimal" or any("\r" in value for row in rows for value in row):
        kind["quoting"] = csv.QUOTE_ALL  # the csv module leaves "\r" bare before "\n"
    source, target = tmp_path / "a.csv", tmp_path / "out.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, **kind).writerows([("text", "a", "b"), *rows])
    given_quoting = "backslash" if quoting == "backslash" else "standard"
    options = {"delimiter": delimiter, "quoting": given_quoting}
    written = copied(source, target, added="x", **options).decode()
    read = list(csv.reader(io.StringIO(written, newline=""), strict=True, **kind))
    assert read[0] == ["text", "a", "b", "answer"]
    assert [tuple(row[:3]) for row in read[1:]] == list(rows)
    assert written.count(line_end) >= len(rows) + 1
