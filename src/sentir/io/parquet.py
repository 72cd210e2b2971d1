"""A stream of rows from Parquet, and its schema.

The error of a damaged row group goes to ``report``, which raises it or returns to keep the rows
before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sentir.errors import DataError
from sentir.extras import require
from sentir.io.arrow import (
    batch_records,
    column_names,
    damage,
    label_names,
    selected_indices,
    with_unique_names,
)
from sentir.io.parquet_footer import ColumnChunk, row_groups
from sentir.io.streams import Input
from sentir.io.tables import Record, Report, unique_names

_BATCH_ROWS = 1024
#: Memory of a batch, if each of its values is as long as the values of a dictionary can be (bytes).
_BATCH_BYTES = 1 << 26
#: A column that takes more memory than that, and so many times the file's bytes, is refused.
_MAX_CHUNK_BYTES, _MAX_GROWTH = 1 << 28, 100
_VALUE_BYTES = 8


def parquet_records(
    stream: Input,
    *,
    select_columns: Callable[[Sequence[str]], Sequence[str]],
    on_schema: Callable[[Mapping[str, Sequence[str]]], object] = lambda names: None,
    limit: int,
    report: Report,
) -> Iterator[tuple[int, Record]]:
    """The rows of a Parquet file, read in batches of bounded memory.

    Args:
        stream: its bytes; those of a pipe are copied first, as Parquet is read from its end.
        select_columns: called with the names of all columns, returns those to read; may raise.
        on_schema: called with the names of classes, see `sentir.io.arrow.label_names`.
        limit: longest text (bytes).
        report: called with the error of a row that is too long, and of a damaged row group, where
            the rows end.

    Raises:
        DataError: it is damaged before its first row, holds values that Python cannot hold, or
            would take far more memory than its size.
        MissingExtraError: pyarrow is not installed.
    """
    require("reading Parquet", "pyarrow")
    import pyarrow.parquet as pq

    number = 0
    with damage(stream.name, "Parquet", lambda: number, report):
        raw = stream.random_access()
        file = pq.ParquetFile(raw)
        schema = file.schema_arrow
        on_schema(label_names(schema))
        indices = selected_indices(schema, select_columns(column_names(schema)))
        names = [unique_names(schema.names)[i] for i in indices]
        # By name Arrow would read two columns of one name; only then are all columns read.
        wanted = [schema.names[i] for i in indices]
        are_unique = len(set(schema.names)) == len(schema.names)
        read = wanted if are_unique else schema.names
        rows = _batch_rows(raw, read, stream.name)
        for batch in file.iter_batches(batch_size=rows, columns=wanted if are_unique else None):
            batch = batch.select(wanted if are_unique else indices)
            for record in batch_records(batch, names, limit):
                number += 1
                if isinstance(record, DataError):
                    where = f"{stream.name}:{number}"
                    report(DataError(record.what, where=where, todo=record.todo))
                else:
                    yield number, record


def parquet_schema(stream: Input) -> Any:
    """The `pyarrow.Schema` of a Parquet file, the names of its columns made different.

    Raises:
        DataError: it is damaged.
    """
    require("reading Parquet", "pyarrow")
    import pyarrow.parquet as pq

    with damage(stream.name, "Parquet", lambda: 0):
        return with_unique_names(pq.read_schema(stream.random_access()))


def _batch_rows(raw: Any, wanted: Sequence[str], name: str) -> int:
    """The number of rows per batch, so that a batch takes about `_BATCH_BYTES` at most.

    A value of a dictionary can be repeated in every row by some bits of the file.

    Raises:
        DataError: a column would take far more memory than its size.
    """
    rows = _BATCH_ROWS
    for num_rows, chunks in row_groups(raw):
        row_bytes = 1.0
        for chunk in chunks:
            path, stored = chunk.path, chunk.compressed_bytes
            if not any(path == read or path.startswith(f"{read}.") for read in wanted):
                continue
            size = max(chunk.uncompressed_bytes, _VALUE_BYTES * chunk.num_values)
            if size > _MAX_CHUNK_BYTES and size > _MAX_GROWTH * stored:
                raise DataError(
                    f"column {path!r} takes {stored:,} bytes and {size:,} when it is decompressed",
                    where=name,
                    todo="check the file, or write it again as JSON lines",
                )
            values = max(1.0, chunk.num_values / max(1, num_rows))
            row_bytes += values * _dictionary_bytes(chunk, raw)
        rows = min(rows, int(_BATCH_BYTES / max(1.0, row_bytes)))
    return max(1, rows)


def _dictionary_bytes(chunk: ColumnChunk, raw: Any) -> int:
    """The size of a column chunk's dictionary page, decompressed (bytes).

    Its header starts with two numbers in Thrift's compact protocol: its type and this size.
    """
    if chunk.dictionary_offset is None:
        return _VALUE_BYTES
    raw.seek(chunk.dictionary_offset)
    header: bytes = raw.read(16)
    size, shift = 0, 0
    if header[0:1] == b"\x15" and header[2:3] == b"\x15":
        for byte in header[3:]:
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return size >> 1  # zigzag
    return chunk.uncompressed_bytes
