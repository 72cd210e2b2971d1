"""Rows with fields within fields: ``review.text`` is the field ``text`` of ``review``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sentir.errors import DataError
from sentir.io.columns import RowReader

#: Objects within objects deeper than that are left as they are.
_MAX_DEPTH = 8


class NestedRowReader:
    """Reads the text and the label of rows whose values may be objects, bytes or decimals.

    Fields of objects are columns with dotted names. If the columns outside of objects do not
    suffice, each field is found by its own name too, where only one object has it.

    Args:
        make: makes the reader of rows without objects.
        encoding: of texts that are bytes.

    Attributes:
        label_names: by column, the names that the numbers in it stand for.
    """

    def __init__(self, make: Callable[[], RowReader], encoding: str = "utf-8") -> None:
        self._make, self._encoding = make, encoding
        self._reader: RowReader | None = None
        self._dotted: dict[str, str] = {}
        self.label_names: Mapping[str, Sequence[str]] = {}

    def select_columns(self, names: Sequence[str]) -> Sequence[str]:
        """The columns to read, of all columns (dotted, if they are fields of objects).

        Raises:
            DataError: as `RowReader.select_columns`.
        """
        self._reader, selected = self._find(names)
        return [self._dotted.get(name, name) for name in selected]

    def suits(self, names: Sequence[str]) -> bool:
        """Whether text and label are found among these columns."""
        try:
            self._find(names)
        except DataError:
            return False
        finally:
            self._dotted = {}
        return True

    def read(self, record: Mapping[str, Any]) -> tuple[str, str | None]:
        """The text and the label of a row; without a header the first row names the columns.

        Raises:
            DataError: as `RowReader.read`.
        """
        if any(type(value) not in _PLAIN for value in record.values()):
            record = {name: self._plain(value) for name, value in flatten(record)}
        if self._reader is None:
            self._reader, _ = self._find(list(record))
        if self._dotted or self.label_names:
            record = {**record, **{name: record.get(old) for name, old in self._dotted.items()}}
            for name, values in self.label_names.items():
                record[name] = _named(record.get(name), values)
        return self._reader.read(record)

    def _find(self, names: Sequence[str]) -> tuple[RowReader, Sequence[str]]:
        reader = self._make()
        try:
            return reader, reader.select_columns(names)
        except DataError as error:
            plain_error = error
        leaves = {name: name.rpartition(".")[2] for name in names if "." in name}
        counts = Counter(leaves.values())
        dotted = {
            leaf: name for name, leaf in leaves.items() if counts[leaf] == 1 and leaf not in names
        }
        reader = self._make()
        try:
            selected = reader.select_columns([*names, *dotted])
        except DataError:
            raise plain_error from None
        self._dotted = {leaf: name for leaf, name in dotted.items() if leaf in selected}
        return reader, [name for name in selected if name in names or name in self._dotted]

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return format(value, "f")
        if isinstance(value, bytes):
            try:
                return value.decode(self._encoding)
            except UnicodeDecodeError:
                return value
        return value


_PLAIN = (str, int, float, bool, type(None), list)


def flatten(
    record: Mapping[str, Any], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, Any]]:
    """The fields of a row, those of objects with dotted names; the object itself is none."""
    for name, value in record.items():
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            yield from flatten(value, f"{prefix}{name}.", depth + 1)
        else:
            yield f"{prefix}{name}", value


def _named(value: Any, names: Sequence[str]) -> Any:
    """The name of a class; None if it has none, as -1 of test sets."""
    if isinstance(value, int) and not isinstance(value, bool):
        return names[value] if 0 <= value < len(names) else None
    return value
