"""Write a stream of records to a file: lines, fastText, CSV, TSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from sentir.errors import DataError
from sentir.io.atomic import atomic_write
from sentir.io.compression import compressor
from sentir.io.paths import format_from_name, is_archive, without_compression
from sentir.io.streams import short_reason
from sentir.io.terminal import TerminalStream

Format = Literal["lines", "fasttext", "tsv", "csv", "jsonl", "parquet"]
#: Rows in a Parquet row group.
GROUP_ROWS = 10_000

Record = Mapping[str, Any]


def output_format(path: str, otherwise: Format) -> Format:
    """The format by the extension, that of ``labelled.csv.gz`` being csv; else `otherwise`.

    Raises:
        DataError: the extension is of a format that is read and not written.
    """
    if without_compression(path).endswith((".ft", ".ft.txt")):
        return "fasttext"
    format = format_from_name(path)
    if format == "arrow" or format == "xlsx" or is_archive(path):
        todo = "name a .csv, .jsonl or .parquet file"
        raise DataError("a format that is read and not written", where=path, todo=todo)
    return format or otherwise


def write_records(
    records: Iterable[Record], path: str, format: Format, *, types: Any = None
) -> None:
    """Write a stream of records; the file appears when it is complete.

    Args:
        records: the first one names the columns; values that later ones lack are left empty.
        path: a file, compressed as its extension says, or ``-`` for standard output.
        format: ``fasttext`` needs the columns label and text. ``lines`` is for people and shell
            tools: values separated by tabs, no header, spaces for tabs and line ends in a value.
        types: a `pyarrow.Schema` of the Parquet columns whose types are known. Other types are
            inferred from the first `GROUP_ROWS` rows; a column without values there is text.

    Raises:
        DataError: the file cannot be written, or the rows do not fit the format: a row has a
            column that the first one lacks, a Parquet column has values of two types, a fastText
            row lacks a column or has a space in its label.
    """
    with open_output(path) as stream:
        if format in ("lines", "tsv", "csv", "parquet"):
            records = _with_same_columns(records, path)
        if format == "parquet":
            _write_parquet(records, stream, path, types)
            return
        for line in _LINES[format](records):
            stream.write(line.encode("utf-8", "surrogatepass"))


def _with_same_columns(records: Iterable[Record], path: str) -> Iterator[Record]:
    """The records, each with the columns of the first one in the same order."""
    columns: list[str] | None = None
    for number, record in enumerate(records, start=1):
        columns = list(record) if columns is None else columns
        if list(record) != columns:
            if new := [name for name in record if name not in columns]:
                raise DataError(
                    f"row {number:,} has a column {new[0]!r}, which the first row lacks",
                    where=path,
                    todo="write .jsonl instead",
                )
            record = {name: record.get(name) for name in columns}
        yield record


def _fasttext_lines(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        if "label" not in record or "text" not in record:
            raise DataError(
                "fastText lines need the columns label and text; the columns are "
                + ", ".join(record),
                todo="write .csv or .jsonl instead",
            )
        label = str(record["label"] or "")
        if not label or any(map(str.isspace, label)):
            raise DataError(
                f"fastText lines have no blank in a label, and one is {label!r}",
                todo="write .csv or .jsonl instead",
            )
        yield f"__label__{label} {_one_line(record['text'])}\n"


def _plain_lines(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        yield "\t".join(_one_line(value) for value in record.values()) + "\n"


def _one_line(value: Any) -> str:
    text = f"{value:.6f}" if isinstance(value, float) else "" if value is None else str(value)
    return text.translate({9: " ", 10: " ", 13: " "})


def _csv_lines(records: Iterable[Record], delimiter: str = ",") -> Iterator[str]:
    buffer = io.StringIO(newline="")
    # With its default line ends, "\r\n", the csv module also quotes a lone "\r".
    writer = csv.writer(buffer, delimiter=delimiter)

    def line(values: Iterable[Any]) -> str:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(values)
        return buffer.getvalue().removesuffix("\r\n") + "\n"

    for number, record in enumerate(records):
        if not number:
            yield line(record)
        yield line(record.values())


def _json_lines(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        yield json.dumps(record, ensure_ascii=False, default=str) + "\n"


_LINES: dict[Format, Callable[[Iterable[Record]], Iterator[str]]] = {
    "lines": _plain_lines,
    "fasttext": _fasttext_lines,
    "tsv": functools.partial(_csv_lines, delimiter="\t"),
    "csv": _csv_lines,
    "jsonl": _json_lines,
}


def _write_parquet(records: Iterable[Record], stream: Any, path: str, types: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = iter(records)
    known = {field.name: field for field in types or ()}
    writer: Any = None
    try:
        while group := list(islice(source, GROUP_ROWS)):
            try:
                columns = {name: [row[name] for row in group] for name in group[0]}
                inferred = {
                    name: pa.array(columns[name]).type for name in columns if name not in known
                }
                if writer is None:
                    fields = [
                        known.get(name) or pa.field(name, _text_if_null(inferred[name]))
                        for name in columns
                    ]
                    writer = pq.ParquetWriter(stream, pa.schema(fields))
                # `from_pydict` alone would turn 2.5 into 2 if the first rows had integers.
                schemas = [writer.schema, pa.schema(list(inferred.items()))]
                if pa.unify_schemas(schemas, promote_options="permissive") != writer.schema:
                    raise ValueError("later rows have other types than the first ones")
                writer.write_table(pa.Table.from_pydict(columns, schema=writer.schema))
            except (pa.ArrowException, ValueError, OverflowError) as error:
                raise DataError(
                    f"a column has values of several types ({error})",
                    where=path,
                    todo="write .jsonl instead",
                ) from None
        if writer is None:
            pq.write_table(pa.table({}), stream)
    finally:
        if writer is not None:
            writer.close()


def _text_if_null(type_: Any) -> Any:
    """The type of a column; text if all its values are null."""
    import pyarrow as pa

    return pa.string() if pa.types.is_null(type_) else type_


@contextmanager
def open_output(path: str) -> Iterator[Any]:
    """A binary stream to write to, compressed as the extension says; ``-`` is standard output.

    The file appears under its name only when it is complete; if the block raises, the old file
    stays.

    Raises:
        DataError: a URL, a folder, or a path that cannot be written.
    """
    if path == "-":
        try:
            terminal = sys.stdout.isatty()
            yield TerminalStream(sys.stdout.buffer) if terminal else sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # the reader has ended, such as head
            raise
        except OSError as error:
            _silence_standard_output()
            raise DataError(
                f"cannot be written ({short_reason(error)})",
                where="standard output",
                todo="check the disk",
            ) from error
        return
    if "://" in path:
        raise DataError("cannot write to a URL", where=path, todo="write a file and copy it")
    target = Path(path)
    if target.is_dir():
        raise DataError("a folder, not a file", where=path, todo="name a file in it")
    try:
        if target.exists() and not target.is_file():  # never replace /dev/null or a pipe
            with target.open("wb") as raw, compressor(raw, target.suffix) as stream:
                yield stream
            return
        with (
            atomic_write(target.resolve()) as new,  # replace the target of a link, not the link
            new.open("wb") as raw,
            compressor(raw, target.suffix) as stream,
        ):
            yield stream
    except OSError as error:  # also a full disk, while the block writes
        raise DataError(
            f"cannot be written ({short_reason(error)})",
            where=path,
            todo="check the folder and disk",
        ) from error


def _silence_standard_output() -> None:
    """Redirect standard output to nowhere; at exit Python would try to flush it again, and fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
