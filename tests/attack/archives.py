"""Malformed archives, folders and spreadsheets: wrong headers, names that harm, broken members.

Bytes that change at random are mostly caught by a checksum. Here members are changed before they
are packed, and fields of headers afterwards.
"""

from __future__ import annotations

import functools
import io
import os
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import openpyxl

from attack.mutator import MAX_BYTES, mutate
from attack.seeds import COMPRESS, FORMATS, ROWS, seeds

Members = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Tree:
    """The files of a folder, and links and pipes beside them, by name."""

    files: Mapping[str, bytes]
    links: Mapping[str, str]
    pipe: str = ""

    def write(self, folder: Path) -> None:
        folder.mkdir()
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for name, target in self.links.items():
            (folder / name).symlink_to(target)
        if self.pipe:
            os.mkfifo(folder / self.pipe)


#: Names of members that a careless reader writes elsewhere, prints raw, or stumbles over.
_HARMFUL = (
    "../../escape.csv", "/etc/escape.csv", "..", ".", "", "/", "a\\b.csv", "C:\\a.csv",
    "a\x1b[2Jb.csv", "a\nb.csv", "n\0ul.csv", "x" * 300 + ".csv", "é😀.csv", "reviews.csv:x",
    "[a].csv", "*.csv", " .csv", "-", "train/", "pos/../neg/1.txt", "http://a/b.csv",
    "a/" * 60 + "b.csv", "_SUCCESS", "__MACOSX/._a.csv", ".hidden.csv", "inner.zip", "a.7z",
    "README.md", "data.csv.gz", "pos/1.txt", "test.csv", "mimetype", "[Content_Types].xml",
)  # fmt: skip
#: Parts of an archive or folder that are asked for (``reviews.zip:train``).
PARTS = ("train", "test", "pos", "*.csv", "part-1.csv", "no", "[", "..", "/", "Sheet", "*")


def _members(draw: Random) -> Members:
    """Files that belong together, most of them valid."""
    layout = draw.choice(["table", "tables", "class folders", "class files", "splits", "texts"])
    if layout == "table":
        members = [_table("reviews", draw)]
    elif layout == "tables":
        members = [_table(f"part-{number}", draw) for number in range(draw.randint(2, 3))]
    elif layout == "splits":
        members = [_table(f"{split}{draw.choice(['', '/data'])}", draw) for split in _SPLITS]
    elif layout == "texts":
        members = [(f"{number}.txt", draw.choice(seeds("text"))) for number in range(3)]
    elif layout == "class files":
        members = [(f"{name}.txt", draw.choice(seeds("text"))) for name in ("pos", "neg")]
    else:
        above = draw.choice(["", "train/", "aclImdb/train/"])
        members = [
            (f"{above}{label}/{number}_7.txt", ROWS[number][0].encode())
            for label in ("pos", "neg", *draw.choice([[], ["unsup"]]))
            for number in range(3)
        ]
    for _ in range(int(draw.expovariate(1.2))):
        members = _changed(members, draw)
    return members


_SPLITS = ("train", "test")


def _table(stem: str, draw: Random) -> tuple[str, bytes]:
    kind = draw.choice([kind for kind in FORMATS if kind not in ("unnamed", "text")])
    content = draw.choice(seeds(kind))
    name = stem + FORMATS[kind].extension
    if FORMATS[kind].is_text and draw.random() < 0.1:
        packing = draw.choice(list(COMPRESS))
        return name + packing, COMPRESS[packing](content)
    return name, content


def _changed(members: Members, draw: Random) -> Members:
    """The members with one changed: another content or name, one more, one twice, none."""
    if not members:
        return members
    at, how = draw.randrange(len(members)), draw.random()
    name, content = members[at]
    if how < 0.5:
        changed = [(name, mutate(content, [one for _, one in members], draw))]
    elif how < 0.7:
        changed = [(draw.choice(_HARMFUL), content)]
    elif how < 0.8:
        changed = [(name, content), (draw.choice(_HARMFUL), draw.choice(_ODD)())]
    elif how < 0.9:
        changed = [(name, content), (name, members[0][1])]
    elif how < 0.95:
        changed = [(name, b"")]
    else:
        changed = []
    return [*members[:at], *changed, *members[at + 1 :]]


_ODD: Sequence[Callable[[], bytes]] = (
    lambda: b"",
    lambda: b"\0" * 100_000,
    lambda: zip_of([("a.csv", b"text,label\ngood,1\n")]),
    lambda: tar_of([("a.csv", b"text,label\ngood,1\n")]),
    lambda: zip_of(_spreadsheets()[0]),
    lambda: b"# About\nA corpus.\n",
)


