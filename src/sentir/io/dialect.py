"""Delimiter and quoting of CSV and TSV: how a line is split, and what the first lines show.

Quoting is ``standard`` (RFC 4180: a quote within quotes is doubled), ``backslash`` (it is escaped,
as Spark and MySQL write it) or ``none`` (quotes are text).
"""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Quoting = Literal["standard", "none", "backslash"]

#: First lines from which a dialect is detected (lines, characters).
SAMPLE_LINES, SAMPLE_CHARACTERS = 500, 1 << 17
#: A quoting with this many errors in the sample is rejected.
_MAX_ERRORS = 20
_DELIMITER_LINE = re.compile(r'"?sep=([^\r\n])"?\r?', re.IGNORECASE)
_BACKSLASH = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Dialect:
    """How rows are split into fields.

    Args:
        delimiter: the character between fields.
        quoting: what quotes mean.
        spans_lines: whether a quoted field may contain line ends.
        skips_spaces: whether spaces after a delimiter are dropped (``good film, "pos"``).
    """

    delimiter: str
    quoting: Quoting = "standard"
    spans_lines: bool = True
    skips_spaces: bool = False

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """A `csv.reader` of quoted rows; it raises `csv.Error` where quotes do not match."""
        options: dict[str, Any] = {"delimiter": self.delimiter, "strict": True}
        options["skipinitialspace"] = self.skips_spaces
        if self.quoting == "backslash":
            options |= {"escapechar": "\\", "doublequote": False}
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


def delimiter_line(line: str) -> str | None:
    """The delimiter that a first line ``sep=;`` declares, as Excel reads it."""
    match = _DELIMITER_LINE.fullmatch(line)
    return match[1] if match else None


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
    #: Whether a field looks like a quoted one after a space.
    has_space_before_quote: bool = False

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

    def fit(quoting: Quoting) -> _Fit:
        spans = spans_lines and quoting != "none"
        dialect = Dialect(delimiter, quoting, spans)
        result = _explain(dialect, sample, count)
        if result.has_space_before_quote:
            spaced = _explain(dataclasses.replace(dialect, skips_spaces=True), sample, count)
            if spaced.lines >= result.lines and spaced.errors <= result.errors:
                return spaced
        return result

    if quoting is not None:
        return fit(quoting)
    standard = fit("standard")
    if any('\\"' in line for line in sample):
        backslash = fit("backslash")
        if (backslash.lines, -backslash.errors) > (standard.lines, -standard.errors):
            return backslash
    is_header_broken = standard.is_first_row_broken and not count
    if is_header_broken or standard.certain_quotes:
        return standard
    if standard.errors * 4 > standard.possible_quotes:
        none = fit("none")
        if none.lines > standard.lines:
            return none
    return standard


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
        if row and not result.first_fields:
            result.first_fields, result.is_first_row_broken = len(row), result.errors > 0
        expected = count or result.first_fields
        if len(row) == expected:
            result.lines += size
            lines = sample[number : number + size]
            result.has_space_before_quote |= any(_is_quoted_after_space(field) for field in row)
            if dialect.quoting != "none" and _has_quoted_field(lines[0], dialect):
                if '""' in line.replace(f'{dialect.delimiter}""', "") or any(
                    len(dialect.split(text)) != expected for text in lines
                ):
                    result.certain_quotes += 1
                else:
                    result.possible_quotes += 1
        else:
            result.has_space_before_quote |= any(field.startswith(' "') for field in row)
        number += size
    return result


def _has_quoted_field(line: str, dialect: Dialect) -> bool:
    return any(field.lstrip(" ").startswith('"') for field in dialect.split(line))


def _is_quoted_after_space(field: str) -> bool:
    text = field.strip(" ")
    return field.startswith(" ") and len(text) > 1 and text[0] == text[-1] == '"'
