"""Write a stream of records to a file: lines, fastText, CSV, TSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import functools
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from sentir.errors import DataError, SentirWarning, UsageError
from sentir.extras import require
from sentir.io.atomic import atomic_write, check_writable
from sentir.io.cells import cell, inert, one_line, to_json, without_labels
from sentir.io.compression import compressor
from sentir.io.failures import short_reason
from sentir.io.jsonl import JsonRecord
from sentir.io.paths import format_from_name, is_archive, without_compression
from sentir.io.stores import check_address_writable, is_address, upload
from sentir.io.table_form import TableForm
from sentir.io.terminal import TerminalStream

Format = Literal["lines", "fasttext", "tsv", "csv", "jsonl", "parquet"]
#: Rows in a Parquet row group.
GROUP_ROWS = 10_000

Record = Mapping[str, Any]
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def _display_name(path: str) -> str:
    return "standard output" if path == "-" else path


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
    records: Iterable[Record],
    path: str,
    format: Format,
    *,
    types: Any = None,
    form: TableForm | None = None,
    neutralise: bool = False,
) -> None:
    """Write a stream of records; the file appears when it is complete.

    Args:
        records: the first one names the columns; values that later ones lack are left empty.
        path: a file, compressed as its extension says, or ``-`` for standard output.
        format: ``fasttext`` needs the columns label and text. ``lines`` is for people and shell
            tools: values separated by tabs, no header, spaces for tabs and line ends in a value.
        types: a `pyarrow.Schema` of the Parquet columns whose types are known. Other types are
            inferred from the first `GROUP_ROWS` rows; a column without values there is text.
        form: how CSV and TSV are written, complete when the first record comes; otherwise with
            commas or tabs in UTF-8.
        neutralise: put ``'`` before each cell of CSV, TSV or lines that a spreadsheet would take
            for a formula.

    Raises:
        DataError: the file cannot be written, or the rows do not fit the format: a row has a
            column that the first one lacks, a Parquet column has values of two types, a fastText
            row lacks a column or has a space in its label, a value does not fit the form.
        UsageError: `neutralise` for another format.
    """
    if neutralise and format not in ("lines", "tsv", "csv"):
        raise UsageError(
            f"--neutralise-formulas for {format}", todo="it is for CSV and TSV: write .csv"
        )
    with open_output(path) as stream:
        if format in ("lines", "tsv", "csv", "parquet"):
            records = _with_same_columns(records, path)
        if format == "parquet":
            _write_parquet(records, stream, path, types)
            return
        form = form or TableForm()
        lines = _lines(records, format, form, neutralise)
        form_of_bytes = TableForm() if isinstance(stream, TerminalStream) else form
        for data in _encoded(lines, path, format, form_of_bytes):
            stream.write(data)


def encode_records(
    records: Iterable[Record], format: Format, name: str, *, form: TableForm | None = None
) -> Iterator[bytes]:
    """The lines that `write_records` would write, for any format but Parquet.

    Args:
        records, format, form: as for `write_records`.
        name: what errors call the output.

    Raises:
        DataError: the rows do not fit the format.
    """
    if format in ("lines", "tsv", "csv"):
        records = _with_same_columns(records, name)
    form = form or TableForm()
    return _encoded(_lines(records, format, form, neutralise=False), name, format, form)


def _lines(
    records: Iterable[Record], format: Format, form: TableForm, neutralise: bool
) -> Iterator[str]:
    match format:
        case "csv" | "tsv":
            delimiter = "," if format == "csv" else "\t"
            return _table_lines(records, form, delimiter, _inert_cell if neutralise else cell)
        case "lines":
            return _plain_lines(records, inert if neutralise else str)
        case "fasttext":
            return _fasttext_lines(records)
        case _:
            return _json_lines(records)


def _encoded(lines: Iterator[str], path: str, format: Format, form: TableForm) -> Iterator[bytes]:
    """The lines as bytes; what has none in UTF-8 is escaped in JSON, and else becomes �."""
    has_warned = False
    for number, line in enumerate(lines):
        if not number:  # now the form is complete
            yield form.bom
        try:
            yield line.encode(form.encoding)
        except UnicodeEncodeError as error:
            if format == "jsonl":
                yield line.encode("utf-8", "backslashreplace")
                continue
            if not _SURROGATE.search(line):
                raise _unencodable(error, path) from None
            if not has_warned:
                has_warned = True
                warnings.warn(
                    f"{_display_name(path)}: half a surrogate pair, which UTF-8 lacks, was written "
                    "as �; .jsonl keeps it",
                    SentirWarning,
                    stacklevel=2,
                )
            yield _SURROGATE.sub("\ufffd", line).encode(form.encoding, "replace")


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
        yield f"__label__{label} {without_labels(one_line(record['text']))}\n"


def _plain_lines(records: Iterable[Record], to_text: Callable[[str], str]) -> Iterator[str]:
    for record in records:
        yield "\t".join(to_text(one_line(value)) for value in record.values()) + "\n"


def _inert_cell(value: Any) -> str:
    return inert(cell(value))


def _table_lines(
    records: Iterable[Record], form: TableForm, delimiter: str, to_text: Callable[[Any], str]
) -> Iterator[str]:
    line: Callable[[list[str]], str] | None = None
    for record in records:
        if line is None:
            if form.declaration:
                yield form.declaration + form.line_end
            line = _row_writer(form, form.delimiter or delimiter)
            names = list(record)
            yield line([*map(to_text, (*form.header, *names[len(form.header) :]))])
        yield line(list(map(to_text, record.values())))


def _row_writer(form: TableForm, delimiter: str) -> Callable[[list[str]], str]:
    """From the cells of a row to its line."""
    if form.quoting == "none":
        return functools.partial(_unquoted, delimiter=delimiter, line_end=form.line_end)
    must_be_quoted = re.compile(rf'"|.*[{re.escape(delimiter)}\r\n]', re.DOTALL).match
    if form.quoting == "backslash":
        return functools.partial(_escaped, form=form, delimiter=delimiter)
    buffer = io.StringIO(newline="")
    options: dict[str, Any] = {"delimiter": delimiter}
    if form.quotes_all:
        options["quoting"] = csv.QUOTE_ALL
    # With its default line ends, "\r\n", the csv module also quotes a lone "\r".
    writer = csv.writer(buffer, **options)

    def line(cells: list[str]) -> str:
        if form.has_bare_quotes and not any(map(must_be_quoted, cells)):
            return delimiter.join(cells) + form.line_end
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(cells)
        return buffer.getvalue().removesuffix("\r\n") + form.line_end

    return line


def _escaped(cells: list[str], form: TableForm, delimiter: str) -> str:
    """A line whose quotes are escaped, and within quotes, as else they would be two characters."""
    special = (delimiter, '"', "\r", "\n")
    fields = []
    for value in cells:
        field = value.replace("\\", "\\\\").replace('"', '\\"')
        if form.quotes_all or any(character in value for character in special):
            field = f'"{field}"'
        fields.append(field)
    return delimiter.join(fields) + form.line_end


def _unquoted(cells: list[str], delimiter: str, line_end: str) -> str:
    for value in cells:
        if delimiter in value or "\n" in value or "\r" in value:
            raise DataError(
                f"a table without quoting cannot hold {value!r:.40}",
                todo="write .jsonl instead, or read it with --quoting standard",
            )
    return delimiter.join(cells) + line_end


def _unencodable(error: UnicodeEncodeError, path: str) -> DataError:
    return DataError(
        f"{error.object[error.start]!r} cannot be written in {error.encoding}",
        where=_display_name(path),
        todo="convert the file that is read to UTF-8, or write .jsonl",
    )


def _json_lines(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        yield (record.line if isinstance(record, JsonRecord) else to_json(record)) + "\n"


def _write_parquet(records: Iterable[Record], stream: Any, path: str, types: Any) -> None:
    require("writing Parquet", "pyarrow")
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
            except UnicodeEncodeError:
                raise DataError(
                    "a value holds half of a surrogate pair",
                    where=path,
                    todo="write .jsonl instead",
                ) from None
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


def check_output(path: str) -> None:
    """Find out whether a path or an address can be written, before work is spent on its content.

    Raises:
        DataError, MissingExtraError: as `sentir.io.stores.check_address_writable`.
        UsageError: as `sentir.io.atomic.check_writable`.
    """
    if is_address(path):
        check_address_writable(path)
    elif path != "-":
        check_writable(Path(path))


@contextmanager
def open_output(path: str) -> Iterator[Any]:
    """A binary stream to write to, compressed as the extension says; ``-`` is standard output.

    The file appears under its name only when it is complete; if the block raises, the old file
    stays.

    Raises:
        DataError: an address of the web, a folder, closed standard output, or a path or an address
            that cannot be written.
    """
    if path == "-":
        if sys.stdout is None:
            raise DataError("is closed", where=_display_name(path), todo="write a file")
        with report_standard_output():
            terminal = sys.stdout.isatty()
            yield TerminalStream(sys.stdout.buffer) if terminal else sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    if is_address(path):
        with (
            upload(path) as file,
            file.open("wb") as raw,
            compressor(raw, Path(path).suffix) as stream,
        ):
            yield stream
        return
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


@contextmanager
def report_standard_output() -> Iterator[None]:
    """Turn a failed write to standard output into an error, and drop what could not be written.

    Raises:
        BrokenPipeError: the reader has ended, such as head.
        DataError: the block could not write.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        silence_standard_output()
        raise DataError(
            f"cannot be written ({short_reason(error)})",
            where=_display_name("-"),
            todo="check the disk",
        ) from error


def silence_standard_output() -> None:
    """Redirect standard output to nowhere; at exit Python would try to flush it again, and fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
