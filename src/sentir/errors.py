"""The errors a caller can meet, all of one family.

::

    SentirError
    ├── ConfigError        a setting that cannot be, or a name that is not one
    ├── DataError          a file, a row or a label that cannot be read
    ├── BundleError        a model folder that is absent, damaged or of an unknown version
    ├── HubError           the Hugging Face Hub cannot be reached, or refuses
    ├── DeviceError        a device that is not there, or that computes something else than the CPU
    ├── UsageError         a call that cannot mean what it says (a bare string for a list of texts)
    │   └── FinishedRunError   a run to go on with, which has finished
    ├── WorkerError        a process that shared the work and ended before its time
    └── MissingExtraError  an optional package that is not installed

    SentirWarning          something that may falsify a result

Each message reads ``where: what was got; what to do``. The command line prints it without a
traceback and exits with 2.
"""

from __future__ import annotations

import copy
import copyreg
from typing import Any, Self

#: Longest part of a message (characters): it may quote a field of a file, and that be a megabyte.
MAX_PART = 1000


class SentirError(Exception):
    """What was got, where, and what to do about it.

    Of a part longer than `MAX_PART` the middle is left out.

    Args:
        what: what was got that cannot be used.
        where: the place, such as ``reviews.csv:418`` or a setting's name.
        todo: what the reader of the message can do.

    Attributes:
        is_reported: another process, which shares the work, reports the same error.
    """

    is_reported = False

    def __init__(self, what: str, *, where: str | None = None, todo: str | None = None) -> None:
        what, where, todo = _shortened(what), where and _shortened(where), todo and _shortened(todo)
        super().__init__(_message(what, where, todo))
        self.what, self.where, self.todo = what, where, todo

    def at(self, where: str) -> Self:
        """The same error, at this place."""
        error = copy.copy(self)
        error.where, error.args = where, (_message(self.what, where, self.todo),)
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        # Between processes by what it holds, as a kind's own __init__ may take something else.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


def _message(what: str, where: str | None, todo: str | None) -> str:
    return (f"{where}: " if where else "") + what + (f"; {todo}" if todo else "")


def _shortened(part: str) -> str:
    half = MAX_PART // 2
    return part if len(part) <= MAX_PART else f"{part[:half]} [...] {part[-half:]}"


class SentirWarning(UserWarning):
    """Something that may falsify a result, though the work goes on.

    Raised as an error by ``warnings.simplefilter("error", sentir.SentirWarning)``.
    """


class ConfigError(SentirError):
    """A setting that cannot be, or a name that is not one."""


class DataError(SentirError):
    """A file, a row or a label that cannot be read."""


class BundleError(SentirError):
    """A model folder that is absent, damaged or of an unknown version."""


class HubError(SentirError):
    """The Hugging Face Hub cannot be reached, or refuses."""


class DeviceError(SentirError):
    """A device that is not there, or that computes something else than the CPU."""


class UsageError(SentirError):
    """A call that cannot mean what it says."""


class FinishedRunError(UsageError):
    """A run that shall go on if it has begun, and has finished."""


class WorkerError(SentirError):
    """A process that shared the work and ended before its time."""


def install_command(extra: str) -> str:
    """What installs an extra."""
    return f"pip install 'sentir[{extra}]'"


class MissingExtraError(SentirError):
    """An optional package that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            todo=install_command(extra),
        )
