"""onnxruntime-web comes whole from a folder, the cache or the registry, or not at all."""

from __future__ import annotations

import hashlib
import io
import logging
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from sentir.errors import DataError, SentirWarning
from sentir.inference.web import runtime
from sentir.inference.web.runtime import FILES, VERSION, cached_runtime, find_runtime

CONTENTS = {name: f"the content of {name}".encode() * 3000 for name in FILES}


def archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as package:
        for name, content in {**CONTENTS, "other.js": b"not needed"}.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = archive()


class Registry(BaseHTTPRequestHandler):
    """Answers with the archive; the first `cut` bytes of it, where the class says so."""

    cut: int | None = None
    ranges = True
    requested: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        wanted = self.headers.get("Range") if self.ranges else None
        self.requested.append((self.path, wanted))
        first = int(wanted[6:-1]) if wanted else 0
        if first >= len(ARCHIVE):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(ARCHIVE) - first))
        self.end_headers()
        self.wfile.write(ARCHIVE[first : self.cut])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Registry]]:
    """A registry on this machine, and an empty cache."""
    handler = type("Handler", (Registry,), {"requested": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(runtime, "SHA512", hashlib.sha512(ARCHIVE).hexdigest())
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
    monkeypatch.setattr(runtime, "FILES", hashes)
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def check_whole() -> None:
    found = find_runtime()
    assert found.version == VERSION
    assert {name: file.read_bytes() for name, file in found.files.items()} == CONTENTS
    assert list(cached_runtime().parent.iterdir()) == [cached_runtime()]


def test_it_is_downloaded_once(registry: type[Registry], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sentir")
    check_whole()
    assert f"downloading onnxruntime-web {VERSION} (33 MB), once" in caplog.text
    check_whole()
    path = f"/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
    assert registry.requested == [(path, None)]
    # A damaged cache is not used.
    next(iter(cached_runtime().iterdir())).write_bytes(b"half")
    check_whole()
    assert len(registry.requested) == 2


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_goes_on(registry: type[Registry], ranges: bool) -> None:
    registry.ranges, registry.cut = ranges, 1000
    with pytest.raises(DataError, match=r"the connection ended after 1,000 bytes.*--runtime"):
        find_runtime()
    registry.cut = None
    check_whole()
    wanted = registry.requested[1][1]
    assert wanted == ("bytes=1000-" if ranges else None)


def test_a_kill_before_unpacking(registry: type[Registry]) -> None:
    part = cached_runtime().with_name(f"{cached_runtime().name}.tgz.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(ARCHIVE)
    check_whole()


def test_another_archive_is_refused_and_removed(
    registry: type[Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "SHA512", "0" * 128)
    with pytest.raises(DataError, match="its checksum differs"):
        find_runtime()
    assert list(cached_runtime().parent.iterdir()) == []


def test_without_a_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, registry: type[Registry]
) -> None:
    for address in ("http://127.0.0.1:9", "no address"):
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
        with pytest.raises(DataError, match=r"cannot be had .*npm install onnxruntime-web@"):
            find_runtime()


def test_a_folder(stand_in_runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (stand_in_runtime, stand_in_runtime / "dist"):
        found = find_runtime(folder)
        assert found.version == VERSION
        assert {file.parent.name for file in found.files.values()} == {"dist"}
    changed = next(iter(find_runtime(stand_in_runtime).files.values()))
    changed.write_bytes(b"another version")
    with pytest.warns(SentirWarning, match=r"onnxruntime-web 1\.0\.0; .* tested with"):
        assert find_runtime(stand_in_runtime).version == "1.0.0"
    for version in (f'{{"version": "{VERSION}"}}', "{}", "no JSON"):
        (stand_in_runtime / "package.json").write_text(version, "utf-8")
        with pytest.raises(DataError, match="not those of onnxruntime-web"):
            find_runtime(stand_in_runtime)
    changed.unlink()
    with pytest.raises(DataError, match=f"{changed.name} is not here; .*npm install"):
        find_runtime(stand_in_runtime)
