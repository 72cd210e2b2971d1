"""Rows of .xlsx spreadsheets, their cells as a CSV file of the sheet would hold them."""

from __future__ import annotations

import datetime as dt
import fnmatch
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sentir.errors import DataError
from sentir.extras import require
from sentir.io.failures import short_reason
from sentir.io.streams import Input
from sentir.io.tables import Record, Report, Table

#: Largest part of a spreadsheet (bytes): its shared texts are held in memory.
_MAX_PART_BYTES = 1 << 30
#: Largest part that may be so many times its bytes in the file: styles and texts are held in
#: memory, and take many times that. Sheets are read row by row.
_MAX_GROWN_BYTES, _MAX_GROWTH = 1 << 22, 100


def spreadsheet_records(
    stream: Input,
    sheet: str,
    *,
    columns: Sequence[str] = (),
    on_header: Callable[[Sequence[str]], Iterable[str]],
    limit: int,
    report: Report,
) -> Iterator[tuple[int, Record]]:
    """The rows of a sheet, read one by one; the first one that is not empty is the header.

    Of merged cells the first holds the value. A formula is what was last computed.

    Args:
        stream: bytes of the file.
        sheet: name or pattern of the sheet; empty: the only one with rows.
        columns: names of all columns of a sheet without a header.
        on_header: called with the names of the columns, returns those that are needed; may raise.
        limit: longest cell (bytes).
        report: called with the error of a row that is longer than the header, or than `limit`.

    Raises:
        DataError: it is damaged, or several sheets have rows and none is named.
        MissingExtraError: openpyxl is not installed.
    """
    with _Workbook(stream) as workbook:
        worksheet = workbook.choose(sheet)
        table = Table(stream.name, on_header)
        if columns:
            table.begin(columns)
        for number, cells in workbook.rows(worksheet):
            where = f"{stream.name}:{number}"
            if any(len(cell) * 4 > limit and len(cell.encode()) > limit for cell in cells):
                todo = "shorten it, or raise --max-line-bytes"
                report(DataError(f"a cell of more than {limit:,} bytes", where=where, todo=todo))
            elif not table.names:
                table.begin(cells)
            else:
                cells += [""] * (len(table.names) - len(cells))
                if (record := table.record(cells)) is not None:
                    yield number, record
                else:
                    what = f"{len(cells)} cells where the header has {len(table.names)}"
                    report(DataError(what, where=where, todo="empty the cells beside the table"))


class _Workbook:
    """A spreadsheet, whose rows are read one by one."""

    def __init__(self, stream: Input) -> None:
        require(f"{stream.name}: a spreadsheet", "openpyxl")
        import openpyxl

        self._name = stream.name
        try:
            file = stream.random_access()
            for part in zipfile.ZipFile(file).infolist():
                is_grown = part.file_size > max(
                    _MAX_GROWN_BYTES, _MAX_GROWTH * part.compress_size
                ) and not part.filename.startswith("xl/worksheets/")
                if is_grown or part.file_size > _MAX_PART_BYTES:
                    what = f"its part {part.filename} has {part.file_size:,} bytes"
                    raise DataError(what, where=self._name, todo="save the sheet as CSV")
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles, which do not matter
                self._book: Any = openpyxl.load_workbook(file, read_only=True, data_only=True)
        except DataError:
            raise
        except Exception as error:  # openpyxl raises what its parsers do
            raise self._damaged(error) from error

    def __enter__(self) -> _Workbook:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def choose(self, sheet: str) -> Any:
        """The sheet that is meant."""
        sheets = {worksheet.title: worksheet for worksheet in self._book.worksheets}
        names = [name for name in sheets if not sheet or fnmatch.fnmatchcase(name, sheet)]
        if sheet in sheets:
            return sheets[sheet]
        filled = [name for name in names if next(self.rows(sheets[name]), None)]
        if len(filled) == 1:
            return sheets[filled[0]]
        if not names:
            shown = ", ".join(sheets)
            todo = f"its sheets are {shown}"
            raise DataError(f"has no sheet {sheet!r}", where=self._name, todo=todo)
        if not filled:
            raise DataError("its sheets are empty", where=self._name, todo="check the file")
        raise DataError(
            f"several sheets have rows ({', '.join(filled)})",
            where=self._name,
            todo=f"name one: {self._name}:{filled[0]}",
        )

    def rows(self, worksheet: Any) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not empty, with their numbers from 1."""
        worksheet.reset_dimensions()  # some programs save wrong ones, and rows would be lost
        rows = iter(worksheet.iter_rows())
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of a date that cannot be
                    row = next(rows, None)
                if row is None:
                    return
                cells = [_text(cell.value) for cell in row]
                number = next((cell.row for cell in row if cell.value is not None), 0)
            except Exception as error:  # openpyxl raises what its parsers do
                raise self._damaged(error) from error
            if any(map(str.strip, cells)):
                yield number, cells

    def _damaged(self, error: Exception) -> DataError:
        what = f"the spreadsheet is damaged ({short_reason(error)})"
        return DataError(what, where=self._name, todo="save it again, or save the sheet as CSV")


def _text(value: Any) -> str:
    """A cell as text: 5.0 is ``5``, a date ``2026-11-27``."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
