"""Records out: rows of named values as lines, CSV, JSON lines or Parquet, streamed."""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal

from sentir.errors import DataError
from sentir.io.extensions import format_of_name, unpacked
from sentir.io.paths import open_output

Format = Literal["lines", "fasttext", "tsv", "csv", "jsonl", "parquet"]
#: Rows in a Parquet row group.
GROUP_ROWS = 10_000

Record = Mapping[str, Any]


def format_of(path: str, otherwise: Format) -> Format:
    """The format that a name asks for, or else `otherwise`: ``labelled.csv.gz`` asks for csv."""
    if unpacked(path).endswith((".ft", ".ft.txt")):
        return "fasttext"
    return format_of_name(path) or otherwise


def write_records(records: Iterable[Record], path: str, kind: Format, *, types: Any = None) -> None:
    """Write the records as they come; the file appears when it is whole.

    Args:
        records: the first one names the columns; what a later one lacks is left blank.
        path: a file, compressed as its name says, or ``-`` for standard output.
        kind: the format. ``fasttext`` takes the columns label and text. ``lines`` is for reading
            by eye and by line: values with tabs between, no header, blanks for tabs and line ends
            inside a value.
        types: a `pyarrow.Schema` of the Parquet columns whose types are known beforehand. Those of
            others are told by the first `GROUP_ROWS` rows; without a value in them it is text.

    Raises:
        DataError: the file cannot be written, or the rows do not fit the format: a row has a
            column that the first one lacks, a Parquet column would be of two types, a fasttext row
            lacks its columns or has a blank in its label.
    """
    with open_output(path) as stream:
        if kind in ("lines", "tsv", "csv", "parquet"):
            records = _alike(records, path)
        if kind == "parquet":
            _write_parquet(records, stream, path, types)
            return
        for line in _LINES[kind](records):
            stream.write(line.encode("utf-8", "surrogatepass"))


def _alike(records: Iterable[Record], path: str) -> Iterator[Record]:
    """The records, each with the columns of the first one, in its order."""
    columns: list[str] | None = None
    for number, record in enumerate(records, start=1):
        columns = list(record) if columns is None else columns
        if list(record) != columns:
            if added := [name for name in record if name not in columns]:
                raise DataError(
                    f"row {number:,} has a column {added[0]!r}, which the first row lacks",
                    where=path,
                    todo="write .jsonl instead",
                )
            record = {name: record.get(name) for name in columns}
        yield record


def _fasttext_lines(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        if "label" not in record or "text" not in record:
            raise DataError(
                f"fastText lines want label and text, and the columns are {', '.join(record)}",
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
    writer = csv.writer(
        buffer, delimiter=delimiter
    )  # it quotes a lone "\r" only if its own lines end in "\r\n"

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
                told = {name: pa.array(columns[name]).type for name in columns if name not in known}
                if writer is None:
                    fields = [
                        known.get(name) or pa.field(name, _or_text(told[name])) for name in columns
                    ]
                    writer = pq.ParquetWriter(stream, pa.schema(fields))
                # Not left to `from_pydict`, which makes 2.5 a 2 where the first rows had integers.
                both = [writer.schema, pa.schema(list(told.items()))]
                if pa.unify_schemas(both, promote_options="permissive") != writer.schema:
                    raise ValueError("later rows hold what the first ones leave no room for")
                writer.write_table(pa.Table.from_pydict(columns, schema=writer.schema))
            except (pa.ArrowException, ValueError, OverflowError) as error:
                raise DataError(
                    f"the rows do not make columns of one type ({error})",
                    where=path,
                    todo="write .jsonl instead",
                ) from None
        if writer is None:
            pq.write_table(pa.table({}), stream)
    finally:
        if writer is not None:
            writer.close()


def _or_text(kind: Any) -> Any:
    """The type of a column, text if no value has told one."""
    import pyarrow as pa

    return pa.string() if pa.types.is_null(kind) else kind
