"""Compression: detected by the first bytes when reading, by the extension when writing."""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import Any

from sentir.extras import require

EXTENSIONS = {".bz2": "bz2", ".gz": "gz", ".xz": "xz", ".zst": "zst"}
_MAGIC = {b"BZh": "bz2", b"\x1f\x8b": "gz", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst"}
MAGIC_BYTES = max(map(len, _MAGIC))


def detect_compression(head: bytes) -> str | None:
    """The compression of a stream by its first `MAGIC_BYTES` bytes; None if there is none."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def decompressor(raw: Any, compression: str) -> Any:
    """A stream that decompresses `raw`; the caller closes both.

    A damaged or incomplete stream raises `EOFError`, `OSError`, `zlib.error` or `lzma.LZMAError`
    while it is read.
    """
    if compression == "bz2":
        return bz2.BZ2File(raw)
    if compression == "gz":
        return gzip.GzipFile(fileobj=raw)
    if compression == "xz":
        return lzma.LZMAFile(raw)
    return _Zstandard(raw)


class _Zstandard:
    """Zstandard by Arrow, which reports an incomplete stream; zstandard's reader just ends."""

    def __init__(self, raw: Any) -> None:
        require("reading Zstandard (.zst)", "pyarrow")
        import pyarrow as pa

        self._stream = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")

    def read(self, size_bytes: int) -> bytes:
        # When a read fails Arrow drops all of it: small reads lose little.
        block: bytes = self._stream.read(min(size_bytes, 1 << 14))
        return block

    def close(self) -> None:
        self._stream.close()


def compressor(raw: Any, extension: str) -> Any:
    """A stream that writes to `raw`, compressed as the file's extension says."""
    compression = EXTENSIONS.get(extension.lower())
    if compression == "bz2":
        return bz2.BZ2File(raw, "wb")
    if compression == "gz":
        return gzip.GzipFile(fileobj=raw, mode="wb")
    if compression == "xz":
        return lzma.LZMAFile(raw, "wb")
    if compression == "zst":
        require("writing Zstandard (.zst)", "pyarrow")
        import pyarrow as pa

        return pa.CompressedOutputStream(pa.PythonFile(raw, mode="w"), "zstd")
    return raw