def zip_of(members: Members, compressions: Sequence[int] = (zipfile.ZIP_DEFLATED,)) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")  # two members of one name
        for number, (name, content) in enumerate(members):
            info = zipfile.ZipInfo(name, (2026, 11, 28, 0, 0, 0))
            info.compress_type = compressions[number % len(compressions)]
            with archive.open(info, "w") as member:  # `writestr` fails at an empty name
                member.write(content)
    return buffer.getvalue()


#: The signatures of a zip archive's headers, with the place and size of each of their fields.
_ZIP_HEADERS: dict[bytes, Sequence[tuple[int, int]]] = {
    b"PK\x03\x04": ((4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)),
    b"PK\x01\x02": ((6, 2), (8, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2),
                    (32, 2), (34, 2), (38, 4), (42, 4)),
    b"PK\x05\x06": ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)),
}  # fmt: skip
_COMPRESSIONS = (
    zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2,
    zipfile.ZIP_LZMA,
)  # fmt: skip


def make_zip(draw: Random) -> bytes:
    """A zip archive, of which a field of a header may be wrong, or any byte."""
    content = zip_of(_members(draw), draw.sample(_COMPRESSIONS, 2))
    if draw.random() < 0.5:
        content = _wrong_zip_field(content, draw)
    return _maybe_mutated(content, draw)


def _wrong_zip_field(content: bytes, draw: Random) -> bytes:
    signature = draw.choice(list(_ZIP_HEADERS))
    places, at = [], content.find(signature)
    while at >= 0:
        places.append(at)
        at = content.find(signature, at + 1)
    if not places:
        return content
    offset, size = draw.choice(_ZIP_HEADERS[signature])
    at = draw.choice(places) + offset
    old = int.from_bytes(content[at : at + size], "little")
    most = (1 << 8 * size) - 1
    new = draw.choice([old ^ 1, old ^ (1 << draw.randrange(8 * size)), old + 1, 0, most, most >> 1])
    return content[:at] + (new & most).to_bytes(size, "little") + content[at + size :]


