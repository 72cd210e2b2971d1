"""What is wrong with files, found in their first rows, before time is spent on anything else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sentir.config import ReadOptions
from sentir.errors import DataError
from sentir.io import hub
from sentir.io.builtin import is_builtin
from sentir.io.columns import Columns
from sentir.io.paths import expand_sources, split_part
from sentir.io.reader import BadRows, read_reviews
from sentir.io.row_reader import ColumnLog
from sentir.io.stores import file_size, is_stored

#: Files of one list that are opened.
CHECKED = 20


def check_first_rows(
    sources: Sequence[str],
    options: ReadOptions,
    *,
    labelled: bool = True,
    trained_on: Sequence[Columns] = (),
) -> None:
    """Open files and find their columns; their rows are not judged.

    Standard input, pipes, the web and data sets, which cannot be read twice or not quickly, are
    left out, and so are all but the first files of a long list. Of a file in a store it is found
    out whether it is there.

    Args:
        sources, options, labelled: as for `read_reviews`.
        trained_on: the columns that the model was trained on.

    Raises:
        DataError: a file is missing, is empty or cannot be read, or its columns are not found.
    """
    local = [name for name in sources if not is_builtin(name) and not hub.find_dataset(name)]
    expanded = expand_sources(local)
    for name in expanded[:CHECKED]:
        if is_stored(name):
            file_size(split_part(name)[0])  # it is there
    files = [name for name in expanded if Path(name).is_file()]
    for file in files[:CHECKED]:
        reviews = read_reviews(
            [file],
            options,
            bad_rows=_FirstRow(),
            labelled=labelled,
            keep_empty=True,
            columns=_Silent(trained_on),
        )
        with suppress(_RowFound):
            next(reviews, None)


class _RowFound(Exception):  # noqa: N818 - no error
    pass


class _FirstRow(BadRows):
    """Stops at the first row that is wrong: the file as a whole can be read."""

    def report(self, error: DataError) -> None:
        raise _RowFound


class _Silent(ColumnLog):
    def add(self, name: str, columns: Columns) -> None:
        pass
