"""Zip and tar archives: damage, encryption, and names that lead outside."""

from __future__ import annotations

import gzip
import io
import logging
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.archives import as_csv, tar_of, zip_of
from fixtures.review_files import ROWS, message, pairs, read, skipping, written
from sentir.io import containers

_TABLE = "text,label\n" + "".join(f"review {number},pos\n" for number in range(300))


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    data = bytearray(zip_of(tmp_path / "a.zip", {"a.csv": _TABLE}).read_bytes())
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + place] |= 1
    assert message(written(tmp_path / "a.zip", bytes(data)), on_error="skip") == (
        "a.zip:a.csv: is encrypted; unpack the archive with its password, and name the files in it"
    )


def test_damaged_zip_archives(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "a.zip", {"a.csv": _TABLE}).read_bytes()
    assert "the zip archive is damaged (File is not a zip file)" in message(
        written(tmp_path / "b.zip", whole[:-30])
    )
    data = bytearray(whole)
    data[60] ^= 0xFF
    error = message(written(tmp_path / "c.zip", bytes(data)))
    assert error.startswith("c.zip:a.csv")
    assert "the zip archive is damaged" in error
    data = bytearray(whole)
    for magic, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(magic) + place] = 9  # deflate64
    assert "d.zip:a.csv: the zip archive is damaged (That compression method is not" in message(
        written(tmp_path / "d.zip", bytes(data))
    )


def test_a_member_without_a_name_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.csv", ""):
            with archive.open(zipfile.ZipInfo(name), "w") as member:
                member.write(_TABLE.encode())
    assert pairs(read(path)) == pairs(read(written(tmp_path / "b.csv", _TABLE)))


def test_names_that_lead_outside_are_names_only(tmp_path: Path) -> None:
    members = {"../../evil.csv": as_csv(ROWS, tmp_path)}
    assert pairs(read(zip_of(tmp_path / "a.zip", members))) == ROWS
    assert pairs(read(tar_of(tmp_path / "a.tar", members))) == ROWS
    assert not (tmp_path.parent.parent / "evil.csv").exists()


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    written(tmp_path / "secret.csv", "text,label\nsecret,pos\n")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            header = tarfile.TarInfo(f"{kind!r}.csv")
            header.type, header.linkname = kind, str(tmp_path / "secret.csv")
            archive.addfile(header)
        header = tarfile.TarInfo("a.csv")
        header.size = len(_TABLE)
        archive.addfile(header, io.BytesIO(_TABLE.encode()))
    assert len(read(tmp_path / "a.tar")) == 300


@pytest.mark.parametrize(
    ("cut", "reason"),
    [(700, "unexpected end of data"), (512 + 10752, "truncated header"), (512 * 2, "bad checksum")],
)
def test_damaged_tar_archives(tmp_path: Path, cut: int, reason: str) -> None:
    members = {"a.csv": _TABLE[:900].rpartition("\n")[0] + "\n", "b.csv": _TABLE}
    data = bytearray(tar_of(tmp_path / "a.tar", members).read_bytes())
    if reason == "bad checksum":  # of the second header: tarfile would take it for the end
        data[512 * 3 + 4] ^= 1
    elif reason == "truncated header":
        del data[512 * 3 + 100 :]
    else:
        del data[cut:]
    error = message(written(tmp_path / "b.tar", bytes(data)))
    assert f"the tar archive is damaged ({reason})" in error


def test_a_tar_archive_that_is_cut_at_the_end_of_a_member(tmp_path: Path) -> None:
    data = tar_of(tmp_path / "a.tar", {"a.csv": _TABLE[:500]}).read_bytes()
    assert "the tar archive is damaged (empty header)" in message(
        written(tmp_path / "b.tar", data[:1024])
    )


@pytest.mark.parametrize("packing", ["", "gz"])
@pytest.mark.parametrize("size", [10**7, 8**11 - 1, 2**80])
def test_a_tar_header_that_promises_what_is_not_there(
    tmp_path: Path, size: int, packing: str
) -> None:
    headers = [tarfile.TarInfo(name) for name in ("a.csv", "b.csv")]
    for header in headers:
        header.size = size
    data = b"".join(header.tobuf(tarfile.GNU_FORMAT) for header in headers) + bytes(10240)
    data = gzip.compress(data, mtime=0) if packing == "gz" else data
    error = message(written(tmp_path / "a.tar", data))
    assert "a.tar" in error
    assert "the tar archive is damaged" in error


def test_joined_tar_archives_are_refused(tmp_path: Path) -> None:
    data = tar_of(tmp_path / "a.tar", {"a.csv": _TABLE}).read_bytes()
    assert message(written(tmp_path / "b.tar", data * 2)) == (
        "b.tar: data after the end of the tar archive (two archives joined?); "
        "unpack it, and name the files in it"
    )


def test_a_tar_header_has_a_limit(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("x" * 2_000_000))
    assert "(a header of 2,000,001 bytes)" in message(tmp_path / "a.tar")


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w") as member,
    ):
        member.write(b"text,label\n")
        for _ in range(20):
            member.write(b"x" * 1_000_000)
        member.write(b"\nfine,pos\n")
    assert skipping(tmp_path / "a.zip") == (
        ["fine"],
        [
            "a.zip:a.csv:2: a line of more than 1,000,000 bytes; "
            "check the file's format, or raise --max-line-bytes"
        ],
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", _TABLE)
        archive.writestr("a.csv", _TABLE)
    error = "two files have this name; unpack it, and name the files in it"
    assert message(tmp_path / "a.zip") == f"a.zip:a.csv: {error}"
    tar_of(tmp_path / "a.tar", {"a.csv": _TABLE})
    tar_of(tmp_path / "a.tar", {"a.csv": _TABLE}, "a")
    assert message(tmp_path / "a.tar") == f"a.tar:a.csv: {error}"


def test_links_in_a_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    written(tmp_path / "a.csv", _TABLE)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.csv").symlink_to(tmp_path / "a.csv")
    (folder / "gone.csv").symlink_to(tmp_path / "gone.csv")
    (folder / "loop").symlink_to(folder)
    with caplog.at_level(logging.INFO, "sentir"):
        assert len(read(folder)) == 300
    assert caplog.messages[0] == f"{folder}: 1 file of reviews; not read: gone.csv, loop"


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(path: Path, onerror: Callable[[OSError], None]) -> Iterator[None]:
        onerror(PermissionError(13, "Permission denied", str(path / "inner")))
        yield

    monkeypatch.setattr(containers.os, "walk", walk)
    assert "inner: cannot be opened (Permission denied)" in message(tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_that_only_says_the_kind(tmp_path: Path, method: int) -> None:
    """The member ``mimetype`` of an office document, which is looked at in every zip."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", _TABLE)
        archive.writestr("mimetype", b"x" * 2000, compress_type=method)
        place = archive.getinfo("mimetype").header_offset + 30 + len("mimetype")
        size = archive.getinfo("mimetype").compress_size
    content = bytearray(path.read_bytes())
    content[place + 4 : place + size] = b"\xff" * (size - 4)
    path.write_bytes(content)
    assert len(read(path)) == 300
