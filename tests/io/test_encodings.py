"""Encodings: which can be read, and which a file is likely to be in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.review_files import message, read, written
from sentir.errors import DataError
from sentir.io.encodings import (
    check_encoding,
    decoding_advice,
    has_cp1252_quotes,
    is_latin1,
    wide_encoding,
)

WIDE = ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"]
CONTENT = {
    "a.csv": "reseña;label\nniño 😀;pos\n",
    "a.tsv": "text\tlabel\r\nniño 😀\tpos\r\n",
    "a.txt": "\nreseña;label\nniño 😀;pos\n",
    "a.jsonl": '{"text": "niño", "label": 1}\n',
    "a.ft.txt": "__label__1 niño\n",
}


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("options", [{}, {"encoding": "latin-1"}, {"on_error": "skip"}])
@pytest.mark.parametrize("name", CONTENT)
def test_wide_encodings_without_a_mark_are_refused_by_name(
    tmp_path: Path, encoding: str, options: dict[str, Any], name: str
) -> None:
    path = written(tmp_path / name, CONTENT[name].encode(encoding))
    for labelled in (True, False):
        assert message(path, labelled=labelled, **options).startswith(
            f"{name}: the file is in {encoding}; convert it: iconv -f {encoding} -t UTF-8 "
        )


@pytest.mark.parametrize(
    "text", ["Очень хороший фильм", "Πολύ καλή ταινία", "סרט טוב מאוד", "😀 a b c d e f"]
)
@pytest.mark.parametrize("encoding", WIDE)
def test_wide_encodings_of_other_alphabets(tmp_path: Path, text: str, encoding: str) -> None:
    path = written(tmp_path / "a.txt", f"{text}\n{text}\n".encode(encoding))
    assert message(path, labelled=False).startswith(f"a.txt: the file is in {encoding}; ")
    path = written(tmp_path / "b.txt", f"{text}\n")
    assert read(path, labelled=False)[0].text == text


@pytest.mark.parametrize("text", ["很好看的电影\n不好看\n上上下下\n", "とても良い映画\nだめです\n"])
@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE"])
def test_wide_encodings_whose_high_bytes_are_large(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = written(tmp_path / "a.txt", text.encode(encoding))
    assert message(path, labelled=False).startswith(f"a.txt: the file is in {encoding}; ")


@pytest.mark.parametrize(
    "start",
    [
        "café\0 naïve\n\0été".encode("latin-1"),
        "很好看\0的电影\n不好看\n".encode("gb18030"),
        "很好看的电影\0\n不好看\n".encode(),
        b"text,label\ngood,pos\n" + b"\0" * 8,
    ],
)
def test_nul_characters_in_other_encodings(start: bytes) -> None:
    assert wide_encoding(start) is None


def test_names_of_encodings() -> None:
    for name in ("utf-8", "latin-1", "cp1252", "gb18030", "shift_jis"):
        check_encoding(name)
    with pytest.raises(DataError, match="cannot be read line by line"):
        check_encoding("utf-16")
    assert is_latin1("latin-1")
    assert is_latin1("ISO-8859-1")
    assert not is_latin1("cp1252")


def test_bytes_of_cp1252_alone() -> None:
    assert has_cp1252_quotes("it’s".encode("cp1252"))
    assert not has_cp1252_quotes("café".encode("cp1252"))
    assert not has_cp1252_quotes(b"\x93 \x81")  # 0x81 is nothing in cp1252


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("it’s so good".encode("cp1252"), "pass --encoding cp1252 (or what it is), or convert"),
        (b"so \x81 good", "pass --encoding latin-1 (or what it is), or convert"),
        ("хороший фильм,pos".encode("cp1251"), "pass its --encoding (cp1251, gb18030, shift_jis"),
        ("很好看的电影,pos".encode("gb18030"), "pass its --encoding (cp1251, gb18030, shift_jis"),
        ("café très bon".encode() + b"\xff", "the rest of the line is UTF-8, so fix the row"),
    ],
)
def test_advice_for_a_line_that_cannot_be_decoded(line: bytes, advice: str) -> None:
    assert decoding_advice(line).startswith(advice)
