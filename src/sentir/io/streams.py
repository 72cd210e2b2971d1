"""Decompressed streams of bytes from paths, URLs and standard input.

Compression is detected by the first bytes and not by the name, so that standard input and misnamed
files are read too. Every failure is a `DataError`.
"""

from __future__ import annotations

import functools
import io
import os
import select
import sys
from pathlib import Path
from typing import Any

from sentir.errors import DataError
from sentir.extras import require
from sentir.io.compression import MAGIC_BYTES, decompressor, detect_compression

BLOCK_BYTES = 1 << 18
_NOT_FOUND = 404
_ZIP_MAGIC = b"PK\x03\x04"


def display_name(source: str) -> str:
    """The source as messages name it."""
    return "standard input" if source == "-" else source


class Input(io.RawIOBase):
    """A stream of bytes with a lookahead, whose failures are errors that name the source.

    Args:
        inner: the stream that is read from.
        name: name of the source in errors.
        failure: what a failure of the inner stream means, and what to do about it.
        also_close: further streams to close with this one.
    """

    def __init__(
        self, inner: Any, name: str, failure: tuple[str, str], also_close: tuple[Any, ...] = ()
    ) -> None:
        self.name = name
        self._owned = (inner, *also_close)
        self._failure = failure
        self._buffer = b""
        # Not `read`: it combines several reads, and if one fails the earlier ones are lost.
        self._read_some = getattr(inner, "read1", inner.read)

    def readable(self) -> bool:
        return True

    def _fetch(self, size_bytes: int) -> bytes:
        try:
            block: bytes = self._read_some(size_bytes)
        except DataError:
            raise  # an inner stream has described the failure
        except Exception as error:  # decompressors and fsspec's back ends raise many types
            what, todo = self._failure
            raise DataError(
                f"{what} ({short_reason(error)})", where=self.name, todo=todo
            ) from error
        return block

    def peek(self, size_bytes: int, until: bytes | None = None) -> bytes:
        """The next bytes, still to be read: `size_bytes` or more, fewer at the end or `until`.

        Raises:
            DataError: the stream is damaged.
        """
        while len(self._buffer) < size_bytes and (until is None or until not in self._buffer):
            if not (block := self._fetch(BLOCK_BYTES)):
                break
            self._buffer += block
        return self._buffer

    def read_block(self) -> bytes:
        """The next bytes, as many as are available; none at the end.

        Raises:
            DataError: the stream is damaged.
        """
        block, self._buffer = self._buffer, b""
        return block or self._fetch(BLOCK_BYTES)

    def readinto(self, buffer: Any) -> int:
        block = self._buffer or self._fetch(len(buffer))
        size = min(len(block), len(buffer))
        buffer[:size], self._buffer = block[:size], block[size:]
        return size

    def close(self) -> None:
        if not self.closed:
            super().close()
            for stream in self._owned:
                stream.close()


def open_raw(source: str) -> Any:
    """The bytes of a path or URL as they are stored; the caller closes the stream.

    Raises:
        DataError: it is absent or cannot be opened.
        MissingExtraError: a package that opens such addresses is not installed.
    """
    if source.startswith(("http://", "https://")):
        require("reading from the web", "fsspec", "aiohttp")
    elif "://" in source:
        require("reading from an address", "fsspec")
    try:
        if "://" not in source:
            return Path(source).open("rb", buffering=0)
        import fsspec

        return fsspec.open(source, "rb").open()
    except FileNotFoundError as error:  # fsspec raises it for every failed request
        cause = error.__cause__
        if isinstance(cause, Exception) and getattr(cause, "status", 0) != _NOT_FOUND:
            raise cannot_open(source, cause) from error
        raise DataError("no such file", where=source, todo="check the name") from None
    except ImportError as error:
        raise DataError(
            f"a package is missing ({short_reason(error)})",
            where=source,
            todo="install it, or download the file",
        ) from None
    except Exception as error:  # fsspec's back ends raise many types
        raise cannot_open(source, error) from error


def open_input(source: str) -> Input:
    """The bytes of one path, URL or ``-``, decompressed.

    Closing the stream of standard input leaves it open, and bytes that were only peeked at remain
    for the next caller.

    Raises:
        DataError: it is absent, closed, empty, a zip archive, or cannot be opened or decompressed.
    """
    if source == "-":
        if sys.stdin is None:
            raise DataError("is closed", where=display_name("-"), todo="give a file, or a pipe")
        stream = _standard_input(sys.stdin.buffer)
    else:
        stream = _decompressed(open_raw(source), source)
    try:
        if not stream.peek(1):
            raise DataError("is empty", where=stream.name, todo="check how it was written")
    except DataError:
        stream.close()
        raise
    return stream


class _StandardInput(Input):
    """Standard input, which a thread may wait for while the process ends."""

    def __init__(self, inner: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(inner, *arguments, **options)
        self._raw = inner.raw if isinstance(inner, io.BufferedReader) else None

    def _fetch(self, size_bytes: int) -> bytes:
        if self._raw is None:
            return super()._fetch(size_bytes)
        _wait_for(self._raw)
        block = super()._fetch(size_bytes)
        # From now on without Python's buffer, which is empty now: a thread that waits in there
        # would hold its lock, and the process could not end.
        self._read_some = self._raw.read
        return block

    def close(self) -> None:
        """Leave standard input open: it belongs to the process."""


def _wait_for(raw: Any) -> None:
    """Wait for input where reading does not: another program may have made the pipe so."""
    if hasattr(os, "get_blocking") and not os.get_blocking(raw.fileno()):
        select.select([raw], [], [])


@functools.lru_cache(maxsize=1)  # a second call must see what the first one peeked at
def _standard_input(raw: Any) -> Input:
    return _decompressed(raw, display_name("-"), kind=_StandardInput)


def _decompressed(raw: Any, name: str, kind: type[Input] = Input) -> Input:
    outer = kind(raw, name, ("cannot be read to its end", "copy it here and try again"))
    try:
        head = outer.peek(MAGIC_BYTES, until=b"\n")  # a pipe may pause after a short line
        if head.startswith(_ZIP_MAGIC):
            raise DataError(
                "a zip archive (spreadsheets are zip archives too)",
                where=name,
                todo="unpack it, or save the sheet as CSV",
            )
    except DataError:
        outer.close()
        raise
    compression = detect_compression(head)
    if compression is None:
        return outer
    what = f"the {compression} stream is damaged or incomplete"
    todo = "download it again, or keep what can be read with --on-error skip"
    return kind(decompressor(outer, compression), name, (what, todo), also_close=(outer,))


def cannot_open(source: str, error: Exception) -> DataError:
    """The error of a source that cannot be opened."""
    return DataError(
        f"cannot be opened ({short_reason(error)})",
        where=source,
        todo="check the name, its permissions and the network",
    )


def short_reason(error: Exception) -> str:
    """The first line of what the error says."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__
