"""Compression, known by a stream's first bytes when reading and by the name when writing."""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import Any

EXTENSIONS = {".bz2": "bz2", ".gz": "gz", ".xz": "xz", ".zst": "zst"}
_MAGIC = {b"BZh": "bz2", b"\x1f\x8b": "gz", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst"}
MAGIC_BYTES = max(map(len, _MAGIC))


def compression_of(head: bytes) -> str | None:
    """The compression that a stream begins with (its first `MAGIC_BYTES` bytes), if any."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def decompressor(stored: Any, compression: str) -> Any:
    """A stream that reads what `stored` holds compressed; closing it leaves `stored` open.

    A cut or damaged stream is met while reading: `EOFError`, `OSError`, `zlib.error` or
    `lzma.LZMAError`.
    """
    if compression == "bz2":
        return bz2.BZ2File(stored)
    if compression == "gz":
        return gzip.GzipFile(fileobj=stored)
    if compression == "xz":
        return lzma.LZMAFile(stored)
    return _Zstandard(stored)


class _Zstandard:
    """Zstandard by Arrow, which reports a cut stream; zstandard's reader takes it for the end."""

    def __init__(self, stored: Any) -> None:
        import pyarrow as pa

        self._stream = pa.CompressedInputStream(pa.PythonFile(stored, mode="r"), "zstd")

    def read(self, size_bytes: int) -> bytes:
        # Arrow drops what it had read when a read fails: small reads, so that little is lost.
        block: bytes = self._stream.read(min(size_bytes, 1 << 14))
        return block

    def close(self) -> None:
        self._stream.close()


def compressor(raw: Any, extension: str) -> Any:
    """A stream that writes to `raw`, compressed if the name's extension says so."""
    compression = EXTENSIONS.get(extension.lower())
    if compression == "bz2":
        return bz2.BZ2File(raw, "wb")
    if compression == "gz":
        return gzip.GzipFile(fileobj=raw, mode="wb")
    if compression == "xz":
        return lzma.LZMAFile(raw, "wb")
    if compression == "zst":
        import pyarrow as pa

        return pa.CompressedOutputStream(pa.PythonFile(raw, mode="w"), "zstd")
    return raw
