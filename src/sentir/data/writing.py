"""Records out: rows of named values as lines, CSV, JSON lines or Parquet, streamed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from sentir.data.compression import EXTENSIONS
from sentir.data.files import open_output
from sentir.errors import DataError

Format = Literal["fasttext", "tsv", "csv", "jsonl", "parquet"]
_OF_EXTENSION: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".ft": "fasttext",
}
#: Rows in a Parquet row group.
GROUP_ROWS = 10_000

Record = Mapping[str, Any]


def format_of(path: str, otherwise: str) -> Format:
    """The format that a name asks for, or else `otherwise`: ``labelled.csv.gz`` asks for csv."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if suffixes and suffixes[-1] in EXTENSIONS:
        suffixes.pop()
    if suffixes[-2:] == [".ft", ".txt"]:
        return "fasttext"
    asked = _OF_EXTENSION.get(suffixes[-1]) if suffixes else None
    if asked is None and otherwise == "fasttext":
        return "fasttext"
    return asked or _OF_EXTENSION.get(f".{otherwise}", "tsv")


def write_records(records: Iterable[Record], path: str, kind: Format) -> None:
    """Write the records as they come; the file appears when it is whole.

    Args:
        records: the first one names the columns.
        path: a file, compressed as its name says, or ``-`` for standard output.
        kind: the format. ``fasttext`` takes the columns label and text. ``tsv`` is for reading by
            eye and by line: no header, blanks for tabs and line ends inside a value.

    Raises:
        DataError: the file cannot be written, or it is Parquet and the rows are unlike.
    """
    with open_output(path) as stream:
        if kind == "parquet":
            _write_parquet(records, stream, path)
            return
        for line in _LINES[kind](records):
            stream.write(line.encode("utf-8", "surrogatepass"))


def _fasttext_lines(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        yield f"__label__{record['label']} {_one_line(record['text'])}\n"


def _tsv_lines(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        yield "\t".join(_one_line(value) for value in record.values()) + "\n"


def _one_line(value: Any) -> str:
    text = f"{value:.6f}" if isinstance(value, float) else str(value)
    return text.translate({9: " ", 10: " ", 13: " "})


def _csv_lines(records: Iterable[Record]) -> Iterator[str]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    source = iter(records)
    first = next(source, None)
    if first is None:
        return
    writer.writerow(first)
    for record in chain([first], source):
        writer.writerow(record.values())
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _json_lines(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        yield json.dumps(record, ensure_ascii=False, default=str) + "\n"


_LINES = {
    "fasttext": _fasttext_lines,
    "tsv": _tsv_lines,
    "csv": _csv_lines,
    "jsonl": _json_lines,
}


def _write_parquet(records: Iterable[Record], stream: Any, path: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = iter(records)
    writer: Any = None
    try:
        while group := list(islice(source, GROUP_ROWS)):
            try:
                table = pa.Table.from_pylist(group, schema=writer.schema if writer else None)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise DataError(
                    f"the rows do not make columns of one type ({error})",
                    where=path,
                    todo="write .jsonl instead",
                ) from None
            writer = writer or pq.ParquetWriter(stream, table.schema)
            writer.write_table(table)
        if writer is None:
            pq.write_table(pa.table({}), stream)
    finally:
        if writer is not None:
            writer.close()
