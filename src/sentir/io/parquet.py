"""A stream of rows from Parquet, and its schema.

The error of a damaged row group goes to ``report``, which raises it or returns to keep the rows
before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sentir.errors import DataError
from sentir.extras import require
from sentir.io.compression import detect_compression
from sentir.io.streams import display_name, open_raw
from sentir.io.tables import Record, Report

PARQUET_MAGIC = b"PAR1"


def parquet_records(
    source: str, *, select_columns: Callable[[Sequence[str]], Sequence[str]], report: Report
) -> Iterator[tuple[int, Record]]:
    """The rows of a Parquet file, read in batches.

    Args:
        source: a path or URL; not standard input, as Parquet is read from its end.
        select_columns: called with the names of all columns, returns those to read; may raise.
        report: called with the error of a damaged row group, where the rows end.

    Raises:
        DataError: standard input, no Parquet, compressed as a whole, or damaged.
        MissingExtraError: pyarrow is not installed.
    """
    require("reading Parquet", "pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with _open_parquet(source) as raw:
        try:
            table = pq.ParquetFile(raw)
            names = select_columns(table.schema_arrow.names)
            for batch in table.iter_batches(batch_size=1024, columns=list(names)):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            broken = _damaged(source, number, error)
            if not number:
                raise broken from error
            report(broken)
        except (ValueError, OverflowError) as error:
            # Python's datetime has no nanoseconds, and no year after 9999.
            raise DataError(
                f"a column has values that Python cannot hold ({str(error).partition('. ')[0]})",
                where=source,
                todo="keep its times between the years 1 and 9999 and round them to microseconds, "
                "or remove the column",
            ) from error


def parquet_schema(source: str) -> Any:
    """The `pyarrow.Schema` of a Parquet file.

    Raises:
        DataError: as `parquet_records`.
    """
    require("reading Parquet", "pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _open_parquet(source) as raw:
        try:
            return pq.read_schema(raw)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source, 0, error) from error


@contextmanager
def _open_parquet(source: str) -> Iterator[Any]:
    if source == "-":
        raise DataError(
            "Parquet cannot be read from a pipe", where=display_name(source), todo="name the file"
        )
    with open_raw(source) as raw:
        head = raw.read(6)
        if compression := detect_compression(head):
            todo = "decompress it first: Parquet is compressed inside"
            raise DataError(f"Parquet in a {compression} file", where=source, todo=todo)
        if not head.startswith(PARQUET_MAGIC):
            raise DataError("not a Parquet file", where=source, todo="pass its --format")
        raw.seek(0)
        yield raw


def _damaged(source: str, row: int, error: Exception) -> DataError:
    reason = str(error).partition("\n")[0]
    return DataError(
        f"the Parquet file is damaged after row {row:,} ({reason})",
        where=source,
        todo="download it again",
    )
