"""Files that are not read are called by their names, and texts that start alike are read."""

from __future__ import annotations

import pickle
import random
import sqlite3
import zipfile
from pathlib import Path

import pytest

from fixtures.archives import zip_of
from fixtures.review_files import message, read, written

_REFUSED = {
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n": "a PDF document; save its reviews as CSV or text",
    b"{\\rtf1\\ansi": "an RTF document; save its reviews as CSV or text",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40): "an old Office file (.xls, .doc, .msg) or one",
    b"Obj\x01\x04\x14avro.codec": "an Avro file; export the table as CSV or Parquet",
    b"ORC\x08\x03\x10": "an ORC file; export",
    b"FEA1\0\0\0\0": "a Feather file of version 1; write it again",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"\x93NUMPY\x01\0v\0": "a NumPy array",
    pickle.dumps([1.5, "x" * 300]): "a Python pickle; a pickle can run code",
    b"7z\xbc\xaf\x27\x1c\0\4": "a 7z archive; unpack it",
    b"Rar!\x1a\x07\x01\0": "a RAR archive; unpack it",
    b"\x89PNG\r\n\x1a\n\0\0": "a picture",
    b"\x04\x22\x4d\x18d@\xa7": "an lz4 stream; decompress it first",
    b"<!DOCTYPE html>\n<html>": "an HTML page",
    b"\xef\xbb\xbf\n<HTML lang='es'>": "an HTML page",
    b"<?xml version='1.0'?>": "an XML file",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:1": "a pointer of Git LFS",
    random.Random(1).randbytes(4000): "a binary file of no kind that is read",
    b"\0" * 600: "holds nothing but NUL bytes",
}


@pytest.mark.parametrize("start", _REFUSED)
@pytest.mark.parametrize("name", ["reviews.csv", "reviews.parquet", "reviews"])
def test_what_is_not_read_is_called_by_its_name(tmp_path: Path, start: bytes, name: str) -> None:
    for labelled in (True, False):
        error = message(written(tmp_path / name, start), labelled=labelled, on_error="skip")
        assert error.startswith(f"{name}: {_REFUSED[start]}")


def test_a_database_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.csv")
    connection.execute("create table reviews (text)")
    connection.close()
    assert message(tmp_path / "a.csv").startswith("a.csv: an SQLite database; export the table")


_DOCUMENTS = {
    "a Word document": ["[Content_Types].xml", "word/document.xml"],
    "a PowerPoint presentation": ["[Content_Types].xml", "ppt/presentation.xml"],
    "an .xlsb spreadsheet": ["[Content_Types].xml", "xl/workbook.bin"],
    "a Java archive": ["META-INF/MANIFEST.MF", "a.class"],
    "a PyTorch file": ["archive/data.pkl", "archive/data/0"],
    "saved NumPy arrays": ["x.npy"],
}


@pytest.mark.parametrize("what", _DOCUMENTS)
def test_documents_are_zip_archives(tmp_path: Path, what: str) -> None:
    path = zip_of(tmp_path / "a.zip", dict.fromkeys(_DOCUMENTS[what], "x"))
    assert message(path).startswith(f"a.zip: {what}; ")


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet"),
        ("vnd.oasis.opendocument.text", "an OpenDocument file"),
        ("epub+zip", "an EPUB book"),
    ],
)
def test_documents_with_a_mimetype(tmp_path: Path, kind: str, what: str) -> None:
    path = zip_of(tmp_path / "a", {"mimetype": f"application/{kind}", "content.xml": "x"})
    assert message(path).startswith(f"a: {what}; ")


def test_a_sas_file_is_refused(tmp_path: Path) -> None:
    start = bytes(12) + b"\xc2\xea\x81\x60" + bytes(68) + b"SAS FILE" + bytes(40)
    assert message(written(tmp_path / "a", start)).startswith("a: a SAS file")


@pytest.mark.parametrize(
    "text",
    [
        *("ORCs are great", "PARED down", "GIF8 is fine", "PAR1 golf", "ARROW1 hit", "RDX loses"),
        *("PKs are bad", "%PDFs work", "<br />nice", "BZh", "X", "Rar! Good", "a\0b", "\x1b[0m ok"),
    ],
)
def test_texts_that_start_alike_are_read(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "a.txt", f"{text}\nfine\n")
    if text == "BZh":
        assert "bz2 stream is damaged" in message(path, labelled=False)
        return
    reviews = read(path, labelled=False, format="text")
    assert [review.text for review in reviews] == [text, "fine"]


def test_binary_files_and_the_format_option(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.parquet", {"a.csv": "text,label\na,1\n"})
    assert len(read(path)) == 1  # what it is decides, not its name
    arrow = written(tmp_path / "a.csv", b"ARROW1\0\0")
    assert message(arrow, format="csv") == (
        "a.csv: an Arrow file, and --format says csv; leave --format out"
    )
    assert message(written(tmp_path / "b", "text\n"), format="arrow") == (
        "b: not an Arrow file; pass its --format"
    )
    assert message(written(tmp_path / "c.xlsx", "text\n")) == (
        "c.xlsx: not a spreadsheet; pass its --format"
    )


def test_a_zip_without_its_directory_is_damaged(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "text,label\na,1\n")
    path = written(tmp_path / "b.zip", (tmp_path / "a.zip").read_bytes()[:40])
    assert message(path).startswith("b.zip: the zip archive is damaged")
