"""From names to lines, and back: what a name stands for, its lines, and a file to write to.

A name is a path, a glob of paths, ``-`` for standard input, or any URL that fsspec opens
(``https://``, ``s3://``, ``memory://``).
"""

from __future__ import annotations

import difflib
import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from sentir.errors import DataError
from sentir.io.atomic import atomic_write
from sentir.io.compression import compressor
from sentir.io.streams import open_input, reason_of, unopened

MAX_LINE_BYTES = 1_000_000


def expand_sources(sources: Iterable[str]) -> list[str]:
    """The files, URLs and ``-`` that the names stand for, in the order given; globs sorted.

    Raises:
        DataError: a path that does not exist (a near name is given), a folder, or a glob that
            matches no file.
    """
    files: list[str] = []
    for source in sources:
        if source == "-" or "://" in source:
            files.append(source)
            continue
        try:
            files += _expand_path(source)
        except OSError as error:  # no right to look into the folder, a name too long
            raise unopened(source, error) from None
    return files


def _expand_path(source: str) -> list[str]:
    path = Path(source)
    if path.is_dir():
        raise DataError(
            "a folder, not a file", where=source, todo=f"name the files in it: '{path / '*.csv'}'"
        )
    if path.exists():  # asked before the glob: a file may well be called "reviews[1].csv"
        return [source]
    if glob.has_magic(source):
        found = glob.iglob(source, recursive=True)  # noqa: PTH207 (Path.glob: no absolute patterns)
        files = sorted(file for file in found if not Path(file).is_dir())
        if not files:
            raise DataError("no file matches", where=source, todo="check the folder and pattern")
        return files
    if not path.parent.is_dir():
        raise DataError("no such file", where=source, todo=f"there is no folder {path.parent}")
    near = difflib.get_close_matches(
        path.name, [beside.name for beside in path.parent.iterdir()], n=1
    )
    todo = f"did you mean {path.parent / near[0]}?" if near else "check the name"
    raise DataError("no such file", where=source, todo=todo)


def raise_at_once(error: DataError) -> NoReturn:
    """What is done about a bad line unless the caller knows better."""
    raise error


def read_lines(
    source: str,
    *,
    max_line_bytes: int = MAX_LINE_BYTES,
    report: Callable[[DataError], None] = raise_at_once,
) -> Iterator[tuple[int, bytes]]:
    r"""The lines of a source, numbered from 1, without their ``\n``.

    A line over the limit, however long, is dropped block by block: no file can fill the memory.

    Args:
        source: a path, a URL or ``-``.
        max_line_bytes: longest line that is yielded (bytes).
        meet: called with the error of a line that is too long, and of a damaged stream, at which
            the lines end. It raises the error, or returns to go on.

    Raises:
        DataError: as `open_input`, always; and whatever `meet` raises.
    """
    number, rest, too_long = 0, b"", False
    with open_input(source) as stream:
        while True:
            try:
                block = stream.read_block()
            except DataError as error:
                where = f"{stream.name}:{number + 1}"
                report(DataError(error.what, where=where, todo=error.todo))
                return  # the line that was being read is cut, and so dropped
            if not block:
                break
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for line in lines:
                number += 1
                if len(line) > max_line_bytes or too_long:
                    if not too_long:
                        report(_line_too_long(stream.name, number, max_line_bytes))
                    too_long = False
                else:
                    yield number, line
            if len(rest) > max_line_bytes and not too_long:
                report(_line_too_long(stream.name, number + 1, max_line_bytes))
                too_long = True
            if too_long:
                rest = b""
        if rest:
            yield number + 1, rest


def _line_too_long(name: str, number: int, max_line_bytes: int) -> DataError:
    return DataError(
        f"a line of more than {max_line_bytes:,} bytes",
        where=f"{name}:{number}",
        todo="check the file's format, or raise --max-line-bytes",
    )


@contextmanager
def open_output(path: str) -> Iterator[Any]:
    """A binary stream to write to, compressed by the name's extension; ``-`` is standard output.

    A file appears under its name only when it is whole: until then it stands beside it, and it is
    removed when the block raises.

    Raises:
        DataError: a URL, a folder, or a place that cannot be written to.
    """
    if path == "-":
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # a reader that has enough, such as head
            raise
        except OSError as error:
            _forget_standard_output()
            raise DataError(
                f"cannot be written ({reason_of(error)})",
                where="standard output",
                todo="check the disk",
            ) from error
        return
    if "://" in path:
        raise DataError("cannot write to a URL", where=path, todo="write a file, then copy it")
    target = Path(path)
    if target.is_dir():
        raise DataError("a folder, not a file", where=path, todo="name a file in it")
    try:
        if target.exists() and not target.is_file():  # /dev/null, a pipe: never to be replaced
            with target.open("wb") as raw, compressor(raw, target.suffix) as stream:
                yield stream
            return
        with (
            atomic_write(target.resolve()) as beside,  # where a link points, not the link
            beside.open("wb") as raw,
            compressor(raw, target.suffix) as stream,
        ):
            yield stream
    except OSError as error:  # also a full disk, met by the block's own writing
        raise DataError(
            f"cannot be written ({reason_of(error)})", where=path, todo="check the folder and disk"
        ) from error


def _forget_standard_output() -> None:
    """Let what could not be written go nowhere; Python would try again at its end, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
