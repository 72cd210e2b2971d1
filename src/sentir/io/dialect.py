"""Delimiter and quoting of CSV and TSV: how a line is split, and what the first lines show.

Quoting is ``standard`` (RFC 4180: a quote within quotes is doubled), ``backslash`` (it is escaped,
as Spark and MySQL write it, and so may be delimiters and line ends) or ``none`` (quotes are text).
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Quoting = Literal["standard", "none", "backslash"]

#: First lines from which a dialect is detected (lines, characters).
SAMPLE_LINES, SAMPLE_CHARACTERS = 500, 1 << 17
#: Longest value by which a row is known (characters).
_SHORT = 40
#: A quoting with this many errors in the sample is rejected.
_MAX_ERRORS = 20
_DELIMITER_LINE = re.compile(r'\ufeff?"?sep=(\\t|.)\1*"?', re.IGNORECASE)
_QUOTED_AFTER_SPACE = re.compile(r'[ \t]+".*"[ \t]*', re.DOTALL)
_BACKSLASH = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Dialect:
    """How rows are split into fields.

    Args:
        delimiter: the character between fields.
        quoting: what quotes mean.
        spans_lines: whether a quoted field may contain line ends.
        skips_spaces: whether spaces between a quote and a delimiter are dropped
            (``good film , "pos"``).
        row_values: short values of rows on one line, each with the index of its column, to tell
            rows that an unmatched quote joins from a quoted text of several lines; empty where
            fields are known to be quoted.
    """

    delimiter: str
    quoting: Quoting = "standard"
    spans_lines: bool = True
    skips_spaces: bool = False
    row_values: frozenset[tuple[int, str]] = field(default=frozenset(), compare=False, repr=False)

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """A `csv.reader` of quoted rows; it raises `csv.Error` where quotes do not match."""
        options: dict[str, Any] = {"delimiter": self.delimiter, "strict": True}
        if self.skips_spaces:
            lines = map(self._drop_spaces, lines)
        if self.quoting == "backslash":  # beside doubled quotes, which some writers mix in
            options["escapechar"] = "\\"
            lines = map(self._keep_other_backslashes, lines)
        return csv.reader(lines, **options)

    def split(self, line: str) -> list[str]:
        """The fields of a line whose quotes are text."""
        return line.split(self.delimiter) if line else []

    def split_line(self, line: str, count: int) -> list[str]:
        """The fields of a row that is one line; quotes that do not match are text.

        Args:
            line: the line, without its end.
            count: expected number of fields (0: unknown).
        """
        if self.quoting != "none" and ('"' in line or "\\" in line):
            try:
                row = next(self.reader([line]), [])
            except csv.Error:
                row = []
            if row and (not count or len(row) == count):
                return row
        return self.split(line)

    def joins_rows(self, lines: Sequence[str], count: int) -> bool:
        """Whether each line of a quoted row is a row itself, with the values of other rows."""
        rows = [list(enumerate(self.split(line))) for line in lines]
        if len(rows) < 2 or any(len(row) != count for row in rows):
            return False
        quoted = next((i for i, value in rows[0] if value.lstrip().startswith('"')), count)
        return any(
            # What follows the text that opens the quote, and what precedes the next one.
            not self.row_values.isdisjoint(row[quoted + 1 :] + next_row[:quoted])
            for row, next_row in itertools.pairwise(rows)
        )

    def _drop_spaces(self, line: str) -> str:
        if '"' not in line:
            return line
        return _spaces_before_quote(self.delimiter).sub(
            r"\1", _spaces_after_quote(self.delimiter).sub('"', line)
        )

    def _keep_other_backslashes(self, line: str) -> str:
        r"""Double each backslash that escapes nothing (``C:\temp``); ``\N`` is an empty field."""
        if "\\" not in line:
            return line
        end = re.escape(self.delimiter)
        line = re.sub(rf"(^|(?<={end}))\\N(?={end}|\r?\n?$)", "", line)
        special = '"\\' + self.delimiter
        return _BACKSLASH.sub(
            lambda match: match[0] if match[1] in special else "\\" + match[0], line
        )


@functools.cache
def _spaces_before_quote(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf'(^|{re.escape(delimiter)}){_spaces(delimiter)}+(?=")')


@functools.cache
def _spaces_after_quote(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf'"{_spaces(delimiter)}+(?={re.escape(delimiter)}|\r?\n?$)')


def _spaces(delimiter: str) -> str:
    return "[" + " \t".replace(delimiter, "") + "]"


def fits(row: Sequence[str], count: int) -> bool:
    """Whether a row has so many fields; spreadsheets write empty ones after them."""
    return len(row) >= count and not any(row[count:])


def delimiter_line(line: str) -> str | None:
    """The delimiter that a first line ``sep=;`` declares, as Excel reads it."""
    match = _DELIMITER_LINE.fullmatch(line.rstrip("\r"))
    return match[1].replace(r"\t", "\t") if match else None


def detect_dialect(
    sample: Sequence[str], *, delimiters: str, quoting: Quoting | None = None, count: int = 0
) -> Dialect:
    """The dialect that fits the first lines of a file best.

    Args:
        sample: the first lines, without their ends.
        delimiters: the possible delimiters, the likelier first.
        quoting: the quoting, if it is known.
        count: number of fields of a row, if it is known; else that of the first line.
    """
    sample = [line.removesuffix("\r") for line in sample]
    best = max(
        (_fit(sample, delimiter, quoting, count) for delimiter in delimiters),
        key=lambda fit: fit.rank(count),
    )
    return best.dialect


@dataclass
class _Fit:
    """How well a dialect explains the sample."""

    dialect: Dialect
    sample: Sequence[str]
    #: Number of fields of the first row, and whether an error precedes it.
    first_fields: int = 0
    is_first_row_broken: bool = False
    #: Lines in rows with the expected number of fields.
    lines: int = 0
    #: Rows that are read with quotes: those that cannot be read without them, and all others.
    certain_quotes: int = 0
    possible_quotes: int = 0
    #: Rows whose quotes do not match.
    errors: int = 0
    #: Whether a field has quotes after a space, and nothing else.
    has_quotes_left: bool = False
    #: Short values of the rows on one line, by column, and the lines of the other rows.
    values: set[tuple[int, str]] = field(default_factory=set)
    long_rows: list[Sequence[str]] = field(default_factory=list)

    def rank(self, count: int) -> tuple[Any, ...]:
        delimiter, first = self.dialect.delimiter, self.sample[0] if self.sample else ""
        is_table = self.first_fields == count if count else self.first_fields > 1
        spaced = sum(line.count(delimiter + " ") for line in self.sample)
        return is_table, self.lines, -spaced, first.count(delimiter)


def _fit(sample: Sequence[str], delimiter: str, quoting: Quoting | None, count: int) -> _Fit:
    """The best dialect with this delimiter."""
    # Tabs are rare in text, so TSV is often written without quoting. Then an unmatched quote in a
    # text would merge all lines up to the next quote.
    spans_lines = delimiter != "\t" or quoting is not None
    is_spaced = any(
        pattern(delimiter).search(line)
        for line in sample
        if '"' in line
        for pattern in (_spaces_before_quote, _spaces_after_quote)
    )

    def fit(quoting: Quoting) -> _Fit:
        dialect = Dialect(delimiter, quoting, spans_lines and quoting != "none")
        result = _explain(dialect, sample, count)
        if is_spaced and quoting != "none":
            spaced = _explain(dataclasses.replace(dialect, skips_spaces=True), sample, count)
            spaced_fit, result_fit = ((fit.lines, -fit.errors) for fit in (spaced, result))
            if spaced_fit > result_fit or (spaced_fit == result_fit and result.has_quotes_left):
                return spaced
        return result

    if quoting is not None:
        return fit(quoting)
    standard = fit("standard")
    if any(_is_escaped(line, delimiter) for line in sample):
        backslash = fit("backslash")
        if (backslash.lines, -backslash.errors) > (standard.lines, -standard.errors):
            none = fit("none")
            return none if none.lines > backslash.lines else backslash
    is_header_broken = standard.is_first_row_broken and not count
    if is_header_broken or standard.certain_quotes:
        return standard
    if spans_lines:
        values = frozenset(standard.values)
        standard.dialect = dataclasses.replace(standard.dialect, row_values=values)
    none = fit("none")
    are_errors_many = standard.errors * 4 > standard.possible_quotes
    are_rows_joined = any(
        standard.dialect.joins_rows(lines, none.first_fields) for lines in standard.long_rows
    )
    return (
        none if are_rows_joined or (are_errors_many and none.lines > standard.lines) else standard
    )


def _is_escaped(line: str, delimiter: str) -> bool:
    return "\\" in line and ('\\"' in line or "\\" + delimiter in line or line.endswith("\\"))


def _explain(dialect: Dialect, sample: Sequence[str], count: int) -> _Fit:
    """Read the sample; after an error go on with the next line."""
    result = _Fit(dialect, sample)
    number = 0
    while number < len(sample) and result.errors < _MAX_ERRORS:
        line = sample[number]
        size = 1
        if dialect.quoting == "none" or not ('"' in line or "\\" in line):
            row = dialect.split(line)
        else:
            end = None if dialect.spans_lines else number + 1
            reader: Any = dialect.reader(text + "\n" for text in sample[number:end])
            try:
                row = next(reader, [])
                size = reader.line_num
            except csv.Error as error:
                # The end of the sample says nothing of a field that spans its last lines.
                is_end = dialect.spans_lines and "unexpected end" in str(error)
                if not (is_end and len(sample) >= SAMPLE_LINES):
                    result.errors += 1
                number += 1
                continue
        lines = sample[number : number + size]
        number += size
        if not any(map(str.strip, row)):  # a blank line, or one of delimiters only
            continue
        if not result.first_fields:
            result.first_fields, result.is_first_row_broken = len(row), result.errors > 0
        expected = count or result.first_fields
        if not fits(row, expected):
            continue
        result.lines += size
        result.has_quotes_left |= any(map(_QUOTED_AFTER_SPACE.fullmatch, row))
        if size == 1:
            result.values.update(
                (index, value) for index, value in enumerate(row) if 0 < len(value) <= _SHORT
            )
        else:
            result.long_rows.append(lines)
        if dialect.quoting != "none" and _has_quoted_field(line, dialect):
            if '""' in line.replace(f'{dialect.delimiter}""', "") or any(
                len(dialect.split(text)) != expected for text in lines
            ):
                result.certain_quotes += 1
            else:
                result.possible_quotes += 1
    return result


def _has_quoted_field(line: str, dialect: Dialect) -> bool:
    return any(field.lstrip(" ").startswith('"') for field in dialect.split(line))
