"""What the footer of a Parquet file says about the sizes of its columns.

pyarrow tells it too, but ends the process where the statistics of a column are damaged or
encrypted. The footer is a struct in Thrift's compact protocol, of which only a few fields are
needed (https://github.com/apache/parquet-format, ``parquet.thrift``).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

#: Numbers of the fields that are needed.
_ROW_GROUPS, _COLUMNS, _NUM_ROWS, _META_DATA = 4, 1, 3, 3
_PATH, _NUM_VALUES, _UNCOMPRESSED, _COMPRESSED, _DICTIONARY = 3, 5, 6, 7, 11
#: The length of the footer and the magic bytes.
_END_BYTES = 8


class ColumnChunk(NamedTuple):
    """A column of a row group.

    Attributes:
        path: name of the column, those of structs and lists dotted.
        num_values: values, of a list those of all rows.
        uncompressed_bytes, compressed_bytes: sizes of its pages.
        dictionary_offset: place of its dictionary page in the file; None without.
    """

    path: str
    num_values: int
    uncompressed_bytes: int
    compressed_bytes: int
    dictionary_offset: int | None


def row_groups(file: Any) -> Iterator[tuple[int, list[ColumnChunk]]]:
    """The row groups of a Parquet file: the number of rows, and the columns.

    Args:
        file: a file that can be sought in.

    Raises:
        EOFError: the footer is damaged.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_BYTES))
    (length,) = struct.unpack("<I", file.read(4))
    file.seek(max(0, size - _END_BYTES - length))
    try:
        footer = _Struct(file.read(length)).read()
        for group in footer.get(_ROW_GROUPS, []):
            chunks = [_chunk(column[_META_DATA]) for column in group[_COLUMNS]]
            yield _size(group, _NUM_ROWS), chunks
    except (IndexError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EOFError("the footer is damaged") from error


def _chunk(meta: dict[int, Any]) -> ColumnChunk:
    return ColumnChunk(
        path=".".join(part.decode(errors="replace") for part in meta[_PATH]),
        num_values=_size(meta, _NUM_VALUES),
        uncompressed_bytes=_size(meta, _UNCOMPRESSED),
        compressed_bytes=_size(meta, _COMPRESSED),
        dictionary_offset=_size(meta, _DICTIONARY) if _DICTIONARY in meta else None,
    )


def _size(fields: dict[int, Any], number: int) -> int:
    """A number of 0 or more."""
    value = fields[number]
    if not isinstance(value, int) or value < 0:
        raise TypeError
    return value


class _Struct:
    """Reads a struct in the compact protocol: values by the number of their field."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        while header := self._byte():
            step = header >> 4
            number = number + step if step else self._integer()
            kind = header & 0xF
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind)
        return fields

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def _integer(self) -> int:
        zigzag = self._unsigned()
        return (zigzag >> 1) ^ -(zigzag & 1)

    def _bytes(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._data):
            raise IndexError
        return self._data[self._at - size : self._at]

    def _value(self, kind: int) -> Any:
        match kind:
            case 1 | 2 | 3:  # a bool, as an element, is a byte too
                return self._byte()
            case 4 | 5 | 6:
                return self._integer()
            case 7:
                return self._bytes(8)
            case 8:
                return self._bytes(self._unsigned())
            case 9 | 10:
                header = self._byte()
                size = header >> 4 if header >> 4 < 15 else self._unsigned()
                return [self._value(header & 0xF) for _ in range(size)]
            case 11:
                size = self._unsigned()
                kinds = self._byte() if size else 0
                return [(self._value(kinds >> 4), self._value(kinds & 0xF)) for _ in range(size)]
            case 12:
                return self.read()
        raise IndexError
