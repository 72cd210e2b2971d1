"""Predictions of a folder: one whole file for each file in it, in parts that run anywhere.

Each part is a process that needs nothing but the two folders: a file is written beside its place
and renamed, and one that is there is skipped, so a part that was killed is just started again.
``_sentir.json`` in the folder says which model made it and how; answers of another are refused.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from sentir.errors import DataError, SentirError, SentirWarning, UsageError
from sentir.inference.files import PredictionColumns, predict_file
from sentir.inference.folder_files import FolderJob, files_of_part, input_files, output_names
from sentir.inference.manifest import Manifest
from sentir.io.reader import BadRows, NoReviewError
from sentir.io.row_reader import ColumnLog
from sentir.io.stores import is_address, join

_log = logging.getLogger(__name__)


class FolderResult(NamedTuple):
    """What became of the files of a part: how many of each kind, and the errors.

    Attributes:
        written: files that were answered.
        present: files whose answers were there already.
        without_reviews: files that hold no review, for which nothing is written.
        failed: the error of each other file.
    """

    written: int
    present: int
    without_reviews: int
    failed: list[SentirError]

    def summary(self) -> str:
        """The counts in words."""
        return (
            f"files: {self.written:,} written, {self.present:,} there already, "
            f"{self.without_reviews:,} without reviews, {len(self.failed):,} failed"
        )

    def failure(self) -> DataError:
        """The error of a part of which files failed."""
        total = self.written + self.present + self.without_reviews + len(self.failed)
        return DataError(
            f"{len(self.failed):,} of {total:,} files could not be answered",
            todo=f"the others were; fix what is wrong and run it again: {self.failed[0]}",
        )


def predict_folder(
    columns: PredictionColumns,
    identity: str,
    job: FolderJob,
    *,
    bad_rows: BadRows,
    progress: Callable[[int], None] = lambda count: None,
) -> FolderResult:
    """Answer the files of a part that have no answers yet; a file that fails does not stop others.

    Columns, formats and names are kept as far as the format can be written: spreadsheets become
    CSV, archives and Arrow JSON lines, fastText lines (``a.xlsx`` becomes ``a.xlsx.csv``).

    Args:
        columns: what to add to each record.
        identity: of the model, see `sentir.Predictor.identity`.
        job: what to answer, and where to.
        bad_rows: collects the errors of skipped rows.
        progress: called with the number of reviews that were read since the last call.

    Raises:
        DataError: there is no file, two would be written to one place, or a folder cannot be
            listed or written.
        UsageError: the folder is another model's, was made with other options or is not ours; or
            one folder is in the other.

    Warns:
        SentirWarning: the files are others than when the first part began, or one is newer than its
            answers.
    """
    folder, sizes = input_files(job.source)
    outputs = output_names(sizes, job)
    manifest = Manifest(columns, identity, job, sizes)
    _refuse_overlap(folder, sizes, job)
    present = manifest.claim()
    written = skipped = without_reviews = 0
    failed: list[SentirError] = []
    log = ColumnLog(columns.predictor.bundle.columns)
    for name in files_of_part(sizes, job.part):
        source, target = join(folder, name), join(job.output, outputs[name])
        if outputs[name] in present:
            skipped += 1
            _warn_if_newer(source, target)
            continue
        manifest.check()
        try:
            predict_file(
                columns,
                source,
                target,
                options=job.options,
                bad_rows=bad_rows,
                progress=progress,
                neutralise=job.neutralise,
                log=log,
            )
            written += 1
        except NoReviewError as error:
            without_reviews += 1
            _log.info("%s", error)
        except (DataError, UsageError) as error:  # the latter of an option that is not for it
            failed.append(error if error.where else error.at(source))
            _log.error("%s", failed[-1])
    return FolderResult(written, skipped, without_reviews, failed)


def _refuse_overlap(folder: str, names: Iterable[str], job: FolderJob) -> None:
    """Refuse to write among what is read: answers would be answered, or replace files.

    Raises:
        UsageError: the folder that is written lies in the one that is read, or holds a file that
            is.
    """
    output = _whole_path(job.output)
    is_inside = folder == job.source and output.startswith(_whole_path(folder))
    if is_inside or any(_whole_path(join(folder, name)).startswith(output) for name in names):
        raise UsageError(
            "the folder that is read and the one that is written are in one another",
            where=job.output,
            todo="choose another --output",
        )


def _whole_path(path: str) -> str:
    """With a slash at its end."""
    return f"{path.rstrip('/')}/" if is_address(path) else f"{Path(path).resolve().as_posix()}/"


def _warn_if_newer(source: str, target: str) -> None:
    """Warn of a file that has changed since it was answered, where that can be seen."""
    if is_address(source) or is_address(target):
        return
    if Path(source).stat().st_mtime > Path(target).stat().st_mtime:
        warnings.warn(
            f"{source}: newer than its answers; remove {target} to have it answered again",
            SentirWarning,
            stacklevel=2,
        )
