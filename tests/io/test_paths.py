"""From names to lines: expansion, compression by content, damage, and writing."""

from __future__ import annotations

import bz2
import gzip
import http.server
import io
import lzma
import os
import sys
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import fsspec
import pytest
import zstandard

from sentir.errors import DataError
from sentir.io.paths import expand_sources, open_output, read_lines
from sentir.io.streams import open_input, open_raw

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "gz": gzip.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "zst": zstandard.compress,
}


def lines_of(source: Path | str, **options: object) -> list[tuple[int, bytes]]:
    return list(read_lines(str(source), **options))  # type: ignore[arg-type]


def set_stdin(monkeypatch: pytest.MonkeyPatch, stream: io.BufferedIOBase) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))  # type: ignore[arg-type]


# Names


def test_expand_keeps_the_order_and_sorts_globs(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c[1].csv"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "d.csv").mkdir()
    one, odd = str(tmp_path / "b.csv"), str(tmp_path / "c[1].csv")
    assert expand_sources([odd, "-", "memory://x", str(tmp_path / "[ab].csv"), one]) == [
        odd,
        "-",
        "memory://x",
        str(tmp_path / "a.csv"),
        one,
        one,
    ]
    assert len(expand_sources([str(tmp_path / "*.csv")])) == 3


def test_expand_says_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_bytes(b"x")
    near, far = tmp_path / "review.csv", tmp_path / "zzz"
    cases = {
        near: f"no such file; did you mean {tmp_path / 'reviews.csv'}?",
        far: "no such file; check the name",
        tmp_path / "gone" / "x": f"no such file; there is no folder {tmp_path / 'gone'}",
        tmp_path: f"a folder, not a file; name the files in it: '{tmp_path / '*.csv'}'",
        tmp_path / "*.tsv": "no file matches; check the folder and pattern",
        tmp_path / ("x" * 300): (
            "cannot be opened (File name too long); check the name, your rights and the network"
        ),
    }
    for path, message in cases.items():
        with pytest.raises(DataError) as caught:
            expand_sources([str(path)])
        assert str(caught.value) == f"{path}: {message}"


def test_urls_that_do_not_open() -> None:
    with pytest.raises(DataError, match=r"^memory://gone: no such file; check the name$"):
        open_input("memory://gone")
    with pytest.raises(DataError, match=r"^nothing://x: cannot be opened \(Protocol not known"):
        open_input("nothing://x")


class _Refusing(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404 if "gone" in self.path else 403)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


def test_an_address_that_is_not_there_and_one_that_cannot_be_reached() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        place = f"http://127.0.0.1:{server.server_port}"
        try:
            with pytest.raises(DataError, match="no such file; check the name"):
                lines_of(f"{place}/gone.csv")
            with pytest.raises(DataError, match=r"cannot be opened \(403, .*the network$"):
                lines_of(f"{place}/secret.csv")
        finally:
            server.shutdown()
            serving.join()
    with pytest.raises(DataError, match=r"cannot be opened \(.*Connect.*; check .* the network$"):
        lines_of(f"{place}/any.csv")


def test_a_url_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*args: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "open", absent)
    with pytest.raises(DataError) as caught:
        open_raw("s3://reviews/a.csv")
    assert str(caught.value) == (
        "s3://reviews/a.csv: a package is missing (Install s3fs to access S3); "
        "install it, or download the file"
    )


@pytest.mark.parametrize("compression", [None, *COMPRESS])
def test_a_url_that_breaks_off(monkeypatch: pytest.MonkeyPatch, compression: str | None) -> None:
    class Broken(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            if self.tell() >= 6:
                raise RuntimeError("connection reset")
            return super().read1(6)

    class Opener:
        def open(self) -> Broken:
            return Broken(COMPRESS[compression](b"one") if compression else b"one\ntwo\n")

    monkeypatch.setattr(fsspec, "open", lambda *args: Opener())
    if compression:
        with pytest.raises(DataError, match=r"^s3://a: cannot be read to its end \(connection"):
            lines_of("s3://a")
        return
    with pytest.raises(DataError) as caught:
        lines_of("s3://reviews/a.txt")
    assert str(caught.value) == (
        "s3://reviews/a.txt:2: cannot be read to its end (connection reset); "
        "copy it here and try again"
    )


# Lines and compression


def test_lines_are_numbered_and_keep_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\r\n\n\x00\xfftwo\rtwo\nthree")
    assert lines_of(path) == [(1, b"one\r"), (2, b""), (3, b"\x00\xfftwo\rtwo"), (4, b"three")]


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("streams", [1, 3])
def test_compression_is_known_by_content(tmp_path: Path, compression: str, streams: int) -> None:
    path = tmp_path / "misnamed.txt"
    path.write_bytes(b"".join(COMPRESS[compression](b"a\nb\n") for _ in range(streams)))
    assert [line for _, line in lines_of(path)] == [b"a", b"b"] * streams


@pytest.mark.parametrize("compression", [None, *COMPRESS])
def test_urls_and_standard_input(monkeypatch: pytest.MonkeyPatch, compression: str | None) -> None:
    data = b"one\ntwo\n"
    stored = COMPRESS[compression](data) if compression else data
    with fsspec.open("memory://reviews/a.bin", "wb") as stream:
        stream.write(stored)
    assert lines_of("memory://reviews/a.bin") == [(1, b"one"), (2, b"two")]

    set_stdin(monkeypatch, io.BytesIO(stored))
    with open_input("-") as stream:
        assert stream.look(100, until=b"\n").startswith(b"one\n")
    assert lines_of("-") == [(1, b"one"), (2, b"two")]  # what was looked at is still there
    assert not sys.stdin.buffer.closed


def test_a_pipe_that_comes_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb", buffering=0) as pipe:  # noqa: PTH123 (a descriptor)
            for byte in bz2.compress(b"one\ntwo\n"):
                pipe.write(bytes([byte]))

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb") as pipe:  # noqa: PTH123 (a descriptor)
        set_stdin(monkeypatch, pipe)
        assert lines_of("-") == [(1, b"one"), (2, b"two")]
        thread.join()
        sys.stdin.detach()


def test_empty_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data in (("a", b""), ("b.bz2", bz2.compress(b""))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=rf"{name}: is empty; check what wrote it$"):
            lines_of(tmp_path / name)
    set_stdin(monkeypatch, io.BytesIO())
    with pytest.raises(DataError, match=r"^standard input: is empty; check what wrote it$"):
        lines_of("-")


def test_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reviews.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "text,label")
    with pytest.raises(DataError) as caught:
        lines_of(path)
    assert str(caught.value) == (
        f"{path}: a zip archive (spreadsheets are zip archives too); "
        "unpack it, or save the sheet as CSV"
    )


