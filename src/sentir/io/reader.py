"""A stream of reviews from files of any format.

Memory does not grow with the file. The error of one row is raised, or counted and the row skipped,
as `ReadOptions.on_error` says; the error of a whole file is always raised. Rows without a text or
without a label are always skipped and counted.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sentir.config import ReadOptions
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.extras import require
from sentir.io import fasttext, hub, parts
from sentir.io.arrow import arrow_records, arrow_schema
from sentir.io.builtin import builtin_reviews
from sentir.io.columns import EmptyTextError, MissingLabelError, check_text
from sentir.io.encodings import check_encoding
from sentir.io.formats import DELIMITERS, Format, format_of_option
from sentir.io.json_documents import document_records, is_json_lines
from sentir.io.jsonl import jsonl_records
from sentir.io.lines import text_lines
from sentir.io.nested import NestedRowReader
from sentir.io.parquet import parquet_records, parquet_schema
from sentir.io.parts import Part, open_parts
from sentir.io.paths import expand_sources, format_from_name
from sentir.io.row_reader import ColumnLog, RowReader
from sentir.io.spreadsheet import spreadsheet_records
from sentir.io.streams import display_name
from sentir.io.table_form import TableForm
from sentir.io.tables import Report, csv_records

__all__ = [
    "BadRows",
    "Format",
    "NoReviewError",
    "ReadOptions",
    "Review",
    "detect_format",
    "read_reviews",
    "table_types",
]

_KEPT_EXAMPLES, _KEPT_OF_MISSING = 20, 3
_SKIPPED = "skipped.json"


class NoReviewError(DataError):
    """A file in which there is no row at all."""


class Review(NamedTuple):
    """One review and its place."""

    text: str
    #: The raw label; numbers as text: 1, 1.0 and "1" are all "1".
    label: str | None
    path: str
    #: Line where the row starts, or number of the row in Parquet, Arrow, a spreadsheet or other
    #: JSON than one object per line, from 1.
    line: int
    #: The columns of the row (of Parquet and Arrow with labels only the needed ones), or the file,
    #: label and text of a file in a folder or archive; None without columns.
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
        saved = BadRows(**json.loads((folder / _SKIPPED).read_text(encoding="utf-8")))
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
        sources: paths, folders, globs, URLs, ``-``, parts of folders, archives and spreadsheets
            (``reviews.zip:part1.csv``), or built-in corpora (``sample``, ``imdb:test``; see
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
    form = TableForm() if form is None else form
    for file, file_options in _expand(sources, options):  # find all files before reading the first
        if (reviews := builtin_reviews(file)) is not None:
            for number, (label, text) in enumerate(reviews, start=1):
                yield Review(text, label, file, number, None)
            continue
        bad_before, is_empty = bad_rows.count, True
        for part in open_parts(file, file_options, labelled=labelled, log=True):
            for review in _read_part(
                part,
                file_options,
                bad_rows,
                columns,
                form,
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
        return NoReviewError("holds no review", where=name, todo="check how it was written")
    first = bad_rows.examples[bad_before:] or bad_rows.examples
    return DataError(
        f"none of its rows could be read ({count:,} skipped)",
        where=name,
        todo=f"the first error: {first[0]}",
    )


def detect_format(source: str, options: ReadOptions = _DEFAULT) -> Format:
    """The format of one source: by its first bytes, by option, by the extension, else by a line.

    Of a glob it is the format of the first file, of a container that of its first member. Standard
    input remains to be read.

    Raises:
        DataError: the file is empty, cannot be read, is a pipe whose name does not say its format,
            or is of a kind that is not read.
    """
    if asked := format_of_option(options):
        return asked
    if hub.find_dataset(source):
        return "parquet"
    check_encoding(options.encoding)
    first = expand_sources([source])[0]
    is_pipe = Path(first).exists() and not (Path(first).is_file() or Path(first).is_dir())
    if ("://" in first or is_pipe) and (format := format_from_name(first)):
        return format
    return parts.detect_format(first, options)


def table_types(source: str, options: ReadOptions = _DEFAULT) -> Any:
    """The `pyarrow.Schema` of all Parquet and Arrow files of one source.

    It is None if they do not agree, or if one is of another format.

    Raises:
        DataError: a file cannot be read.
    """
    require("reading Parquet", "pyarrow")
    import pyarrow as pa

    schemas = []
    for path, file_options in _expand([source], options):
        for part in open_parts(path, file_options, labelled=False):
            if part.format not in ("parquet", "arrow"):
                return None
            read_schema = parquet_schema if part.format == "parquet" else arrow_schema
            schemas.append(read_schema(part.stream))
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException:
        return None


class _Rows(NamedTuple):
    """The numbered rows of a part, and what is read of each."""

    rows: Iterator[tuple[int, Any]]
    #: From a row to its text and label.
    parse: Callable[[Any], tuple[str, str | None]]
    #: From a row to its weight.
    weigh: Callable[[Any], float] = lambda row: 1.0


def _read_part(
    part: Part,
    options: ReadOptions,
    bad_rows: BadRows,
    columns: ColumnLog,
    form: TableForm,
    *,
    labelled: bool,
    keep_empty: bool,
) -> Iterator[Review]:
    name = part.name
    if part.stream.encoding:  # its byte-order mark says more than the option
        options = dataclasses.replace(options, encoding=part.stream.encoding)
    rows, parse, weigh = _open_rows(part, options, bad_rows, columns, labelled, form)
    for number, row in rows:
        fields = None if isinstance(row, str) else row
        try:
            text, label = parse(row)
            weight = weigh(row)
        except DataError as error:
            if isinstance(error, EmptyTextError) and not keep_empty and _is_empty(row):
                continue  # spreadsheets write rows of delimiters only
            if keep_empty and isinstance(error, EmptyTextError):
                yield Review("", None, name, number, fields)
                continue
            bad_rows.report(error.at(f"{name}:{number}"))
        else:
            yield Review(text, label, name, number, fields, weight)


def _is_empty(row: Any) -> bool:
    return isinstance(row, dict) and all(
        isinstance(value, str) and not value.strip() for value in row.values()
    )


def _open_rows(
    part: Part,
    options: ReadOptions,
    bad_rows: BadRows,
    columns: ColumnLog,
    labelled: bool,
    form: TableForm,
) -> _Rows:
    """Open the rows of a part.

    Raises:
        UsageError: an option that is for other formats.
    """
    name, format = part.name, part.format
    if format in ("text", "files") and labelled and not part.label:
        todo = (
            "pass --format (fasttext, csv, jsonl, ...) if it has them, or name it after its class "
            "(pos.txt, neg.txt)"
        )
        raise DataError("no labels in a file of plain text", where=name, todo=todo)
    if options.columns and format not in (*DELIMITERS, "xlsx", "jsonl"):
        raise UsageError(
            f"--columns for {format}", where=name, todo="it is for tables without a header"
        )
    if options.weight_column and format in ("fasttext", "text", "files"):
        raise UsageError(f"--weight-column for {format}", where=name, todo="it is for tables")
    if format in ("parquet", "arrow", "jsonl"):
        return _open_nested(part, options, bad_rows, columns, labelled)
    row_reader = _row_reader(name, options, columns, labelled)
    if format == "xlsx":
        rows = spreadsheet_records(
            part.stream,
            part.sheet,
            columns=options.columns,
            on_header=row_reader.select_columns,
            limit=options.max_line_bytes,
            report=bad_rows.report,
        )
        return _Rows(rows, row_reader.read, row_reader.weigh)
    lines = text_lines(
        part.stream,
        options.encoding,
        options.max_line_bytes,
        bad_rows.report,
        keep_undecodable=format in DELIMITERS,
        on_start=lambda start: form.note_start(start, options.encoding),
    )
    if format == "fasttext":
        return _Rows(lines, fasttext.parse_labelled if labelled else fasttext.parse_unlabelled)
    if format == "text":
        return _Rows(lines, functools.partial(_text_line, part.label))
    if format == "files":
        texts = _file_rows(part, lines, options.max_line_bytes, bad_rows.report)
        return _Rows(texts, _text_of_fields)
    rows = csv_records(
        lines,
        name,
        delimiters=options.delimiter or DELIMITERS[format],
        is_delimiter_known=options.delimiter is not None,
        quoting=None if options.quoting == "auto" else options.quoting,
        columns=options.columns,
        limit=options.max_line_bytes,
        on_header=row_reader.select_columns,
        report=bad_rows.report,
        form=form,
    )
    return _Rows(rows, row_reader.read, row_reader.weigh)


def _row_reader(name: str, options: ReadOptions, columns: ColumnLog, labelled: bool) -> RowReader:
    return RowReader(
        name,
        options.text_column,
        options.label_column,
        labelled,
        columns,
        options.weight_column,
    )


def _open_nested(
    part: Part, options: ReadOptions, bad_rows: BadRows, columns: ColumnLog, labelled: bool
) -> _Rows:
    """As `_open_rows`, for formats whose values have types."""

    def suits(names: Sequence[str]) -> bool:
        """Whether text and label are found among these columns."""
        with suppress(DataError):
            _row_reader(part.name, options, columns, labelled).select_columns(names)
            return True
        return False

    row_reader = _row_reader(part.name, options, columns, labelled)
    reader = NestedRowReader(row_reader, options.encoding)
    if part.format != "jsonl":

        def on_schema(names: Mapping[str, Sequence[str]]) -> None:
            reader.label_names = names

        read = parquet_records if part.format == "parquet" else arrow_records
        rows = read(
            part.stream,
            select_columns=row_reader.select_columns,
            on_schema=on_schema,
            limit=options.max_line_bytes,
            report=bad_rows.report,
        )
        return _Rows(rows, reader.read, reader.weigh)
    limit, report = options.max_line_bytes, bad_rows.report
    if is_json_lines(part.stream, limit, suits):
        lines = text_lines(part.stream, options.encoding, limit, report)
        return _Rows(jsonl_records(lines, part.name, report=report), reader.read, reader.weigh)
    rows = document_records(
        part.stream,
        options.encoding,
        columns=options.columns,
        suits=suits,
        limit=limit,
        report=report,
    )
    return _Rows(rows, reader.read, reader.weigh)


def _text_line(label: str | None, line: str) -> tuple[str, str | None]:
    text = line.removesuffix("\r")
    check_text(text)
    return text, label


def _file_rows(
    part: Part, lines: Iterator[tuple[int, str]], limit: int, report: Report
) -> Iterator[tuple[int, Any]]:
    """The reviews of a text file in a folder or archive, with their file and class."""
    before = {"file": part.file, **({} if part.label is None else {"label": part.label})}
    if part.is_whole:
        texts, size = [], 0
        for _, line in lines:
            texts.append(line.removesuffix("\r"))
            size += len(line.encode(errors="replace")) + 1
            if size > limit + 1:  # a last line end does not count
                what, todo = f"a review of more than {limit:,} bytes", "raise --max-line-bytes"
                report(DataError(what, where=part.name, todo=todo))
                return
        yield 1, {**before, "text": "\n".join(texts)}
        return
    for number, line in lines:
        yield number, {**before, "text": line.removesuffix("\r")}


def _text_of_fields(fields: Mapping[str, Any]) -> tuple[str, str | None]:
    check_text(fields["text"])
    return fields["text"], fields.get("label") or None
