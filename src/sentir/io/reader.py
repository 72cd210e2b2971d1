"""A stream of reviews from files of any format.

Memory does not grow with the file. The error of one row is raised, or counted and the row skipped,
as `ReadOptions.on_error` says; the error of a whole file is always raised. Rows without a text or
without a label are always skipped and counted.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sentir.config import ReadOptions
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.extras import require
from sentir.io import fasttext, hub
from sentir.io.builtin import builtin_reviews
from sentir.io.column_names import TEXT_NAMES, normalize_name
from sentir.io.columns import EmptyTextError, MissingLabelError, check_text
from sentir.io.dialect import delimiter_line
from sentir.io.encodings import UTF8_BOM, check_encoding, check_start
from sentir.io.jsonl import jsonl_records
from sentir.io.lines import text_lines
from sentir.io.parquet import PARQUET_MAGIC, parquet_records, parquet_schema
from sentir.io.paths import expand_sources, format_from_name
from sentir.io.row_reader import ColumnLog, RowReader
from sentir.io.streams import display_name, open_input
from sentir.io.table_form import TableForm
from sentir.io.tables import csv_records

__all__ = [
    "BadRows",
    "Format",
    "ReadOptions",
    "Review",
    "detect_format",
    "parquet_types",
    "read_reviews",
]

Format = Literal["fasttext", "csv", "tsv", "jsonl", "parquet", "text"]
# Spreadsheets write ";" where the comma is the decimal separator.
# The comma comes last: where two delimiters fit, it is the one that occurs in text and numbers.
_DELIMITERS = {"csv": ";\t|,", "tsv": "\t"}
_KEPT_EXAMPLES, _KEPT_OF_MISSING = 20, 3
_SKIPPED = "skipped.json"
_PEEK_BYTES = 1 << 16


class Review(NamedTuple):
    """One review and its place."""

    text: str
    #: The raw label; numbers as text: 1, 1.0 and "1" are all "1".
    label: str | None
    path: str
    #: Line where the row starts, or number of the row in Parquet, from 1.
    line: int
    #: The columns of the row (of Parquet with labels only the needed ones); None without columns.
    fields: Mapping[str, Any] | None
    #: How much the review counts in training.
    weight: float = 1.0


_DEFAULT = ReadOptions()
_log = logging.getLogger(__name__)


@dataclass
class BadRows:
    """Errors of rows: raised at once, or counted, with the first messages kept as examples.

    Attributes:
        on_error: raise, or skip: count the row and go on.
        count: rows that were skipped.
        examples: the first messages; few of rows without text or label.
        without_text, without_label: how many of the rows lack it.
    """

    on_error: Literal["raise", "skip"] = "raise"
    count: int = 0
    examples: list[str] = field(default_factory=list)
    without_text: int = 0
    without_label: int = 0

    def report(self, error: DataError) -> None:
        """Raise the error, or count it. A row without text or label is always counted.

        Raises:
            DataError: the error itself, under ``on_error="raise"``.
        """
        missing = 0
        if isinstance(error, EmptyTextError):
            self.without_text = missing = self.without_text + 1
        elif isinstance(error, MissingLabelError):
            self.without_label = missing = self.without_label + 1
        elif self.on_error == "raise":
            raise error
        self.count += 1
        if missing <= _KEPT_OF_MISSING:
            self._show([str(error)])

    def summary(self) -> str:
        """The count, and an example on each line after it."""
        return "\n  ".join([f"{self.count:,} rows skipped{self._missing()}:", *self.examples])

    def _missing(self) -> str:
        """How many rows lack text or label, in brackets."""
        parts = [
            f"{count:,} without {what}"
            for count, what in ((self.without_text, "text"), (self.without_label, "a label"))
            if count
        ]
        return f" ({', '.join(parts)})" if parts else ""

    def warn(self, kept: int) -> None:
        """Warn of the rows that were left out (`SentirWarning`), if there are any.

        Where some just have no text, fewer than the `kept` rows, that is usual: it is logged.
        """
        if self.count and self.count == self.without_text < kept:
            _log.info("%s", self.summary())
        elif self.count:
            warnings.warn(self.summary(), SentirWarning, stacklevel=2)

    def save(self, folder: Path) -> None:
        """Save the counts and examples in a folder of cached reviews."""
        (folder / _SKIPPED).write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")

    def add_saved(self, folder: Path) -> None:
        """Add the counts and examples that were saved with a folder of cached reviews."""
        path = folder / _SKIPPED
        if not path.exists():  # caches made before 2026-11-27 have none
            return
        saved = BadRows(**json.loads(path.read_text(encoding="utf-8")))
        self.count += saved.count
        self.without_text += saved.without_text
        self.without_label += saved.without_label
        self._show(saved.examples)

    def _show(self, examples: Sequence[str]) -> None:
        self.examples += examples[: _KEPT_EXAMPLES - len(self.examples)]


def read_reviews(
    sources: Sequence[str],
    options: ReadOptions = _DEFAULT,
    *,
    bad_rows: BadRows | None = None,
    labelled: bool = True,
    keep_empty: bool = False,
    form: TableForm | None = None,
    columns: ColumnLog | None = None,
) -> Iterator[Review]:
    """The reviews of all sources, in order.

    Args:
        sources: paths, globs, URLs, ``-``, or built-in corpora (``sample``, ``imdb:test``; see
            `sentir.io.builtin`).
        options: how files are read.
        bad_rows: collects the errors of skipped rows; created from `options` if None.
        labelled: whether each review must have a label; otherwise it may be None.
        keep_empty: whether a row without text is yielded, with empty text, and not a bad row.
        form: gets the form of the first CSV or TSV file.
        columns: where the columns that are read are noted, and what the model was trained on.

    Raises:
        DataError: a file that cannot be read or holds no review; a bad row, unless skipped; an
            encoding that is unknown or cannot be read line by line.
        UsageError: `sources` is a string.

    Warns:
        SentirWarning: two columns may be the text or the label, or those that the model was trained
            on are not all there.
    """
    if isinstance(sources, str):
        raise UsageError(f"sources = {sources!r}", todo="pass a list of names")
    check_encoding(options.encoding)
    bad_rows = BadRows(options.on_error) if bad_rows is None else bad_rows
    columns = ColumnLog() if columns is None else columns
    for file, file_options in _expand(sources, options):  # find all files before reading the first
        if (reviews := builtin_reviews(file)) is not None:
            for number, (label, text) in enumerate(reviews, start=1):
                yield Review(text, label, file, number, None)
            continue
        bad_before, is_empty = bad_rows.count, True
        for review in _read_file(
            file,
            file_options,
            bad_rows,
            columns,
            form or TableForm(),
            labelled=labelled,
            keep_empty=keep_empty,
        ):
            is_empty = False
            yield review
        if is_empty:
            raise _no_reviews(display_name(file), bad_rows, bad_before)


def _expand(sources: Sequence[str], options: ReadOptions) -> list[tuple[str, ReadOptions]]:
    files: list[tuple[str, ReadOptions]] = []
    for source in sources:
        if dataset_split := hub.find_dataset(source):
            dataset = hub.DATASETS[dataset_split[0]]
            dataset_options = dataclasses.replace(
                options,
                format="parquet",
                text_column=options.text_column or dataset.text_column,
                label_column=options.label_column or dataset.label_column,
            )
            files += [(str(path), dataset_options) for path in hub.fetch_dataset(*dataset_split)]
        elif builtin_reviews(source) is not None:
            files.append((source, options))
        else:
            files += [(path, options) for path in expand_sources([source])]
    return files


def _no_reviews(name: str, bad_rows: BadRows, bad_before: int) -> DataError:
    count = bad_rows.count - bad_before
    if not count:
        return DataError("holds no review", where=name, todo="check how it was written")
    first = bad_rows.examples[bad_before:] or bad_rows.examples
    return DataError(
        f"none of its rows could be read ({count:,} skipped)",
        where=name,
        todo=f"the first error: {first[0]}",
    )


def detect_format(source: str, options: ReadOptions = _DEFAULT) -> Format:
    """The format of one source: by option, else by the extension, else by the first line.

    Of a glob it is the format of the first file. Standard input remains to be read.

    Raises:
        DataError: the first line is needed, and the file is empty, a pipe or cannot be read.
    """
    if options.format != "auto":
        return options.format
    if hub.find_dataset(source):
        return "parquet"
    check_encoding(options.encoding)
    if format := format_from_name(source):
        return format
    first = expand_sources([source])[0]
    if Path(first).exists() and not Path(first).is_file():
        raise DataError(
            "a pipe, which can be read only once, so its format cannot be detected",
            where=first,
            todo="pass --format, or read it from standard input as -",
        )
    with open_input(first) as stream:
        start = stream.peek(_PEEK_BYTES, until=b"\n")
        if not start.strip():
            start = stream.peek(_PEEK_BYTES)
    if not start.startswith(PARQUET_MAGIC):
        check_start(start, display_name(first))
    first_line = next(filter(bytes.strip, start.splitlines()), b"").removeprefix(UTF8_BOM)
    return _format_of_line(first_line.decode(options.encoding, errors="replace"), options)


def parquet_types(source: str, options: ReadOptions = _DEFAULT) -> Any:
    """The `pyarrow.Schema` of all Parquet files of one source; None if they do not agree.

    Raises:
        DataError: a file cannot be read.
    """
    require("reading Parquet", "pyarrow")
    import pyarrow as pa

    schemas = [parquet_schema(path) for path, _ in _expand([source], options)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException:
        return None


def _format_of_line(line: str, options: ReadOptions) -> Format:
    line = line.removeprefix("\ufeff").strip()
    if line.startswith(fasttext.PREFIX):
        return "fasttext"
    if line.startswith("PAR1"):
        return "parquet"
    if line.startswith(("{", "[{")):
        return "jsonl"
    names = {*TEXT_NAMES, *map(normalize_name, options.text_column)}
    delimiters = sorted(_DELIMITERS["csv"], key=line.count, reverse=True)
    for delimiter in options.delimiter or delimiters:
        cells = {normalize_name(cell) for cell in line.split(delimiter)}
        if options.columns or cells & names:
            return "tsv" if delimiter == "\t" else "csv"
    return "csv" if options.delimiter or delimiter_line(line) else "text"


#: From a row to its text and label.
_Parse = Callable[[Any], tuple[str, str | None]]


def _read_file(
    source: str,
    options: ReadOptions,
    bad_rows: BadRows,
    columns: ColumnLog,
    form: TableForm,
    *,
    labelled: bool,
    keep_empty: bool,
) -> Iterator[Review]:
    name = display_name(source)
    parse, rows = _open_rows(source, options, bad_rows, columns, labelled, form)
    for number, row in rows:
        try:
            text, label = parse(row)
        except DataError as error:
            if isinstance(error, EmptyTextError) and not keep_empty and _is_empty(row):
                continue  # spreadsheets write rows of delimiters only
            if keep_empty and isinstance(error, EmptyTextError):
                yield Review("", None, name, number, None if isinstance(row, str) else row)
                continue
            bad_rows.report(error.at(f"{name}:{number}"))
        else:
            yield Review(text, label, name, number, None if isinstance(row, str) else row)


def _is_empty(row: Any) -> bool:
    return isinstance(row, dict) and all(
        isinstance(value, str) and not value.strip() for value in row.values()
    )


def _open_rows(
    source: str,
    options: ReadOptions,
    bad_rows: BadRows,
    columns: ColumnLog,
    labelled: bool,
    form: TableForm,
) -> tuple[_Parse, Iterator[tuple[int, Any]]]:
    """The function that parses a row of the source, and the numbered rows."""
    name, format = display_name(source), detect_format(source, options)
    if format == "text" and labelled:
        todo = "pass --format (fasttext, csv, jsonl, ...) if it has them"
        raise DataError("no labels in a file of plain text", where=name, todo=todo)
    if options.columns and format not in _DELIMITERS:
        raise UsageError(
            f"--columns for {format}", where=name, todo="it is for CSV and TSV without a header"
        )
    row_reader = RowReader(name, options.text_column, options.label_column, labelled, columns)
    if format == "parquet":
        return row_reader.read, parquet_records(
            source, select_columns=row_reader.select_columns, report=bad_rows.report
        )
    lines = text_lines(
        source,
        options.encoding,
        options.max_line_bytes,
        bad_rows.report,
        keep_undecodable=format in _DELIMITERS,
        on_start=lambda start: form.note_start(start, options.encoding),
    )
    if format == "fasttext":
        return fasttext.parse_labelled if labelled else fasttext.parse_unlabelled, lines
    if format == "text":
        return _text_line, lines
    if format == "jsonl":
        return row_reader.read, jsonl_records(lines, name, report=bad_rows.report)
    return row_reader.read, csv_records(
        lines,
        name,
        delimiters=options.delimiter or _DELIMITERS[format],
        is_delimiter_known=options.delimiter is not None,
        quoting=None if options.quoting == "auto" else options.quoting,
        columns=options.columns,
        limit=options.max_line_bytes,
        on_header=row_reader.select_columns,
        report=bad_rows.report,
        form=form,
    )


def _text_line(line: str) -> tuple[str, None]:
    text = line.removesuffix("\r")
    check_text(text)
    return text, None
