"""From a source to its parts: the file itself, or what a folder, archive or spreadsheet holds.

``reviews.zip:part1.csv`` means a part: of a folder or archive a file, a folder, a pattern or a
split, of a spreadsheet a sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sentir.config import ReadOptions
from sentir.errors import DataError
from sentir.io import signatures
from sentir.io.containers import Container, Tar, Zip, folder_at
from sentir.io.formats import DELIMITERS, Format, detect_stream_format, format_of_option, peek_head
from sentir.io.members import choose, class_of_name, log_choice
from sentir.io.paths import format_from_name, split_part
from sentir.io.streams import Input, display_name, open_input


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stream of rows; it is valid until the next part is taken.

    Attributes:
        name: its name in errors.
        stream: its bytes, decompressed.
        format: its format.
        file: its name in the folder or archive; None outside of one.
        label: the class that its folder or its name says; empty if only those of other files say
            one; None if none does.
        is_whole: whether a text is one review, and not one per line.
        sheet: the sheet of a spreadsheet that is meant; empty: the only one.
    """

    name: str
    stream: Input
    format: Format
    file: str | None = None
    label: str | None = None
    is_whole: bool = False
    sheet: str = ""


def open_parts(
    source: str, options: ReadOptions, *, labelled: bool, log: bool = False
) -> Iterator[Part]:
    """The parts of one source.

    Args:
        source: a path, a folder, a URL, ``-``, or a part of one of them (``reviews.zip:a.csv``).
        options: how files are read.
        labelled: whether each review must have a label.
        log: whether to log which files of a folder or archive are read.

    Raises:
        DataError: it cannot be opened, is damaged, holds nothing that is read, or nothing that the
            part means.
    """
    path, part = split_part(source)
    if path != "-" and (folder := folder_at(path)):
        yield from _open_members(folder, part, options, labelled=labelled, log=log)
        return
    _refuse_unknown_pipe(path, options)
    with open_input(path) as stream:
        container = _container(stream, lambda: _open_again(path, stream))
        if container and container != "xlsx":
            yield from _open_members(container, part, options, labelled=labelled, log=log)
            return
        format = "xlsx" if container else detect_stream_format(stream, path, options)
        if part and format != "xlsx":
            raise DataError(
                "no folder, archive or spreadsheet",
                where=stream.name,
                todo=f"leave out ':{part}'",
            )
        label = class_of_name(path) if format == "text" else None
        name = f"{stream.name}:{part}" if part else stream.name
        yield Part(name=name, stream=stream, format=format, label=label, sheet=part)


def detect_format(source: str, options: ReadOptions) -> Format:
    """The format of the first part of one source; standard input remains to be read.

    Raises:
        DataError: as `open_parts`.
    """
    if asked := format_of_option(options):
        return asked
    with closing(open_parts(source, options, labelled=False)) as parts:  # type: ignore[type-var]
        return next(part.format for part in parts)


def _refuse_unknown_pipe(path: str, options: ReadOptions) -> None:
    is_pipe = Path(path).exists() and not Path(path).is_file()
    if is_pipe and format_of_option(options) is None and format_from_name(path) is None:
        raise DataError(
            "a pipe, which can be read only once, so its format cannot be detected",
            where=path,
            todo="pass --format, or read it from standard input as -",
        )


def _open_again(path: str, stream: Input) -> Input:
    """The bytes of a source once more; those of a pipe from a copy."""
    if path != "-":
        return open_input(path)
    copy = stream.random_access()
    what, todo = "the copy of standard input cannot be read", "check the disk"
    return _Kept(copy, display_name(path), (what, todo))


class _Kept(Input):
    def close(self) -> None:
        """Leave the copy open, for the next pass."""


def _container(
    stream: Input, open_again: Callable[[], Input]
) -> Container | Literal["xlsx"] | None:
    """The folder or archive that a stream is; ``xlsx`` for a spreadsheet; None for another file."""
    head = peek_head(stream)
    if signatures.is_tar(head):
        return Tar(stream.name, open_again)
    if signatures.is_zip(head):
        archive = Zip(stream)
        if signatures.is_spreadsheet(archive.names()):
            return "xlsx"
        mimetype = archive.read_start("mimetype", 100)
        signatures.refuse_document(archive.names(), mimetype, stream.name)
        return archive
    return None


def _open_members(
    container: Container, part: str, options: ReadOptions, *, labelled: bool, log: bool
) -> Iterator[Part]:
    sizes = container.sizes()
    files = choose(
        sizes, container.name, part=part, folder=container.folder_name, labelled=labelled
    )
    if log:
        log_choice(files, sizes, container.name)
    chosen = {file.name: file for file in files}
    any_label = any(file.label for file in files)
    for name, stream in container.open_each(chosen):
        file = chosen[name]
        if not stream.peek(1):  # such as the compressed part of Spark without rows
            continue
        inner = _container(stream, lambda: stream)  # noqa: B023 (used at once)
        if inner and inner != "xlsx":
            kind = "a tar archive" if isinstance(inner, Tar) else "a zip archive"
            todo = "unpack the outer one, and name this one"
            raise DataError(f"{kind} within another", where=stream.name, todo=todo)
        format = "xlsx" if inner else detect_stream_format(stream, name, options)
        # A review in a class's folder may start as a table does ("Story, content and acting ...").
        is_guess = format in DELIMITERS and format_of_option(options) is None and file.is_whole
        if is_guess or (format == "text" and (file.label or len(files) > 1)):
            format = "files"
        yield Part(
            name=stream.name,
            stream=stream,
            format=format,
            file=name,
            label=file.label or ("" if any_label else None),
            is_whole=file.is_whole,
        )
