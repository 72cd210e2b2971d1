"""Reviews from files: whatever the format, the same stream of text and label.

Memory does not grow with the file. What is wrong with one row is raised, or counted and passed
over, as `ReadOptions.on_error` says; what is wrong with a whole file is always raised.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sentir.config import ReadOptions
from sentir.errors import DataError, UsageError
from sentir.io import hub
from sentir.io.builtin import builtin_reviews
from sentir.io.columns import (
    TEXT_NAMES,
    EmptyTextError,
    Table,
    check_text,
    plain_name,
    read_label,
)
from sentir.io.extensions import format_of_name
from sentir.io.lines import check_encoding, text_lines
from sentir.io.paths import expand_sources
from sentir.io.streams import display_name, open_input
from sentir.io.tables import csv_records, jsonl_records, parquet_records, parquet_schema

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
# A "csv" may be parted otherwise: spreadsheets write ";" where the comma is the decimal sign.
_DELIMITERS = {"csv": ",;\t|", "tsv": "\t"}
_FASTTEXT_MARK = "__label__"
_KEPT_EXAMPLES = 20
_SKIPPED = "skipped.json"
_LOOK_BYTES = 1 << 16


class Review(NamedTuple):
    """One review, and where it stands."""

    text: str
    #: As it stands in the file, numbers as text: 1, 1.0 and "1" are all "1".
    label: str | None
    path: str
    #: Line where the row starts, or the row's number in Parquet, from 1.
    line: int
    #: The row's columns; those needed only when Parquet is read with labels; None if it has none.
    fields: Mapping[str, Any] | None


_DEFAULT = ReadOptions()


@dataclass
class BadRows:
    """Bad rows: raised at once, or counted, with the first messages kept as examples."""

    on_error: Literal["raise", "skip"] = "raise"
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def report(self, error: DataError) -> None:
        """Raise the error, or count it.

        Raises:
            DataError: the error itself, under ``on_error="raise"``.
        """
        if self.on_error == "raise":
            raise error
        self.count += 1
        self._show([str(error)])

    def save(self, folder: Path) -> None:
        """Keep what was passed over in the folder of the reviews that were not."""
        (folder / _SKIPPED).write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")

    def add_saved(self, folder: Path) -> None:
        """Count what was passed over when the reviews of a folder were read, if it was kept."""
        path = folder / _SKIPPED
        if not path.exists():  # nothing was before 2026-11-27
            return
        saved = BadRows(**json.loads(path.read_text(encoding="utf-8")))
        self.count += saved.count
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
) -> Iterator[Review]:
    """The reviews of all sources, in order.

    Args:
        sources: paths, globs, URLs, ``-``, or corpora by name (``sample``, ``imdb:test``), see
            `sentir.io.builtin`.
        options: how files are read.
        faults: collects what is passed over; made from `options` if None.
        labelled: whether each review must have a label. If not, labels are given where there are
            any.
        keep_empty: whether a row without text is a review too, its text empty, and no bad row.

    Raises:
        DataError: a file that cannot be read or holds no review; a bad row, unless skipped; an
            encoding that is unknown or cannot be read line by line.
        UsageError: a bare string for the sources.
    """
    if isinstance(sources, str):
        raise UsageError(f"sources = {sources!r}", todo="pass a list of names")
    check_encoding(options.encoding)
    bad_rows = BadRows(options.on_error) if bad_rows is None else bad_rows
    for file, file_options in _files(sources, options):  # all are looked for before one is read
        if (reviews := builtin_reviews(file)) is not None:
            for number, (label, text) in enumerate(reviews, start=1):
                yield Review(text, label, file, number, None)
            continue
        faults_before, found = bad_rows.count, False
        for review in _read_file(file, file_options, bad_rows, labelled, keep_empty):
            found = True
            yield review
        if not found:
            raise _nothing_found(display_name(file), bad_rows, faults_before)


def _files(sources: Sequence[str], options: ReadOptions) -> list[tuple[str, ReadOptions]]:
    files: list[tuple[str, ReadOptions]] = []
    for source in sources:
        if named := hub.find_dataset(source):
            dataset = hub.DATASETS[named[0]]
            of_dataset = dataclasses.replace(
                options,
                format="parquet",
                text_column=options.text_column or dataset.text_column,
                label_column=options.label_column or dataset.label_column,
            )
            files += [(str(path), of_dataset) for path in hub.named_dataset(*named)]
        elif builtin_reviews(source) is not None:
            files.append((source, options))
        else:
            files += [(path, options) for path in expand_sources([source])]
    return files


def _nothing_found(name: str, bad_rows: BadRows, faults_before: int) -> DataError:
    bad = bad_rows.count - faults_before
    if not bad:
        return DataError("holds no review", where=name, todo="check what wrote it")
    first = bad_rows.examples[faults_before:] or bad_rows.examples
    return DataError(
        f"none of its rows could be read ({bad:,} passed over)",
        where=name,
        todo=f"the first: {first[0]}",
    )


def detect_format(source: str, options: ReadOptions = _DEFAULT) -> Format:
    """The format of one source: by option, by the name's extension, else by the first line.

    Of a pattern it is that of the first file.

    Standard input may be asked about before it is read.

    Raises:
        DataError: the file has to be looked into and is empty, cannot be read or only once.
    """
    if options.format != "auto":
        return options.format
    if hub.find_dataset(source):
        return "parquet"
    check_encoding(options.encoding)
    if named := format_of_name(source):
        return named
    first = expand_sources([source])[0]
    if Path(first).exists() and not Path(first).is_file():
        raise DataError(
            "a pipe, which can be read once only, so that its format cannot be looked at",
            where=first,
            todo="pass --format, or read it from standard input as -",
        )
    with open_input(first) as stream:
        start = stream.look(_LOOK_BYTES, until=b"\n").partition(b"\n")[0]
    return _format_of_line(start.decode(options.encoding, errors="replace"), options)


def parquet_types(source: str, options: ReadOptions = _DEFAULT) -> Any:
    """The columns of all the Parquet files of one source, a `pyarrow.Schema` that fits them all.

    None where there is no such schema.

    Raises:
        DataError: a file cannot be read.
    """
    import pyarrow as pa

    schemas = [parquet_schema(path) for path, _ in _files([source], options)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException:
        return None


def _format_of_line(line: str, options: ReadOptions) -> Format:
    line = line.removeprefix("\ufeff").strip()
    if line.startswith(_FASTTEXT_MARK):
        return "fasttext"
    if line.startswith("PAR1"):
        return "parquet"
    if line.startswith(("{", "[{")):
        return "jsonl"
    delimiter = max(_DELIMITERS["csv"], key=line.count)
    cells = {plain_name(cell) for cell in line.split(delimiter)}
    if options.columns or cells & {*TEXT_NAMES, *map(plain_name, options.text_column)}:
        return "tsv" if delimiter == "\t" else "csv"
    return "text"


_Parse = Callable[[Any], tuple[str, str | None]]


def _read_file(
    source: str, options: ReadOptions, bad_rows: BadRows, labelled: bool, keep_empty: bool
) -> Iterator[Review]:
    name = display_name(source)
    parse, rows = _rows(source, options, bad_rows, labelled)
    for number, row in rows:
        try:
            text, label = parse(row)
        except DataError as error:
            if keep_empty and isinstance(error, EmptyTextError):
                yield Review("", None, name, number, None if isinstance(row, str) else row)
                continue
            bad_rows.report(DataError(error.what, where=f"{name}:{number}", todo=error.todo))
        else:
            yield Review(text, label, name, number, None if isinstance(row, str) else row)


def _rows(
    source: str, options: ReadOptions, bad_rows: BadRows, labelled: bool
) -> tuple[_Parse, Iterator[tuple[int, Any]]]:
    """How to read a row of the source, and its numbered rows."""
    name, format = display_name(source), detect_format(source, options)
    if format == "text" and labelled:
        todo = "pass --format (fasttext, csv, jsonl, ...) if it has them"
        raise DataError("no labels in a file of plain text", where=name, todo=todo)
    if options.columns and format not in _DELIMITERS:
        raise UsageError(
            f"--columns for {format}", where=name, todo="it is for CSV and TSV without a header"
        )
    table = Table(name, options.text_column, options.label_column, labelled)
    if format == "parquet":
        return table.read, parquet_records(source, choose=table.choose, report=bad_rows.report)
    lines = text_lines(
        source,
        options.encoding,
        options.max_line_bytes,
        bad_rows.report,
        keep_unreadable=format in _DELIMITERS,
    )
    if format == "fasttext":
        return _fasttext_line if labelled else _fasttext_line_unlabelled, lines
    if format == "text":
        return _text_line, lines
    if format == "jsonl":
        return table.read, jsonl_records(lines, name, report=bad_rows.report)
    return table.read, csv_records(
        lines,
        name,
        delimiters=_DELIMITERS[format],
        columns=options.columns,
        limit=options.max_line_bytes,
        see_columns=table.choose,
        report=bad_rows.report,
    )


def _text_line(line: str) -> tuple[str, None]:
    text = line.removesuffix("\r")
    check_text(text)
    return text, None


def _fasttext_line(line: str) -> tuple[str, str | None]:
    mark, text = _split_mark(line.removesuffix("\r"))
    label = read_label(mark.removeprefix(_FASTTEXT_MARK))
    if not mark.startswith(_FASTTEXT_MARK) or label is None:
        raise DataError("no label at the line's start", todo="write __label__NAME before the text")
    if _FASTTEXT_MARK in label or text.lstrip().startswith(_FASTTEXT_MARK):
        raise DataError("several labels", todo="leave one: a review has one class")
    check_text(text)
    return text, label


def _fasttext_line_unlabelled(line: str) -> tuple[str, str | None]:
    text, label = line.removesuffix("\r"), None
    while text.startswith(_FASTTEXT_MARK):
        mark, text = _split_mark(text)
        label = label or read_label(mark.removeprefix(_FASTTEXT_MARK))
    check_text(text)
    return text, label


def _split_mark(line: str) -> tuple[str, str]:
    mark, _, text = line.partition(" ")
    if "\t" in mark:
        mark, _, text = line.partition("\t")
    return mark, text
