"""Standard streams as the caller left them: closed, or not waiting when they are full."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sentir.errors import UsageError
from sentir.io.writer import report_standard_output, silence_standard_output


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make it safe to open files, and let standard output wait and replace what it cannot encode.

    Raises:
        UsageError: standard output is closed.
        DataError: what was written to it cannot leave its buffer.
    """
    _open_closed_streams()
    given: Any = sys.stdout
    if given is None:
        raise UsageError(
            "is closed", where="standard output", todo="send it somewhere: > /dev/null"
        )
    output = given
    if isinstance(given, io.TextIOWrapper):
        output = sys.stdout = _waiting(given)
        output.reconfigure(errors="replace")
    try:
        yield
    finally:
        try:
            with report_standard_output():
                output.flush()
        except BrokenPipeError:  # the reader has ended, such as head
            silence_standard_output()  # else Python complains at exit
            sys.exit(1)
        finally:
            sys.stdout = given


def _waiting(stdout: io.TextIOWrapper) -> io.TextIOWrapper:
    buffer: Any = stdout.buffer
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED there is no buffer
    if not isinstance(raw, io.FileIO):
        return stdout
    waits = not hasattr(os, "get_blocking") or os.get_blocking(raw.fileno())
    if waits and raw is not buffer:
        return stdout
    return io.TextIOWrapper(io.BufferedWriter(_WaitingOutput(raw)), encoding=stdout.encoding)


def _open_closed_streams() -> None:
    """Open what the caller has closed (``>&-``) as nothing.

    The next file to be opened would take its number, and what libraries print would be written
    into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


class _WaitingOutput(io.RawIOBase):
    """An output that another program has made refuse what it has no room for (``O_NONBLOCK``).

    Without it the rest of such a write would be lost.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        return bool(self._raw.isatty())

    def write(self, data: Any) -> int:
        while (written := self._raw.write(data)) is None:
            select.select([], [self._raw], [])
        return int(written)
