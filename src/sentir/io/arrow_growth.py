"""How much an Arrow IPC file grows when it is decompressed, from its headers.

Each compressed buffer starts with its decompressed size, and Arrow allocates it before it looks at
the data: 30 KB can ask for 1 GB. The messages' headers are flatbuffers, of which only the few
fields that are needed are read (https://arrow.apache.org/docs/format/Columnar.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from sentir.errors import DataError
from sentir.io.signatures import ARROW_FILE, ARROW_STREAM

#: A batch that takes more memory than that, and so many times the file's bytes, is refused.
MAX_BYTES, MAX_GROWTH = 1 << 28, 100
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_MAX_HEADER_BYTES = 1 << 26


def refuse_growth(file: Any, name: str) -> None:
    """Refuse a file one of whose batches takes far more memory than its bytes.

    Headers that are damaged end the search; Arrow describes the damage.

    Args:
        file: an Arrow IPC file or stream, which can be sought in.
        name: its name in errors.

    Raises:
        DataError: as above.
    """
    try:
        for size, stored in _batch_sizes(file):
            if size > MAX_BYTES and size > MAX_GROWTH * stored:
                raise DataError(
                    f"a batch takes {stored:,} bytes and {size:,} when it is decompressed",
                    where=name,
                    todo="check the file, or write it again without compression",
                )
    except (struct.error, IndexError, OverflowError, ValueError):
        return


def _batch_sizes(file: Any) -> Iterator[tuple[int, int]]:
    """The bytes of each batch, decompressed and as they are stored."""
    file.seek(0)
    at = 8 if file.read(len(ARROW_FILE)) == ARROW_FILE else 0  # the magic bytes are padded
    while True:
        file.seek(at)
        start = file.read(8)
        prefix = 8 if start.startswith(ARROW_STREAM) else 4  # older files have no marker
        (header_bytes,) = struct.unpack_from("<i", start, prefix - 4)
        if not 0 < header_bytes < _MAX_HEADER_BYTES:
            return
        file.seek(at + prefix)
        header = _Flatbuffer(file.read(header_bytes))
        body, stored = at + prefix + header_bytes, header.number(header.root, 3, "<q")
        yield sum(_buffer_sizes(header, file, body)), max(1, stored)
        at = body + stored


def _buffer_sizes(header: _Flatbuffer, file: Any, body: int) -> Iterator[int]:
    kind = header.number(header.root, 1, "<B")
    batch = header.table(header.root, 2)
    if kind == _DICTIONARY_BATCH:
        batch = header.table(batch, 1)
    elif kind != _RECORD_BATCH:
        return
    if not header.field(batch, 3):  # not compressed
        return
    for offset, length in header.pairs(batch, 2):
        if length >= 8:
            file.seek(body + offset)
            yield max(0, struct.unpack("<q", file.read(8))[0])


class _Flatbuffer:
    """Tables, numbers and vectors of a flatbuffer by their places."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.root = self._read("<I", 0)

    def _read(self, kind: str, at: int) -> int:
        value: int = struct.unpack_from(kind, self._data, at)[0]
        return value

    def field(self, table: int, index: int) -> int:
        """The place of a field of a table; 0 if it is absent."""
        vtable = table - self._read("<i", table)
        place = 4 + 2 * index
        if place >= self._read("<H", vtable):
            return 0
        offset = self._read("<H", vtable + place)
        return table + offset if offset else 0

    def number(self, table: int, index: int, kind: str) -> int:
        place = self.field(table, index)
        return self._read(kind, place) if place else 0

    def table(self, table: int, index: int) -> int:
        place = self.field(table, index)
        return place + self._read("<I", place)

    def pairs(self, table: int, index: int) -> Iterator[tuple[int, int]]:
        """A vector of pairs of 64-bit integers."""
        place = self.table(table, index)
        for i in range(self._read("<I", place)):
            yield self._read("<q", place + 4 + 16 * i), self._read("<q", place + 12 + 16 * i)
