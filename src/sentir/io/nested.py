"""Rows with fields within fields: ``review.text`` is the field ``text`` of ``review``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sentir.io.annotations import is_annotated, labelled_row
from sentir.io.row_reader import RowReader

#: Objects within objects deeper than that are left as they are.
_MAX_DEPTH = 8


class NestedRowReader:
    """Reads the text and the label of rows whose values may be objects, bytes or decimals.

    Fields of objects are columns with dotted names. What annotation tools export becomes rows
    (`sentir.io.annotations`).

    Args:
        reader: reads rows without objects.
        encoding: of texts that are bytes.

    Attributes:
        label_names: by column, the names that the numbers in it stand for.
    """

    def __init__(self, reader: RowReader, encoding: str = "utf-8") -> None:
        self._reader, self._encoding = reader, encoding
        self.label_names: Mapping[str, Sequence[str]] = {}

    def read(self, record: Mapping[str, Any]) -> tuple[str, str | None]:
        """The text and the label of a row.

        Raises:
            DataError: as `RowReader.read`.
        """
        record = self._flat(record)
        if self.label_names:
            named = {name: _named(record.get(name), of) for name, of in self.label_names.items()}
            record = {**record, **named}
        return self._reader.read(record)

    def weigh(self, record: Mapping[str, Any]) -> float:
        """The weight of a row.

        Raises:
            DataError: as `RowReader.weigh`.
        """
        return self._reader.weigh(self._flat(record))

    def _flat(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        if is_annotated(record):
            reader = self._reader
            record = labelled_row(record, reader.label, labelled=reader.labelled)
        if all(type(value) in _PLAIN for value in record.values()):
            return record
        return {name: self._plain(value) for name, value in flatten(record)}

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
