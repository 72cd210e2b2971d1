"""Lines as bytes and as text: numbers, limits, encodings."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from random import Random

import pytest

from fixtures.review_files import (
    COMPRESS,
    lines_of,
    message,
    read,
    skipping,
    written,
)
from sentir.errors import DataError, SentirWarning
from sentir.io.lines import UndecodableLine, text_lines

COMPRESSIONS = [extension[1:] for extension in COMPRESS if extension]


def test_lines_are_numbered_and_keep_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\r\n\n\x00\xfftwo\rtwo\nthree")
    assert lines_of(path) == [(1, b"one\r"), (2, b""), (3, b"\x00\xfftwo\rtwo"), (4, b"three")]


def test_long_lines_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"a\n" + b"x" * 11 + b"\nb\n" + b"y" * 1_000_000 + b"\nc\n" + b"z" * 99)
    errors: list[DataError] = []
    lines = lines_of(path, max_line_bytes=10, report=errors.append)
    assert lines == [(1, b"a"), (3, b"b"), (5, b"c")]
    assert [error.where for error in errors] == [f"{path}:{number}" for number in (2, 4, 6)]
    assert str(errors[0]) == (
        f"{path}:2: a line of more than 10 bytes; "
        "check the file's format, or raise --max-line-bytes"
    )
    with pytest.raises(DataError, match="a line of more than 1,000 bytes"):
        lines_of(path, max_line_bytes=1000)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_compressed_bomb_does_not_fill_memory(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(COMPRESS[f".{compression}"](b"x" * 40_000_000))
    lines_of(path, report=lambda error: None)  # imports on first use do not count
    tracemalloc.start()
    try:
        assert lines_of(path, report=lambda error: None) == []
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_an_incomplete_stream_gives_what_can_be_read(tmp_path: Path, compression: str) -> None:
    random = Random(0)
    text = b"".join(b"%d %d\n" % (number, random.getrandbits(60)) for number in range(100_000))
    path = tmp_path / "incomplete"
    path.write_bytes(COMPRESS[f".{compression}"](text)[:-1000])
    errors: list[DataError] = []
    lines = lines_of(path, report=errors.append)
    assert len(lines) > 40_000
    assert [line for _, line in lines] == text.split(b"\n")[: len(lines)]
    assert str(errors[0]).startswith(
        f"{path}:{len(lines) + 1}: the {compression} stream is damaged or incomplete ("
    )
    assert str(errors[0]).endswith(
        "; download it again, or keep what can be read with --on-error skip"
    )
    with pytest.raises(DataError, match="incomplete"):
        lines_of(path)


def test_an_encoding_that_does_not_fit_is_an_error_with_its_place(tmp_path: Path) -> None:
    content = "text,label\nbueno,1\nniño año,2\n"
    path = written(tmp_path / "a.csv", content.encode("latin-1"))
    assert message(path) == (
        "a.csv:3: byte 0xf1 at column 3 is not utf-8; "
        "pass --encoding cp1252 (or what it is), or convert the file with iconv"
    )
    assert skipping(path)[0] == ["bueno"]
    assert read(path, encoding="latin-1")[1].text == "niño año"
    marked = written(tmp_path / "b.csv", b"\xef\xbb\xbf" + content.encode())
    assert read(marked)[1].text == "niño año"
    assert read(marked)[1].fields == {"text": "niño año", "label": "2"}


@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"])
def test_wide_encodings_without_a_mark_are_refused_by_name(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.csv", "text,label\nx,1\n".encode(encoding))
    assert message(path, on_error="skip").startswith(f"a.csv: the file is in {encoding}; convert")


@pytest.mark.parametrize("wide", ["utf-16", "utf-32"])
@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt", "a.csv.gz"])
def test_a_byte_order_mark_says_the_encoding(
    tmp_path: Path, wide: str, order: str, name: str
) -> None:
    """As Excel ("Unicode text") and the Play Console write files; the option says otherwise."""
    rows = [(f"niño {number} 😀\u2028", "5") for number in range(500)]
    if name == "a.txt":
        content = "".join(f"__label__{label} {text}\n" for text, label in rows)
    elif name == "a.jsonl":
        content = "".join(f'{{"text": "{text}", "label": {label}}}\n' for text, label in rows)
    else:
        delimiter = "\t" if name == "a.tsv" else ","
        content = f"text{delimiter}label\r\n" + "".join(f"{t}{delimiter}{n}\r\n" for t, n in rows)
    data = ("\ufeff" + content).encode(f"{wide}-{order}")
    path = written(tmp_path / name, gzip.compress(data) if name.endswith("gz") else data)
    for encoding in ("utf-8", "latin-1"):
        assert [review.text for review in read(path, encoding=encoding)] == [t for t, _ in rows]


def test_a_damaged_file_in_utf_16(tmp_path: Path) -> None:
    data = "text,label\ngood,1\n".encode("utf-16") + b"\x00\xdc\x41"
    assert message(written(tmp_path / "a.csv", data)).startswith(
        "a.csv: the text is not the UTF-16 that its byte-order mark says"
    )


def test_a_line_in_another_encoding_is_a_bad_row(tmp_path: Path) -> None:
    content = "text,label\n" + "good,pos\nbad,neg\n" * 300
    for encoding in ("UTF-16LE", "UTF-16BE"):
        part = "text,label\ngood,pos\nbad,neg\n".encode(encoding)
        path = written(tmp_path / "a.csv", content.encode() + part)
        texts, bad_rows = skipping(path)
        assert texts == ["good", "bad"] * 300
        assert bad_rows[0] == (
            "a.csv:602: the line is in UTF-16, and those above it are not; "
            "convert that part of the file"
        )


@pytest.mark.parametrize("line", [b"f\x00g", b"\x00", b"\x00\x00", b"a\x00\x00b", b"", b"a" * 99])
def test_nul_characters_alone_are_no_wide_encoding(tmp_path: Path, line: bytes) -> None:
    path = written(tmp_path / "a.txt", line + b"\nb\n")
    assert [text.encode() for _, text in text_lines(str(path), "utf-8", 100, pytest.fail)] == [
        line,
        b"b",
    ]


@pytest.mark.parametrize(
    ("character", "encoding", "advice"),
    [
        ("“", "cp1252", "cp1252"),
        ("€", "cp1252", "cp1252"),
        ("…", "cp1252", "cp1252"),
        ("é", "latin-1", "cp1252"),
        ("\x81", "latin-1", "latin-1"),
    ],
)
def test_the_encoding_that_is_advised_reads_the_file(
    tmp_path: Path, character: str, encoding: str, advice: str
) -> None:
    content = f"text,label\nso {character}good,1\n"
    path = written(tmp_path / "a.csv", content.encode(encoding))
    assert f"; pass --encoding {advice} (or what it is)" in message(path)
    assert read(path, encoding=advice)[0].text == f"so {character}good"


def test_latin1_that_is_cp1252_is_warned_of_once(tmp_path: Path) -> None:
    content = "text,label\nit’s fine,pos\n“bad”,neg\n"
    path = written(tmp_path / "a.csv", content.encode("cp1252"))
    with pytest.warns(SentirWarning) as caught:
        read(path, encoding="iso-8859-1")
    assert [str(warning.message).replace(f"{tmp_path}/", "") for warning in caught] == [
        "a.csv:2: bytes 0x80 to 0x9f are control characters in iso-8859-1, and quotes, apostrophes "
        "and dashes in cp1252: pass --encoding cp1252 if it is from Windows"
    ]
    assert read(path, encoding="cp1252")[0].text == "it’s fine"


def test_utf8_byte_order_marks_within_a_file(tmp_path: Path) -> None:
    mark = "\ufeff"
    path = written(tmp_path / "a.jsonl", f'{mark}{{"text": "a", "label": 1}}\n' * 2)
    assert [review.text for review in read(path)] == ["a", "a"]
    path = written(tmp_path / "a.ft.txt", f"{mark}{mark}__label__1 a\n{mark}__label__2 b\n")
    assert [review.label for review in read(path)] == ["1", "2"]
    path = written(tmp_path / "a.csv", f"a,1\n{mark}b,2\n")
    assert [review.text for review in read(path, columns=("text", "label"))] == ["a", "b"]
    path = written(tmp_path / "b.csv", f"{mark}text,label\na,1\n".encode())
    assert [review.text for review in read(path, encoding="cp1252")] == ["a"]


MAC = {
    "a.csv": "text,label\rgood,pos\rbad,neg\r",
    "a.tsv": "text\tlabel\rgood\tpos\rbad\tneg",
    "a.txt": "text;label\rgood;pos\rbad;neg\r",
    "a.jsonl": '{"text": "good", "label": "pos"}\r{"text": "bad", "label": "neg"}\r',
    "a.ft.txt": "__label__pos good\r__label__neg bad\r",
}


@pytest.mark.parametrize("name", MAC)
def test_lines_that_end_with_carriage_returns(tmp_path: Path, name: str) -> None:
    reviews = read(written(tmp_path / name, MAC[name]))
    assert [(review.text, review.label) for review in reviews] == [("good", "pos"), ("bad", "neg")]
    first = 1 if name in ("a.jsonl", "a.ft.txt") else 2
    assert [review.line for review in reviews] == [first, first + 1]


def test_a_carriage_return_alone_within_a_file_is_no_line_end(tmp_path: Path) -> None:
    assert lines_of(written(tmp_path / "a.txt", "a\rb\nc\r\n")) == [(1, b"a\rb"), (2, b"c\r")]
    assert lines_of(written(tmp_path / "a.txt", "a\r")) == [(1, b"a\r")]


@pytest.mark.parametrize("padding", [b"\x1a", b"\0" * 5000, b"\x1a\0\0"])
def test_padding_at_the_end_is_no_line(tmp_path: Path, padding: bytes) -> None:
    path = written(tmp_path / "a.csv", b"text,label\ngood,pos\n" + padding)
    assert skipping(path) == (["good"], [])


def test_unknown_encodings_and_those_without_ascii_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "text,label\nx,1\n")
    assert message(path, encoding="latin-l") == (
        "--encoding: no encoding is called 'latin-l'; try utf-8, latin-1 or cp1252"
    )
    assert "no encoding is called 'hex'" in message(path, encoding="hex")
    assert "no encoding is called" in message(path, encoding="utf-8\0")
    for encoding in ("utf-16", "cp037", "utf-7", "idna", "punycode", "undefined", "hz",
                     "unicode_escape", "raw_unicode_escape"):  # fmt: skip
        assert message(path, encoding=encoding).startswith(
            f"--encoding: {encoding} cannot be read line by line; "
            f"convert the file to UTF-8 (iconv -f {encoding} -t utf-8)"
        )


def test_text_lines_keep_carriage_returns_and_undecodable_lines_on_request(tmp_path: Path) -> None:
    path = str(written(tmp_path / "a.txt", b"\xef\xbb\xbfone\r\n\xff!\nthree"))
    errors: list[DataError] = []
    assert list(text_lines(path, "utf-8", 100, errors.append)) == [(1, "one\r"), (3, "three")]
    kept = list(text_lines(path, "utf-8", 100, errors.append, keep_undecodable=True))
    assert kept == [(1, "one\r"), (2, "\ufffd!"), (3, "three")]
    assert [isinstance(line, UndecodableLine) for _, line in kept] == [False, True, False]
    assert [error.where for error in errors] == [f"{path}:2"] * 2
