"""From rows of named values to texts and labels, and what was read as which."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from sentir.errors import DataError, SentirWarning
from sentir.io.columns import ColumnError, Columns, named_column, read_weight

#: Names that rows without a header may have in all: what comes after them are no columns, but keys
#: that are data, such as names of users.
MAX_NAMES = 1000

_log = logging.getLogger(__name__)


class ColumnLog:
    """The columns that were read, in the order of their first use; each is logged once.

    Args:
        trained_on: the columns that the model was trained on, which are taken where they are there.
    """

    def __init__(self, trained_on: Sequence[Columns] = ()) -> None:
        self.trained_on = trained_on
        self.read: list[Columns] = []
        self._doubts: set[str] = set()

    def add(self, name: str, columns: Columns) -> None:
        """Log the columns of a file, and warn of what may be otherwise.

        Warns:
            SentirWarning: two columns may be the text or the label, or those that the model was
                trained on are not all there.
        """
        if columns not in self.read:
            self.read.append(columns)
            _log.info("%s: %s", name, columns)
        for doubt in columns.doubts:
            if doubt not in self._doubts:
                self._doubts.add(doubt)
                warnings.warn(f"{name}: {doubt}", SentirWarning, stacklevel=2)


class RowReader:
    """Reads the text and the label of each row; the columns are found once.

    A row of JSON lines may have further keys: a title is then read too, and what would change the
    other columns is an error of that row.

    Args:
        name: name of the file in errors.
        text, label, labelled: as for `Columns.find`.
        log: where the columns are noted.
        weight: column of the weight; None: all rows count the same.

    Attributes:
        label, labelled: as they were given.
    """

    def __init__(
        self,
        name: str,
        text: tuple[str, ...],
        label: str | None,
        labelled: bool,
        log: ColumnLog | None = None,
        weight: str | None = None,
    ) -> None:
        self._name, self._log = name, log or ColumnLog()
        self.label, self.labelled = label, labelled
        self._find = functools.partial(
            Columns.find,
            text=text,
            label=label,
            labelled=labelled,
            trained_on=self._log.trained_on,
        )
        self._weight = weight if labelled else None
        self._columns: Columns | None = None
        self._names: dict[str, None] = {}
        self._has_header = self._is_logged = False

    def select_columns(self, names: Sequence[str]) -> Sequence[str]:
        """The columns to read, of those in the header: for training only text and label, else all.

        Raises:
            DataError: as `Columns.find`, or two columns have the name of one to read.
        """
        try:
            columns = self._find(names)
            if self._weight is not None:
                self._weight = named_column(self._weight, names)
            needed = (*columns.text, *([columns.label, self._weight] if self.labelled else ()))
            for name in filter(None, needed):
                if names.count(str(name)) > 1:
                    raise DataError(f"{name!r} names two columns", todo="rename one")
        except DataError as error:
            raise error.at(self._name) from None
        self._columns, self._has_header, self._is_logged = columns, True, False
        if not self.labelled:
            return names
        return [name for name in names if name in needed]

    def read(self, record: Mapping[str, Any]) -> tuple[str, str | None]:
        """The text and the label of a row; without a header the rows name the columns.

        Raises:
            DataError: as `Columns.find` and `Columns.read`.
        """
        columns = self._columns
        if columns is None or not (
            self._has_header or len(self._names) > MAX_NAMES or record.keys() <= self._names.keys()
        ):
            columns = self._extend(record)
        if not self._is_logged:
            self._log.add(self._name, columns if self.labelled else columns.without_label())
            self._is_logged = True
        return columns.read(record, labelled=self.labelled)

    def weigh(self, record: Mapping[str, Any]) -> float:
        """The weight of a row.

        Raises:
            DataError: it is missing, or no number of 0 or more.
        """
        return 1.0 if self._weight is None else read_weight(record.get(self._weight))

    def _extend(self, record: Mapping[str, Any]) -> Columns:
        """The columns, now that a row has other keys."""
        names, old = {**self._names, **dict.fromkeys(record)}, self._columns
        try:
            columns = self._find(names)
        except ColumnError as error:
            raise error.with_sample(record) from None
        if old is not None and columns != old:
            has_more = {*columns.text} > {*old.text} and columns.label == old.label
            if not has_more:
                raise DataError(
                    f"this row has {columns}, and those before it have {old}",
                    todo="name the columns with --text-column and --label-column",
                )
        self._names, self._columns, self._is_logged = names, columns, False
        return columns
