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
import tempfile
from pathlib import Path
from typing import Any

from sentir.errors import DataError
from sentir.io.compression import MAGIC_BYTES, decompressor, detect_compression
from sentir.io.encodings import WIDE_BOM_BYTES, Utf8Bytes, marked_encoding
from sentir.io.failures import cannot_open, short_reason
from sentir.io.stores import is_address, open_address

BLOCK_BYTES = 1 << 18
#: Most that is copied into a temporary file (bytes).
MAX_COPY_BYTES = 1 << 32


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
        can_seek: whether the inner stream holds the same bytes and can be sought in.

    Attributes:
        encoding: that of its text, if a byte-order mark says so; else empty.
    """

    encoding = ""

    def __init__(
        self,
        inner: Any,
        name: str,
        failure: tuple[str, str],
        also_close: tuple[Any, ...] = (),
        *,
        can_seek: bool = False,
    ) -> None:
        self.name = name
        self._inner, self._can_seek = inner, can_seek
        self._copy: Any = None
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

    def random_access(self) -> Any:
        """All bytes as a file that can be sought in, at its start; this stream is used up.

        It is the file itself if that can be sought in, else a temporary copy, which a later call
        returns again.

        Raises:
            DataError: the stream is damaged, or too large to be copied.
        """
        if self._can_seek and self._copy is None:
            try:
                self._inner.seek(0)
                return self._inner
            except (OSError, ValueError):  # a server that sends whole files only
                self._can_seek = False
        if self._copy is None:
            self._copy = self._copied()
        self._copy.seek(0)
        return self._copy

    def _copied(self) -> Any:
        start = self._buffer
        try:
            copy = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the stream)
            size = 0
            while block := self.read_block():
                size += copy.write(block)
                if size > MAX_COPY_BYTES:
                    copy.close()
                    raise DataError(
                        f"more than {MAX_COPY_BYTES >> 30} GiB where a temporary copy is needed",
                        where=self.name,
                        todo="decompress it, and name the file",
                    )
        except OSError as error:  # mostly a full disk
            raise DataError(
                f"cannot be copied to {tempfile.gettempdir()} ({short_reason(error)})",
                where=self.name,
                todo="make room, set TMPDIR, or decompress it and name the file",
            ) from error
        self._buffer = start  # for a second look at what it is
        return copy

    def close(self) -> None:
        if not self.closed:
            super().close()
            for stream in (*self._owned, *([self._copy] if self._copy else [])):
                stream.close()


def open_raw(source: str) -> Any:
    """The bytes of a path or address as they are stored; the caller closes the stream.

    Raises:
        DataError: it is absent or cannot be opened.
        MissingExtraError: a package that opens such addresses is not installed.
    """
    if is_address(source):
        return open_address(source)
    try:
        return Path(source).open("rb", buffering=0)
    except FileNotFoundError:
        raise DataError("no such file", where=source, todo="check the name") from None
    except (OSError, ValueError) as error:
        raise cannot_open(source, error) from error


def open_input(source: str) -> Input:
    """The bytes of one path, URL or ``-``, decompressed.

    Closing the stream of standard input leaves it open, and bytes that were only peeked at remain
    for the next caller.

    Raises:
        DataError: it is absent, closed, empty, or cannot be opened or decompressed.
    """
    if source == "-":
        if sys.stdin is None:
            raise DataError("is closed", where=display_name("-"), todo="give a file, or a pipe")
        stream = _standard_input(sys.stdin.buffer)
    else:
        stream = decompressed(open_raw(source), source, can_seek=True)
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

    def __del__(self) -> None:
        if self._copy is not None:
            self._copy.close()


def _wait_for(raw: Any) -> None:
    """Wait for input where reading does not: another program may have made the pipe so."""
    if hasattr(os, "get_blocking") and not os.get_blocking(raw.fileno()):
        select.select([raw], [], [])


@functools.lru_cache(maxsize=1)  # a second call must see what the first one peeked at
def _standard_input(raw: Any) -> Input:
    return decompressed(raw, display_name("-"), kind=_StandardInput)


def decompressed(
    raw: Any, name: str, kind: type[Input] = Input, *, can_seek: bool = False
) -> Input:
    """The bytes of an open stream, decompressed, and in UTF-8, if their start says so.

    Args:
        raw: the stream, which is closed with the result.
        name: name of the stream in errors.
        kind: class of the result.
        can_seek: whether `raw` can be sought in.

    Raises:
        DataError: it cannot be read, or is compressed twice.
    """
    what, todo = "cannot be read to its end", "copy it here and try again"
    stream = kind(raw, name, (what, todo), can_seek=can_seek)
    try:
        head = stream.peek(MAGIC_BYTES, until=b"\n")  # a pipe may pause after a short line
        if compression := detect_compression(head):
            what = f"the {compression} stream is damaged or incomplete"
            todo = "download it again, or keep what can be read with --on-error skip"
            decompressing = decompressor(stream, compression)
            stream = kind(decompressing, name, (what, todo), also_close=(stream,))
            head = stream.peek(WIDE_BOM_BYTES, until=b"\n")
        if encoding := marked_encoding(head):
            what = f"the text is not the {encoding} that its byte-order mark says"
            in_utf8 = Utf8Bytes(stream.read_block, encoding)
            todo = f"convert it: iconv -c -f {encoding} -t UTF-8"
            stream = kind(in_utf8, name, (what, todo), also_close=(stream,))
            stream.encoding = "utf-8"
    except DataError:
        stream.close()
        raise
    return stream


def refuse_second_compression(head: bytes, name: str) -> None:
    """Refuse what is compressed even after decompression.

    Raises:
        DataError: the bytes start as a compressed stream does.
    """
    if compression := detect_compression(head):
        raise DataError(f"compressed twice ({compression})", where=name, todo="decompress it once")
