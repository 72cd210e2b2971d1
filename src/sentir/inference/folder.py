"""Predictions of a folder: one whole file for each file in it, in parts that run anywhere.

Each part is a process that needs nothing but the two folders: a file is written beside its place
and renamed, and one that is there is skipped, so a part that was killed is just started again.
``_sentir.json`` in the folder says which model made it and how; answers of another are refused.
"""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
import json
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sentir.config import ReadOptions
from sentir.errors import DataError, SentirWarning, UsageError
from sentir.inference.files import PredictionColumns, predict_file
from sentir.io.containers import Folder, folder_at
from sentir.io.members import choose
from sentir.io.paths import expand_sources, format_from_name, is_archive, without_compression
from sentir.io.reader import BadRows, NoReviewError
from sentir.io.row_reader import ColumnLog
from sentir.io.stores import file_size, file_sizes, is_address, join
from sentir.io.streams import display_name, open_raw
from sentir.io.writer import open_output
from sentir.version import __version__

#: What says how the files of a folder were made; other programs take such a name for no data.
MANIFEST = "_sentir.json"
#: Options that may change when a part is run again: they say what is done about a row, not what
#: is read from it.
_OF_BAD_ROWS = ("on_error", "max_line_bytes")
_PART = re.compile(r"(\d{1,9})/(\d{1,9})")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A part of the files: `number` of `total`, counted from 0."""

    number: int
    total: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """The part that an option names, such as ``3/64``.

        Raises:
            UsageError: it is none.
        """
        match = _PART.fullmatch(text.strip())
        part = cls(*map(int, match.groups())) if match else cls(0, 0)
        if part.number < part.total:
            return part
        total = part.total or 64
        raise UsageError(
            f"--part {text}", todo=f"parts are counted from 0: 0/{total} to {total - 1}/{total}"
        )


#: The only part.
ALL = Part(0, 1)


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
    failed: list[DataError]

    def summary(self) -> str:
        """The counts in words."""
        return (
            f"{self.written:,} files written, {self.present:,} there already, "
            f"{self.without_reviews:,} without reviews, {len(self.failed):,} failed"
        )

    def failure(self) -> DataError:
        """The error of a part of which files failed."""
        return DataError(
            f"{len(self.failed):,} files could not be answered",
            todo=f"the others were; mend and run it again: {self.failed[0]}",
        )


@dataclass(frozen=True, kw_only=True)
class FolderJob:
    """What to answer, and where to.

    Attributes:
        source: a folder, a file, a glob, or the address of one of these.
        output: the folder that is written, or its address; made if it is not there.
        part: which files; unset: all.
        as_json: whether all files are written as JSON lines.
        neutralise: as for `sentir.io.writer.write_records`.
        options: how files are read.
    """

    source: str
    output: str
    part: Part = ALL
    as_json: bool = False
    neutralise: bool = False
    options: ReadOptions = field(default_factory=ReadOptions)


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
    manifest = _Manifest(columns, identity, job, sizes)
    _refuse_overlap(folder, sizes, job)
    present = manifest.claim()
    written = skipped = without_reviews = 0
    failed: list[DataError] = []
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
        except DataError as error:
            failed.append(error if error.where else error.at(source))
            _log.error("%s", failed[-1])
    return FolderResult(written, skipped, without_reviews, failed)


def is_folder(output: str) -> bool:
    """Whether an output means a folder: by a slash at its end, or as it is one."""
    return output.endswith(("/", os.sep)) or (not is_address(output) and Path(output).is_dir())


def input_files(source: str) -> tuple[str, dict[str, int]]:
    """The folder, and the files in it that are answered, by name, with their sizes (bytes).

    Raises:
        DataError: there is none, or it is a folder of reviews in a file each.
    """
    folder = None if source == "-" else folder_at(source)
    if folder is not None:
        sizes = folder.sizes()
        chosen = choose(sizes, folder.name, labelled=False)
        if any(file.is_whole for file in chosen):
            raise DataError(
                "a file for each review, which would be a file for each answer",
                where=source,
                todo="write one file: -o labelled.csv",
            )
        return folder.name, {file.name: sizes[file.name] for file in chosen}
    files = [source] if source == "-" else expand_sources([source])
    # Up to the pattern: what is below keeps its folders.
    start = source if files == [source] else re.split(r"[*?\[]", source)[0] + "*"
    if is_address(source):
        base = start.rpartition("/")[0]
        return base, {file.removeprefix(f"{base}/"): file_size(file) for file in files}
    for file in files:
        if not Path(file).is_file():
            raise DataError(
                "no file whose answers can be a file too",
                where=display_name(file),
                todo="name a folder, files or a pattern",
            )
    parent = Path(start).parent
    return str(parent), {
        Path(file).relative_to(parent).as_posix(): Path(file).stat().st_size for file in files
    }


def output_names(names: Mapping[str, Any], job: FolderJob) -> dict[str, str]:
    """The file of answers of each file: its own name, where that says a format that is written.

    Raises:
        DataError: two files have the same.
    """
    outputs: dict[str, str] = {}
    of: dict[str, str] = {}
    for name in names:
        outputs[name] = output = name + _added_extension(name, as_json=job.as_json)
        if output in of:
            raise DataError(
                f"{of[output]} and {name} would both become {output}",
                where=job.output,
                todo="rename one of them",
            )
        of[output] = name
    return outputs


def files_of_part(sizes: Mapping[str, int], part: Part) -> list[str]:
    """The files of one part, sorted: the largest first to the part that has least so far.

    All parts find the same from the same names and sizes.
    """
    loads = [(0, index) for index in range(part.total)]
    mine = []
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        load, index = heapq.heappop(loads)
        heapq.heappush(loads, (load + max(1, sizes[name]), index))
        if index == part.number:
            mine.append(name)
    return sorted(mine)


class _Manifest:
    """``_sentir.json`` of the folder that is written."""

    def __init__(
        self,
        columns: PredictionColumns,
        identity: str,
        job: FolderJob,
        sizes: Mapping[str, int],
    ) -> None:
        reading = json.loads(json.dumps(dataclasses.asdict(job.options)))
        listing = json.dumps(sorted(sizes.items())).encode()
        self._path, self._folder = join(job.output, MANIFEST), job.output
        self._has_parts = job.part.total > 1
        self._wanted: dict[str, Any] = {
            "sentir": __version__,
            "model": identity,
            "columns": list(columns.names),
            "by": "sentence" if columns.by_sentence else "review",
            "json": job.as_json,
            "neutralise_formulas": job.neutralise,
            "reading": {name: value for name, value in reading.items() if name not in _OF_BAD_ROWS},
            "listing": hashlib.sha256(listing).hexdigest()[:16],
        }

    def claim(self) -> set[str]:
        """Make the folder ours, or find that it is; returns the names of its files.

        Raises:
            DataError: it cannot be read or written.
            UsageError: it is another model's, was made with other options, or is not ours.
        """
        present = {*_files_in(self._folder)}
        foreign = {name for name in present if not name.startswith(".")}
        if not foreign:
            with open_output(self._path) as stream:
                stream.write(json.dumps(self._wanted, indent=2).encode() + b"\n")
        elif MANIFEST not in present and MANIFEST not in _files_in(self._folder):
            # Looked at twice, as another part may have begun between.
            raise UsageError(
                f"holds files ({min(foreign)}) and no {MANIFEST}, so sentir did not write them",
                where=self._folder,
                todo="choose another folder",
            )
        found = self.check()
        if self._has_parts and found.get("listing") != self._wanted["listing"]:
            warnings.warn(
                f"{self._folder}: the files to answer are others than when this folder was begun, "
                "so a file may be in no part; run it once without --part at the end, which answers "
                "what is missing",
                SentirWarning,
                stacklevel=2,
            )
        return present

    def check(self) -> dict[str, Any]:
        """The content of the manifest.

        Raises:
            DataError: it cannot be read.
            UsageError: it says another model or other options.
        """
        with open_raw(self._path) as stream:
            content = stream.read()
        try:
            found: dict[str, Any] = dict(json.loads(content))
        except (ValueError, TypeError):
            raise DataError("damaged", where=self._path, todo="choose another folder") from None
        for name, wanted in self._wanted.items():
            if name in ("sentir", "listing") or found.get(name) == wanted:
                continue
            what = (
                f"made by the model {found.get(name)}, and this is {wanted}"
                if name == "model"
                else f"made with {name} = {found.get(name)!r}, and now it is {wanted!r}"
            )
            raise UsageError(what, where=self._folder, todo="choose another folder, or remove it")
        return found


def _files_in(folder: str) -> dict[str, int]:
    """The files in a folder and below with their sizes; none where it is not there."""
    if is_address(folder):
        return file_sizes(folder) or {}
    return Folder(folder).sizes() if Path(folder).is_dir() else {}


def _added_extension(name: str, *, as_json: bool) -> str:
    """What is added to a name that does not say a format that is written."""
    format = format_from_name(name)
    if as_json or format == "arrow" or is_archive(name):
        return "" if format == "jsonl" else ".jsonl"
    if format == "xlsx":
        return ".csv"
    return ".txt" if without_compression(name).endswith((".ft", ".ft.txt")) else ""


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
