"""Streams of bytes: URLs, standard input, compression, damage."""

from __future__ import annotations

import bz2
import http.server
import io
import os
import sys
import threading
from pathlib import Path

import fsspec
import pytest

from fixtures.review_files import (
    COMPRESS,
    lines_of,
    set_stdin,
    written,
)
from sentir.errors import DataError
from sentir.io.streams import display_name, open_input, open_raw

COMPRESSIONS = [extension[1:] for extension in COMPRESS if extension]


def test_urls_that_cannot_be_opened() -> None:
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


def test_http_errors_and_a_server_that_cannot_be_reached() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        address = f"http://127.0.0.1:{server.server_port}"
        try:
            with pytest.raises(DataError, match="no such file; check the name"):
                lines_of(f"{address}/gone.csv")
            with pytest.raises(DataError, match=r"cannot be opened \(403, .*the network$"):
                lines_of(f"{address}/secret.csv")
        finally:
            server.shutdown()
            serving.join()
    with pytest.raises(DataError, match=r"cannot be opened \(.*Connect.*; check .* the network$"):
        lines_of(f"{address}/any.csv")


def test_a_url_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*args: object) -> None:
        raise ImportError("Install adlfs to access Azure")

    monkeypatch.setattr(fsspec, "open", absent)
    with pytest.raises(DataError) as caught:
        open_raw("abfs://reviews/a.csv")
    assert str(caught.value) == (
        "abfs://reviews/a.csv: a package is missing (Install adlfs to access Azure); "
        "install it, or download the file"
    )


@pytest.mark.parametrize("compression", [None, *COMPRESSIONS])
def test_a_connection_that_is_reset(
    monkeypatch: pytest.MonkeyPatch, compression: str | None
) -> None:
    class Broken(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            if self.tell() >= 6:
                raise RuntimeError("connection reset")
            return super().read1(6)

    class Opener:
        def open(self) -> Broken:
            return Broken(COMPRESS[f".{compression}"](b"one") if compression else b"one\ntwo\n")

    monkeypatch.setattr(fsspec, "open", lambda *args: Opener())
    if compression:
        with pytest.raises(DataError, match=r"^abfs://a: cannot be read to its end \(connection"):
            lines_of("abfs://a")
        return
    with pytest.raises(DataError) as caught:
        lines_of("abfs://reviews/a.txt")
    assert str(caught.value) == (
        "abfs://reviews/a.txt:2: cannot be read to its end (connection reset); "
        "copy it here and try again"
    )


@pytest.mark.parametrize("compression", [None, *COMPRESSIONS])
def test_urls_and_standard_input(monkeypatch: pytest.MonkeyPatch, compression: str | None) -> None:
    data = b"one\ntwo\n"
    stored = COMPRESS[f".{compression}"](data) if compression else data
    with fsspec.open("memory://reviews/a.bin", "wb") as stream:
        stream.write(stored)
    assert lines_of("memory://reviews/a.bin") == [(1, b"one"), (2, b"two")]

    set_stdin(monkeypatch, io.BytesIO(stored))
    with open_input("-") as stream:
        assert stream.peek(100, until=b"\n").startswith(b"one\n")
    assert lines_of("-") == [(1, b"one"), (2, b"two")]  # what was peeked at is still there
    assert not sys.stdin.buffer.closed


def test_a_pipe_that_delivers_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_empty_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data in (("a", b""), ("b.bz2", bz2.compress(b""))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=rf"{name}: is empty; check how it was written$"):
            lines_of(tmp_path / name)
    set_stdin(monkeypatch, io.BytesIO())
    with pytest.raises(DataError, match=r"^standard input: is empty; check how it was written$"):
        lines_of("-")


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_stream_that_is_damaged_from_the_start(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(COMPRESS[f".{compression}"](b"abc")[:8] + b"\xff" * 40)
    with pytest.raises(DataError, match=rf"the {compression} stream is damaged or incomplete"):
        lines_of(path)


def test_a_stream_can_be_peeked_at_and_then_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"abcdef")
    with open_input(str(path)) as stream:
        assert stream.peek(2)[:2] == b"ab"
        assert stream.read(3) == b"abc"
        assert stream.read_block() == b"def"
        assert stream.read_block() == b""


def test_standard_input_has_a_name_of_its_own() -> None:
    assert display_name("-") == "standard input"
    assert display_name("a.csv") == "a.csv"
