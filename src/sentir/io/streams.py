"""Streams of bytes from paths, URLs and standard input, decompressed.

Compression is known by the first bytes, never by the name, so that standard input and misnamed
files are read too. Whatever fails is a `DataError`.
"""

from __future__ import annotations

import functools
import io
import sys
from pathlib import Path
from typing import Any

from sentir.errors import DataError
from sentir.io.compression import MAGIC_BYTES, compression_of, decompressor

BLOCK_BYTES = 1 << 18
_NOT_FOUND = 404
_ZIP_MAGIC = b"PK\x03\x04"


def display_name(source: str) -> str:
    """The source as messages call it."""
    return "standard input" if source == "-" else source


class Input(io.RawIOBase):
    """A stream of bytes that can be looked into before it is read, and names itself when it breaks.

    Args:
        inner: the stream that is read from.
        name: what to call it in errors.
        broken: what a failure of the inner stream means, and what to do about it.
        also_close: further streams to close with this one.
    """

    def __init__(
        self, inner: Any, name: str, broken: tuple[str, str], also_close: tuple[Any, ...] = ()
    ) -> None:
        self.name = name
        self._owned = (inner, *also_close)
        self._broken = broken
        self._ahead = b""
        # Not `read`: it gathers several reads, and when one fails the earlier ones are lost.
        self._fetch_some = getattr(inner, "read1", inner.read)

    def readable(self) -> bool:
        return True

    def _fetch(self, size_bytes: int) -> bytes:
        try:
            block: bytes = self._fetch_some(size_bytes)
        except DataError:
            raise  # from a stream within, which has said already what is wrong
        except Exception as error:  # decompressors and fsspec's back ends raise what they like
            what, todo = self._broken
            raise DataError(f"{what} ({reason_of(error)})", where=self.name, todo=todo) from error
        return block

    def look(self, size_bytes: int, until: bytes | None = None) -> bytes:
        """What comes next, left to be read: `size_bytes` or more, less at the end or at `until`.

        Raises:
            DataError: the stream is damaged.
        """
        while len(self._ahead) < size_bytes and (until is None or until not in self._ahead):
            if not (block := self._fetch(BLOCK_BYTES)):
                break
            self._ahead += block
        return self._ahead

    def read_block(self) -> bytes:
        """The next bytes, as many as are at hand; none at the end.

        Raises:
            DataError: the stream is damaged.
        """
        block, self._ahead = self._ahead, b""
        return block or self._fetch(BLOCK_BYTES)

    def readinto(self, buffer: Any) -> int:
        block = self._ahead or self._fetch(len(buffer))
        size = min(len(block), len(buffer))
        buffer[:size], self._ahead = block[:size], block[size:]
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
    """
    try:
        if "://" not in source:
            return Path(source).open("rb", buffering=0)
        import fsspec

        return fsspec.open(source, "rb").open()
    except FileNotFoundError as error:  # fsspec's for every way that a request can fail
        cause = error.__cause__
        if isinstance(cause, Exception) and getattr(cause, "status", 0) != _NOT_FOUND:
            raise unopened(source, cause) from error
        raise DataError("no such file", where=source, todo="check the name") from None
    except ImportError as error:
        raise DataError(
            f"a package is missing ({reason_of(error)})",
            where=source,
            todo="install it, or download the file",
        ) from None
    except Exception as error:  # fsspec's back ends raise what they like
        raise unopened(source, error) from error


def open_input(source: str) -> Input:
    """The bytes of one path, URL or ``-``, decompressed.

    Standard input stays open when it is closed, and what was only looked at is there to be read
    by whoever opens it next.

    Raises:
        DataError: it is absent, empty, a zip archive, or cannot be opened or decompressed.
    """
    if source == "-":
        stream = _standard_input(sys.stdin.buffer)
    else:
        stream = _decompressed(open_raw(source), source)
    try:
        if not stream.look(1):
            raise DataError("is empty", where=stream.name, todo="check what wrote it")
    except DataError:
        stream.close()
        raise
    return stream


class _StandardInput(Input):
    def close(self) -> None:
        """Standard input belongs to the process."""


@functools.lru_cache(maxsize=1)  # a second opening must see what the first has looked ahead at
def _standard_input(raw: Any) -> Input:
    return _decompressed(raw, display_name("-"), kind=_StandardInput)


def _decompressed(raw: Any, name: str, kind: type[Input] = Input) -> Input:
    stored = kind(raw, name, ("cannot be read to its end", "copy it here and try again"))
    try:
        head = stored.look(MAGIC_BYTES)
        if head.startswith(_ZIP_MAGIC):
            raise DataError(
                "a zip archive (spreadsheets are zip archives too)",
                where=name,
                todo="unpack it, or save the sheet as CSV",
            )
    except DataError:
        stored.close()
        raise
    compression = compression_of(head)
    if compression is None:
        return stored
    broken = f"the {compression} stream is damaged or cut short"
    todo = "fetch it again, or keep what can be read with --on-error skip"
    return kind(decompressor(stored, compression), name, (broken, todo), also_close=(stored,))


def unopened(source: str, error: Exception) -> DataError:
    """The error of a source that is there or not, but does not open."""
    return DataError(
        f"cannot be opened ({reason_of(error)})",
        where=source,
        todo="check the name, your rights and the network",
    )


def reason_of(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__