@pytest.mark.parametrize("compression", COMPRESS)
def test_a_cut_stream_gives_what_can_be_read(tmp_path: Path, compression: str) -> None:
    random = Random(0)
    text = b"".join(b"%d %d\n" % (number, random.getrandbits(60)) for number in range(100_000))
    path = tmp_path / "cut"
    path.write_bytes(COMPRESS[compression](text)[:-1000])
    met: list[DataError] = []
    lines = lines_of(path, report=met.append)
    assert len(lines) > 40_000
    assert [line for _, line in lines] == text.split(b"\n")[: len(lines)]
    assert str(met[0]).startswith(
        f"{path}:{len(lines) + 1}: the {compression} stream is damaged or cut short ("
    )
    assert str(met[0]).endswith("; fetch it again, or keep what can be read with --on-error skip")
    with pytest.raises(DataError, match="cut short"):
        lines_of(path)


@pytest.mark.parametrize("compression", COMPRESS)
def test_a_stream_that_is_damaged_from_the_start(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(COMPRESS[compression](b"abc")[:8] + b"\xff" * 40)
    with pytest.raises(DataError, match=rf"the {compression} stream is damaged or cut short"):
        lines_of(path)


def test_long_lines_are_dropped_whole(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"a\n" + b"x" * 11 + b"\nb\n" + b"y" * 1_000_000 + b"\nc\n" + b"z" * 99)
    met: list[DataError] = []
    lines = lines_of(path, max_line_bytes=10, report=met.append)
    assert lines == [(1, b"a"), (3, b"b"), (5, b"c")]
    assert [error.where for error in met] == [f"{path}:{number}" for number in (2, 4, 6)]
    assert str(met[0]) == (
        f"{path}:2: a line of more than 10 bytes; "
        "check the file's format, or raise --max-line-bytes"
    )
    with pytest.raises(DataError, match="a line of more than 1,000 bytes"):
        lines_of(path, max_line_bytes=1000)


@pytest.mark.parametrize("compression", COMPRESS)
def test_a_compressed_bomb_does_not_fill_memory(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(COMPRESS[compression](b"x" * 40_000_000))
    lines_of(path, report=lambda error: None)  # what is loaded on first use does not count
    tracemalloc.start()
    try:
        assert lines_of(path, report=lambda error: None) == []
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()


# Writing


@pytest.mark.parametrize("extension", ["", *(f".{name}" for name in COMPRESS)])
def test_what_is_written_reads_back(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.txt{extension}"
    for text in (b"old\n", b"one\ntwo\n"):
        with open_output(str(path)) as stream:
            stream.write(text)
    assert lines_of(path) == [(1, b"one"), (2, b"two")]
    assert path.read_bytes().startswith(COMPRESS[extension[1:]](b"")[:2] if extension else b"one")
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(b"old")
    with pytest.raises(KeyError), open_output(str(path)) as stream:  # noqa: PT012
        stream.write(b"new")
        raise KeyError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "a.txt", tmp_path / "link"
    path.write_bytes(b"old")
    link.symlink_to(path)
    with open_output(str(link)) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with open_output("-") as stream:
        stream.write(b"one\n")
    assert capsysbinary.readouterr().out == b"one\n"


def test_a_pipe_is_written_to_not_replaced(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    thread = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    thread.start()
    with open_output(str(pipe)) as stream:
        stream.write(b"one\n")
    thread.join()
    assert got == [b"one\n"]
    assert pipe.is_fifo()


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    cases = {
        "memory://a": "cannot write to a URL; write a file, then copy it",
        str(tmp_path): "a folder, not a file; name a file in it",
        str(file / "a"): "cannot be written (",
        "/dev/full": "cannot be written (No space left on device); check the folder and disk",
    }
    for path, message in cases.items():
        with pytest.raises(DataError) as caught, open_output(path) as stream:  # noqa: PT012
            stream.write(b"one")
            stream.flush()
        assert str(caught.value).startswith(f"{path}: {message}")
