"""Which files of a folder are answered, by which part, and under which names they are written."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentir.config import ReadOptions
from sentir.errors import DataError
from sentir.io.containers import folder_at
from sentir.io.members import choose, log_choice
from sentir.io.paths import expand_sources, format_from_name, is_archive, without_compression
from sentir.io.shares import Share
from sentir.io.stores import file_size, is_address
from sentir.io.streams import display_name

#: A part of the files.
Part = Share
#: The only part.
ALL = Part(0, 1)


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
        log_choice(chosen, sizes, folder.name)
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


def _added_extension(name: str, *, as_json: bool) -> str:
    """What is added to a name that does not say a format that is written."""
    format = format_from_name(name)
    if as_json or format == "arrow" or is_archive(name):
        return "" if format == "jsonl" else ".jsonl"
    if format == "xlsx":
        return ".csv"
    return ".txt" if without_compression(name).endswith((".ft", ".ft.txt")) else ""
