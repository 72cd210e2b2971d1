"""How a CSV or TSV file is written, so that a copy of it opens where the file did."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass

from sentir.io.dialect import Dialect, Quoting
from sentir.io.encodings import UTF8_BOM

#: First lines that must be quoted throughout, for a file to be one that quotes every field.
_QUOTED_LINES = 2


@dataclass
class TableForm:
    r"""The form of a table; it is filled in while the first table of a source is read.

    Attributes:
        delimiter: the character between fields; empty until a table has been read.
        quoting: what quotes mean.
        quotes_all: whether fields are quoted that need not be.
        has_bare_quotes: whether a field may hold quotes without being quoted (``say "no"``).
        line_end: ``\n`` or ``\r\n``.
        encoding: that of the text.
        bom: UTF-8's byte-order mark, or nothing.
        declaration: the line ``sep=;`` before the header, or nothing.
        header: the names of the columns as they were written.
    """

    delimiter: str = ""
    quoting: Quoting = "standard"
    quotes_all: bool = False
    has_bare_quotes: bool = False
    line_end: str = "\n"
    encoding: str = "utf-8"
    bom: bytes = b""
    declaration: str = ""
    header: Sequence[str] = ()

    def note_start(self, start: bytes, encoding: str) -> None:
        """Note the mark and the encoding of a file that starts with these bytes."""
        if not self.delimiter:
            self.bom = UTF8_BOM if start.startswith(UTF8_BOM) else b""
            is_marked = codecs.lookup(encoding).name == "utf-8-sig"
            self.encoding = "utf-8" if is_marked else encoding

    def note_lines(
        self,
        sample: Sequence[str],
        dialect: Dialect,
        declaration: str,
        *,
        is_delimiter_known: bool = False,
    ) -> None:
        """Note what the first lines of a table show, which its dialect explains."""
        if self.delimiter or not sample:
            return
        self.delimiter, self.quoting, self.declaration = (
            dialect.delimiter, dialect.quoting, declaration,
        )  # fmt: skip
        self.line_end = "\r\n" if sample[0].endswith("\r") else "\n"
        if dialect.quoting == "none":
            return
        rows = [dialect.split(line.removesuffix("\r")) for line in sample]
        if not is_delimiter_known and all(len(row) < 2 for row in rows):
            self.delimiter = ","  # one column, so that no delimiter has been seen
        self.quotes_all = all(
            len(field) > 1 and field[0] == field[-1] == '"'
            for row in rows[:_QUOTED_LINES]
            for field in row
        )
        has_quoted_field = any(field.lstrip().startswith('"') for row in rows for field in row)
        # TSV is often written without quoting, which rows without quotes do not show.
        self.has_bare_quotes = (
            dialect.quoting == "standard"
            and not has_quoted_field
            and (dialect.delimiter == "\t" or any('"' in line for line in sample))
        )

    def note_header(self, header: Sequence[str]) -> None:
        """Note the names of the columns."""
        if not self.header:
            self.header = [name.removeprefix("\ufeff") for name in header]
