"""Compression: detected by content, written by extension."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.review_files import (
    COMPRESS,
    lines_of,
)
from sentir.io.compression import (
    MAGIC_BYTES,
    compressor,
    decompressor,
    detect_compression,
)

COMPRESSIONS = [extension[1:] for extension in COMPRESS if extension]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("streams", [1, 3])
def test_compression_is_detected_by_content(tmp_path: Path, compression: str, streams: int) -> None:
    path = tmp_path / "misnamed.txt"
    path.write_bytes(b"".join(COMPRESS[f".{compression}"](b"a\nb\n") for _ in range(streams)))
    assert [line for _, line in lines_of(path)] == [b"a", b"b"] * streams


@pytest.mark.parametrize("extension", COMPRESS)
def test_each_compression_is_detected_by_its_first_bytes(extension: str) -> None:
    head = COMPRESS[extension](b"a")[:MAGIC_BYTES]
    assert detect_compression(head) == (extension[1:] or None)
    assert detect_compression(head[:1]) is None


@pytest.mark.parametrize("extension", [".bz2", ".GZ", ".xz", ".zst", ".txt"])
def test_what_is_compressed_is_decompressed(tmp_path: Path, extension: str) -> None:
    path = tmp_path / "a"
    with path.open("wb") as raw, compressor(raw, extension) as stream:
        stream.write(b"one\n" * 1000)
    if extension == ".txt":
        assert path.read_bytes() == b"one\n" * 1000
        return
    assert path.stat().st_size < 200
    with path.open("rb") as raw:
        inner = decompressor(raw, extension[1:].lower())
        blocks = b""
        while block := inner.read(1000):
            blocks += block
        inner.close()
        assert blocks == b"one\n" * 1000