def tar_of(members: Members, format: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name, content in members:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


#: Place and size of the fields of a tar header.
_TAR_FIELDS = {
    "name": (0, 100), "mode": (100, 8), "uid": (108, 8), "size": (124, 12), "mtime": (136, 12),
    "type": (156, 1), "linkname": (157, 100), "magic": (257, 8), "prefix": (345, 155),
}  # fmt: skip
_TAR_TYPES = b"01234567LKxgXSDV\0M?"
_TAR_SIZES = (b"0", b"1", b"77777777777", b"-1", b"\x80" + b"\xff" * 11, b"\xff" * 12, b" ", b"zz",
              b"\x80" + b"\0" * 10 + b"\x05", b"2000000", b"00000000001\0")  # fmt: skip


def make_tar(draw: Random) -> bytes:
    """A tar archive, of which a field of a header may be wrong, with a checksum that suits it."""
    format = draw.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    try:
        content = tar_of(_members(draw), format)
    except (ValueError, UnicodeError):  # a name that this format has no place for
        content = tar_of([("reviews.csv", draw.choice(seeds("csv")))], format)
    for _ in range(int(draw.expovariate(1.5))):
        content = _wrong_tar_field(content, draw)
    if draw.random() < 0.05:
        content += content
    return _maybe_mutated(content, draw)


def _wrong_tar_field(content: bytes, draw: Random) -> bytes:
    block = tarfile.BLOCKSIZE
    places = [
        at for at in range(0, len(content), block) if content[at + 257 : at + 262] == b"ustar"
    ]
    if not places:
        return content
    at = draw.choice(places)
    header = bytearray(content[at : at + block])
    name = draw.choice(list(_TAR_FIELDS))
    start, size = _TAR_FIELDS[name]
    if name == "type":
        value = bytes([draw.choice(_TAR_TYPES)])
    elif name in ("name", "linkname", "prefix"):
        value = draw.choice(_HARMFUL).encode()
    else:
        value = draw.choice(_TAR_SIZES)
    header[start : start + size] = value[:size].ljust(size, b"\0")
    if draw.random() < 0.8:
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
    return content[:at] + bytes(header) + content[at + block :]


def make_packed_tar(draw: Random) -> bytes:
    """A compressed tar archive."""
    return _maybe_mutated(draw.choice(list(COMPRESS.values()))(make_tar(draw)), draw)


def _maybe_mutated(content: bytes, draw: Random) -> bytes:
    return mutate(content, [content], draw) if draw.random() < 0.3 else content[:MAX_BYTES]


def make_folder(draw: Random) -> Tree:
    """A folder, with links that lead to nothing, in a circle or out of it, and a pipe."""
    files: dict[str, bytes] = {}
    for name, content in _members(draw):
        parts = name.split("/")
        if all(part and len(part) < 200 and part not in (".", "..") for part in parts):
            is_free = not any(other.startswith(f"{name}/") for other in files)
            is_free = is_free and not any(name.startswith(f"{other}/") for other in files)
            if "\0" not in name and is_free:
                files[name] = content
    links = {}
    if draw.random() < 0.2:
        targets = [".", "..", "/nonexistent", "loop.csv", *files]
        links["loop.csv"] = draw.choice(targets)
        files.pop("loop.csv", None)
    pipe = "pipe.csv" if draw.random() < 0.05 else ""
    return Tree(files, links, pipe)


@functools.lru_cache
def _spreadsheets() -> Sequence[Members]:
    """The members of valid spreadsheets."""
    books = []
    for is_lean in (False, True):
        book = openpyxl.Workbook(write_only=is_lean)
        sheet: Any = book.create_sheet("Reviews") if is_lean else book.active
        sheet.append(["text", "label", "when", "price"])
        for text, label in ROWS:
            sheet.append([text.replace("=", ""), label, struct.calcsize("i") * 1.25, "=1+1"])
        if not is_lean:
            sheet.merge_cells("A2:A3")
            book.create_sheet("Empty")
        buffer = io.BytesIO()
        book.save(buffer)
        with zipfile.ZipFile(buffer) as archive:
            books.append([(name, archive.read(name)) for name in archive.namelist()])
    return books


_XML = (
    b"<c ", b"</c>", b'<c r="ZZZ9999999" t="s"><v>0</v></c>', b'<c r="A1" t="s"><v>99</v></c>',
    b'<c t="inlineStr"><is><t>x</t></is></c>', b'<c t="e"><v>#REF!</v></c>', b"<row>", b"</row>",
    b'<row r="0">', b'<row r="1048577">', b'<row r="-1">', b't="s"', b't="d"', b't="b"', b"&amp;",
    b"<!DOCTYPE a [<!ENTITY b 'cccccccc'>]>", b"&b;", b"&#0;", b"&#xD800;", b"<v>1e999</v>",
    b"<v>-1</v>", b"<v>nan</v>", b"<si>", b'r:id="rId9"', b"sheetId", b"../", b"/xl/", b"]]>",
    b'<dimension ref="A1:XFD1048576"/>', b'ref="A1"', b"_x0000_", b"<![CDATA[", b"-->", b"<?xml",
)  # fmt: skip


def make_spreadsheet(draw: Random) -> bytes:
    """A spreadsheet, of which one part is changed, misses, or is there twice."""
    members = list(draw.choice(_spreadsheets()))
    for _ in range(min(1 + int(draw.expovariate(1)), 4)):
        at = draw.randrange(len(members))
        if draw.random() < 0.6:  # most parts are of styles
            at = next(i for i, (name, _) in enumerate(members) if "sheet1" in name)
        name, content = members[at]
        how = draw.random()
        if how < 0.6:
            place = draw.randint(0, len(content))
            cut = draw.choice([0, 0, 1, 5, 50])
            changed = [(name, content[:place] + draw.choice(_XML) + content[place + cut :])]
        elif how < 0.85:
            changed = [(name, mutate(content, [one for _, one in members], draw))]
        elif how < 0.9 and len(members) > 6 and "sheet1" not in name:
            changed = []
        else:
            changed = [(name, content), (draw.choice([name, *_HARMFUL]), content)]
        members[at : at + 1] = changed
    content = zip_of(members, [draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])])
    if draw.random() < 0.1:
        content = _wrong_zip_field(content, draw)
    return content


@dataclass(frozen=True)
class Packed:
    """What holds files, its extension, and how often it is drawn."""

    extension: str
    make: Callable[[Random], bytes | Tree]
    weight: int = 2


PACKED: dict[str, Packed] = {
    "zip": Packed(".zip", make_zip),
    "tar": Packed(".tar", make_tar),
    "tar, compressed": Packed(".tar.gz", make_packed_tar),
    "folder": Packed("", make_folder),
    "spreadsheet": Packed(".xlsx", make_spreadsheet, weight=1),  # a hundredth of the others' speed
}
