"""The format of a stream: by its signature, by option, by its name, else by its first line."""

from __future__ import annotations

from typing import Literal

from sentir.config import ReadOptions
from sentir.errors import DataError
from sentir.io import fasttext, signatures
from sentir.io.column_names import TEXT_NAMES, normalize_name
from sentir.io.dialect import delimiter_line
from sentir.io.encodings import UTF8_BOM, check_start
from sentir.io.paths import format_from_name
from sentir.io.streams import Input, refuse_second_compression

#: ``files`` are texts in the files of a folder or archive.
Format = Literal["fasttext", "csv", "tsv", "jsonl", "parquet", "arrow", "xlsx", "text", "files"]
#: Formats whose files are binary: the signature alone says which it is.
BINARY = {"parquet": "a Parquet file", "arrow": "an Arrow file", "xlsx": "a spreadsheet"}
# Spreadsheets write ";" where the comma is the decimal separator.
# The comma comes last: where two delimiters fit, it is the one that occurs in text and numbers.
DELIMITERS = {"csv": ";\t|,", "tsv": "\t"}
_PEEK_BYTES = 1 << 16
#: Longest name of a column, with what stands around it (characters).
_LONGEST_NAME = 40


def format_of_option(options: ReadOptions) -> Format | None:
    """The format that the options ask for; None if it is to be detected."""
    if options.format == "auto":
        return None
    return "jsonl" if options.format == "json" else options.format


def peek_head(stream: Input) -> bytes:
    """The first bytes of a stream: of text the first line, else `signatures.HEAD_BYTES`.

    A line that a program has written to a pipe is thus answered before it writes the next.

    Raises:
        DataError: the stream is damaged.
    """
    head = stream.peek(signatures.HEAD_BYTES, until=b"\n")
    return stream.peek(signatures.HEAD_BYTES) if signatures.needs_more(head) else head


def detect_stream_format(stream: Input, name: str, options: ReadOptions) -> Format:
    """The format of a stream that is no container; its bytes remain to be read.

    Args:
        stream: decompressed.
        name: the file's name, whose extension counts.
        options: how files are read.

    Raises:
        DataError: it is of a kind that is not read, or not of the format that `options` asks for.
    """
    head, asked = peek_head(stream), format_of_option(options)
    refuse_second_compression(head, stream.name)
    if found := _binary_format(head):
        if asked not in (None, found):
            what = f"{BINARY[found]}, and --format says {asked}"
            raise DataError(what, where=stream.name, todo="leave --format out")
        return found
    if asked in BINARY:
        raise DataError(f"not {BINARY[asked]}", where=stream.name, todo="pass its --format")
    if not signatures.is_text(head):
        check_start(head, stream.name)
    signatures.refuse_unreadable(head, stream.name)
    if asked:
        return asked
    by_name = format_from_name(name)
    if by_name in BINARY:
        raise DataError(f"not {BINARY[by_name]}", where=stream.name, todo="pass its --format")
    return by_name or _format_of_start(stream, options)


def _binary_format(head: bytes) -> Format | None:
    if signatures.is_text(head):
        return None
    if head.startswith(signatures.PARQUET):
        return "parquet"
    if head.startswith(signatures.ARROW_FILE) or signatures.is_arrow_stream(head):
        return "arrow"
    return None


def _format_of_start(stream: Input, options: ReadOptions) -> Format:
    start = stream.peek(_PEEK_BYTES, until=b"\n")
    if not start.strip():
        start = stream.peek(_PEEK_BYTES)
    check_start(start, stream.name)
    first_line = next(filter(bytes.strip, start.splitlines()), b"").removeprefix(UTF8_BOM)
    return _format_of_line(first_line.decode(options.encoding, errors="replace"), options)


def _format_of_line(line: str, options: ReadOptions) -> Format:
    line = line.removeprefix("\ufeff").strip()
    if line.startswith(fasttext.PREFIX):
        return "fasttext"
    if line.startswith(("{", "[{")) or line == "[":
        return "jsonl"
    names = {*TEXT_NAMES, *map(normalize_name, options.text_column)}
    longest_name = max(_LONGEST_NAME, *map(len, options.text_column), 0)
    delimiters = sorted(DELIMITERS["csv"], key=line.count, reverse=True)
    for delimiter in options.delimiter or delimiters:
        cells = {
            normalize_name(cell) for cell in line.split(delimiter) if len(cell) <= longest_name
        }
        if options.columns or cells & names:
            return "tsv" if delimiter == "\t" else "csv"
    return "csv" if options.delimiter or delimiter_line(line) else "text"
