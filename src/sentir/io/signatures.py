"""What a file is by its first bytes, whatever its name; what is not read is refused by name."""

from __future__ import annotations

import re
import tarfile

from sentir.errors import DataError

#: Bytes that decide what a file is.
HEAD_BYTES = 1 << 13
PARQUET = b"PAR1"
ARROW_FILE = b"ARROW1"
ARROW_STREAM = b"\xff\xff\xff\xff"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")

_UNPACK = "unpack it, and name the files in it"
_EXPORT = "export the table as CSV or Parquet"
_TEXT = "save its reviews as CSV or text"
#: First bytes, what the file is, and what to do.
_REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF document", _TEXT),
    (b"{\\rtf", "an RTF document", _TEXT),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Office file (.xls, .doc, .msg) or one with a password",
        "save the sheet as .xlsx without a password, or as CSV",
    ),
    (
        b"SQLite format 3\0",
        "an SQLite database",
        "export the table: sqlite3 -csv -header FILE QUERY",
    ),
    (b"Obj\x01", "an Avro file", _EXPORT),
    (b"ORC", "an ORC file", _EXPORT),
    (b"FEA1", "a Feather file of version 1", "write it again with pyarrow.feather.write_feather"),
    (b"PARE", "an encrypted Parquet file", "decrypt it, and write it as Parquet"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _EXPORT),
    (b"\x93NUMPY", "a NumPy array", _EXPORT),
    (b"RDX2\n", "an R workspace", _EXPORT),
    (b"RDX3\n", "an R workspace", _EXPORT),
    (b"X\n\0\0\0", "an R object (.rds)", _EXPORT),
    (b"<stata_dta>", "a Stata file", _EXPORT),
    (b"$FL2", "an SPSS file", _EXPORT),
    (b"$FL3", "an SPSS file", _EXPORT),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"\x04\x22\x4d\x18", "an lz4 stream", "decompress it first"),
    (b"\xff\x06\0\0sNaPpY", "a Snappy stream", "decompress it first"),
    (b"\x1f\x9d", "a file of compress (.Z)", "decompress it first"),
    (b"LZIP", "an lzip stream", "decompress it first"),
    (b"\x89PNG\r\n\x1a\n", "a picture", _TEXT),
    (b"\xff\xd8\xff", "a picture", _TEXT),
    (b"GIF8", "a picture", _TEXT),
    (b"\x7fELF", "a program", "check the name"),
    (
        b"version https://git-lfs.github.com/spec",
        "a pointer of Git LFS, not the file itself",
        "fetch the file: git lfs pull",
    ),
)
#: Of those, what a text may start with too.
_ALSO_TEXT = (
    b"ORC",
    b"FEA1",
    b"PARE",
    b"LZIP",
    b"GIF8",
    b"$FL",
    b"RDX",
    b"X\n",
    PARQUET,
    ARROW_FILE,
)
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x00-\xff]*")
_HTML = re.compile(rb"(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)[\s>]", re.DOTALL)
_XML = re.compile(rb"<\?xml\s")
_SAS = b"\xc2\xea\x81\x60"
#: Control characters that text does not have; a few of them may be errors in it.
_CONTROL = bytes({*range(32)} - {*b"\b\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f"})
_MAX_CONTROL_SHARE = 0.03


def is_text(head: bytes) -> bool:
    """Whether no byte is a control character that text does not have."""
    return len(head.translate(None, _CONTROL)) == len(head)


def needs_more(head: bytes) -> bool:
    """Whether the first line alone does not say what a file is."""
    return not is_text(head) or head.startswith(_ALSO_TEXT)


def is_zip(head: bytes) -> bool:
    """Whether a file is a zip archive; documents and spreadsheets are too."""
    return head.startswith(ZIP)


def is_tar(head: bytes) -> bool:
    """Whether a file is a tar archive, by the checksum of its first header."""
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def is_arrow_stream(head: bytes) -> bool:
    """Whether a file is an Arrow IPC stream, as `datasets` saves them."""
    return head.startswith(ARROW_STREAM) and len(head) > 8 and head[7] == 0


def refuse_unreadable(head: bytes, name: str) -> None:
    """Refuse a file that holds no reviews in any form that is read.

    Args:
        head: its first bytes, decompressed: `HEAD_BYTES`, or the first line of text.
        name: name of the file in the error.

    Raises:
        DataError: it is of a kind that is not read, or binary of no known kind.
    """
    for magic, what, todo in _REFUSED:
        if head.startswith(magic) and not (magic.startswith(_ALSO_TEXT) and is_text(head)):
            raise DataError(what, where=name, todo=todo)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1000].lower()
    if _HTML.match(start):
        raise DataError("an HTML page", where=name, todo=_TEXT)
    if _XML.match(start):
        raise DataError("an XML file", where=name, todo=_EXPORT)
    if b"\0" in head and _PICKLE.match(head):
        todo = "a pickle can run code; write the table as CSV or Parquet"
        raise DataError("a Python pickle", where=name, todo=todo)
    if _SAS in head[:64] and b"SAS FILE" in head[:128]:
        raise DataError("a SAS file", where=name, todo=_EXPORT)
    if head and not head.strip(b"\0"):
        raise DataError("holds nothing but NUL bytes", where=name, todo="check how it was written")
    head = head.rstrip(b"\0\x1a")  # what DOS and preallocated files end with
    control = len(head) - len(head.translate(None, _CONTROL))
    if control > 8 and control > _MAX_CONTROL_SHARE * len(head):
        raise DataError(
            "a binary file of no kind that is read",
            where=name,
            todo="save the reviews as CSV, JSON lines or Parquet",
        )


def refuse_document(names: list[str], mimetype: bytes, name: str) -> None:
    """Refuse a document that is a zip archive.

    Args:
        names: the archive's members.
        mimetype: content of the member ``mimetype``, which OpenDocument and EPUB have.
        name: name of the file in the error.

    Raises:
        DataError: it is a document, or saved arrays or weights.
    """
    folders = {member.partition("/")[0] for member in names}
    if "[Content_Types].xml" in names and "word" in folders:
        raise DataError("a Word document", where=name, todo=_TEXT)
    if "[Content_Types].xml" in names and "ppt" in folders:
        raise DataError("a PowerPoint presentation", where=name, todo=_TEXT)
    if "xl/workbook.bin" in names:
        raise DataError("an .xlsb spreadsheet", where=name, todo="save the sheet as .xlsx or CSV")
    if b"opendocument.spreadsheet" in mimetype:
        todo = "save the sheet as .xlsx or CSV"
        raise DataError("an OpenDocument spreadsheet", where=name, todo=todo)
    if b"opendocument" in mimetype:
        raise DataError("an OpenDocument file", where=name, todo=_TEXT)
    if b"epub" in mimetype:
        raise DataError("an EPUB book", where=name, todo=_TEXT)
    if "META-INF/MANIFEST.MF" in names:
        raise DataError("a Java archive", where=name, todo="check the name")
    if any(member.endswith("/data.pkl") for member in names):
        raise DataError("a PyTorch file", where=name, todo=_EXPORT)
    if names and all(member.endswith(".npy") for member in names):
        raise DataError("saved NumPy arrays", where=name, todo=_EXPORT)


def is_spreadsheet(names: list[str]) -> bool:
    """Whether a zip archive is an .xlsx spreadsheet."""
    return "[Content_Types].xml" in names and "xl/workbook.xml" in names
