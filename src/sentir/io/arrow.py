"""Rows of Arrow record batches, and of Arrow IPC files and streams (Feather is an IPC file)."""

from __future__ import annotations

import decimal
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sentir.errors import DataError
from sentir.extras import require
from sentir.io.arrow_growth import refuse_growth
from sentir.io.signatures import ARROW_FILE
from sentir.io.streams import Input
from sentir.io.tables import Record, Report, unique_names

#: Rows that are turned into Python values at once.
_SLICE_ROWS = 256
#: Types whose values may be shared by several rows.
_REPEATING = re.compile("dictionary|run_end|view")


def column_names(schema: Any) -> list[str]:
    """The columns of a `pyarrow.Schema`, those of structs with dotted names."""
    import pyarrow as pa

    names: list[str] = []
    for field in schema:
        if pa.types.is_struct(field.type):
            inner = column_names([field.type.field(i) for i in range(field.type.num_fields)])
            names += [f"{field.name}.{name}" for name in inner]
        else:
            names.append(field.name)
    return names


def selected_indices(schema: Any, selected: Sequence[str]) -> list[int]:
    """The indices of the columns that hold these names of `column_names`."""
    wanted = set(selected)
    return [i for i, field in enumerate(schema) if wanted.intersection(column_names([field]))]


def label_names(schema: Any) -> dict[str, list[str]]:
    """By column, the names of classes that Hugging Face's `datasets` saves with their numbers."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            name: [str(value) for value in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}


def batch_records(batch: Any, names: Sequence[str], limit: int) -> Iterator[Record | DataError]:
    """The rows of a record batch.

    Args:
        batch: a `pyarrow.RecordBatch`.
        names: names of its columns, all different.
        limit: longest text (bytes).

    Yields:
        Each row; an error without a place for one with a longer text.

    Raises:
        ValueError, ArithmeticError: a value that Python cannot hold.
    """
    repeats = any(_REPEATING.search(str(type_)) for type_ in batch.schema.types)
    for start in range(0, batch.num_rows, _SLICE_ROWS):
        rows = batch.slice(start, _SLICE_ROWS)
        if not repeats and rows.nbytes <= limit:
            for values in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                yield dict(zip(names, values, strict=True))
        else:
            yield from _rows_one_by_one(rows, names, limit)


def _rows_one_by_one(rows: Any, names: Sequence[str], limit: int) -> Iterator[Record | DataError]:
    """Rows that are made when they are taken, so that repeated values take little memory."""
    for values in zip(*rows.columns, strict=True):
        record: Record = {}
        for name, value in zip(names, values, strict=True):
            if _text_bytes(value) > limit:
                yield _too_long(name, limit)
                break
            record[name] = value.as_py()
        else:
            yield record


def _text_bytes(value: Any) -> int:
    """The length of a scalar that is a text or bytes (bytes); 0 of another."""
    if hasattr(value, "dictionary"):
        value = value.value
    buffer = value.as_buffer() if hasattr(value, "as_buffer") else None
    return 0 if buffer is None else int(buffer.size)


def _too_long(name: str, limit: int) -> DataError:
    """The error of a text over the limit, without its place."""
    todo = "shorten it, or raise --max-line-bytes"
    return DataError(f"column {name!r} holds more than {limit:,} bytes", todo=todo)


def arrow_records(
    stream: Input,
    *,
    select_columns: Callable[[Sequence[str]], Sequence[str]],
    on_schema: Callable[[Mapping[str, Sequence[str]]], object] = lambda names: None,
    limit: int,
    report: Report,
) -> Iterator[tuple[int, Record]]:
    """The rows of an Arrow IPC file or stream.

    Args:
        stream: its bytes.
        select_columns: called with the names of all columns, returns those to read; may raise.
        on_schema: called with the names of classes, see `label_names`.
        limit: longest text (bytes).
        report: called with the error of a row that is too long, and of damage, where the rows end.

    Raises:
        DataError: it is damaged before its first row, or holds values that Python cannot hold.
    """
    number = 0
    with damage(stream.name, "Arrow", lambda: number, report), _open(stream) as batches:
        schema = batches.schema
        on_schema(label_names(schema))
        indices = selected_indices(schema, select_columns(column_names(schema)))
        names = [unique_names(schema.names)[i] for i in indices]
        for batch in _batches(batches):
            batch = batch.select(indices)
            batch.validate(full=True)  # wrong offsets would end the process
            for record in batch_records(batch, names, limit):
                number += 1
                if isinstance(record, DataError):
                    report(
                        DataError(record.what, where=f"{stream.name}:{number}", todo=record.todo)
                    )
                else:
                    yield number, record


def arrow_schema(stream: Input) -> Any:
    """The `pyarrow.Schema` of an Arrow IPC file or stream, the names of its columns made different.

    Raises:
        DataError: it is damaged.
    """
    with damage(stream.name, "Arrow", lambda: 0), _open(stream) as batches:
        return with_unique_names(batches.schema)


def with_unique_names(schema: Any) -> Any:
    """The schema, of two columns of one name the second with a number, as in the rows."""
    import pyarrow as pa

    names = unique_names(schema.names)
    fields = [field.with_name(name) for field, name in zip(schema, names, strict=True)]
    return pa.schema(fields, metadata=schema.metadata)


@contextmanager
def damage(
    name: str, kind: str, rows: Callable[[], int], report: Report | None = None
) -> Iterator[None]:
    """Turn the errors of Arrow into a DataError.

    Args:
        name: name of the file.
        kind: its format.
        rows: returns the number of rows that were read.
        report: called with the error if rows were read; None: it is raised.

    Raises:
        DataError: as above, and for values that Python cannot hold.
    """
    require(f"reading {kind}", "pyarrow")
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, MemoryError) as error:
        # A header that is damaged may ask for any size.
        reason = str(error).partition("\n")[0] or "it asks for more memory than there is"
        broken = DataError(
            f"the {kind} file is damaged after row {rows():,} ({reason})",
            where=name,
            todo="download it again",
        )
        if not rows() or report is None:
            raise broken from error
        report(broken)
    except (ValueError, ArithmeticError) as error:  # nanoseconds, years beyond 9999, decimals
        is_decimal = isinstance(error, decimal.InvalidOperation)
        reason = "a decimal" if is_decimal else str(error).partition(". ")[0]
        raise DataError(
            f"a column has values that Python cannot hold ({reason})",
            where=name,
            todo="keep its times between the years 1 and 9999 and round them to microseconds, or "
            "remove the column",
        ) from error


def _open(stream: Input) -> Any:
    import pyarrow as pa

    file = stream.random_access()
    refuse_growth(file, stream.name)
    file.seek(0)
    is_file = file.read(len(ARROW_FILE)) == ARROW_FILE
    file.seek(0)
    return pa.ipc.open_file(file) if is_file else pa.ipc.open_stream(file)


def _batches(reader: Any) -> Iterator[Any]:
    if hasattr(reader, "num_record_batches"):
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
    else:
        yield from reader
