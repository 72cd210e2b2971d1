"""Files of a folder that a stranger may have made: regular ones of a bounded size, or none.

A pipe would be waited for, a device read for ever, a file of a terabyte (which takes no room on a
disk if it is sparse) read into memory.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from sentir.errors import BundleError

#: What to do about a file of a bundle that is not as it was written.
COPY_AGAIN = "copy the whole folder again"


@contextmanager
def open_regular(path: Path, max_bytes: int | None = None) -> Iterator[tuple[BufferedReader, int]]:
    """The file, open for reading, and its size in bytes.

    Raises:
        BundleError: it is absent, is a pipe, a device or a folder, cannot be read or is larger than
            `max_bytes`.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BundleError("not a file", where=str(path), todo=COPY_AGAIN)
        if max_bytes is not None and status.st_size > max_bytes:
            raise BundleError(
                f"{status.st_size:,} bytes, more than the {max_bytes:,} that it may have",
                where=str(path),
                todo=COPY_AGAIN,
            )
        with path.open("rb") as file:
            yield file, status.st_size
    except FileNotFoundError:
        raise BundleError("no such file", where=str(path), todo=COPY_AGAIN) from None
    except OSError as error:
        raise unreadable(path, error) from None


def read_regular(path: Path, max_bytes: int) -> str:
    """The text of the file, which is UTF-8.

    Raises:
        BundleError: as `open_regular`.
        UnicodeDecodeError: it is not UTF-8.
    """
    with open_regular(path, max_bytes) as (file, _):
        return file.read().decode("utf-8")


def checksum(path: Path, max_bytes: int | None = None) -> str:
    """The SHA-256 of the file, as ``sha256:`` and 64 hexadecimal digits.

    Raises:
        BundleError: as `open_regular`.
    """
    with open_regular(path, max_bytes) as (file, _):
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def unreadable(path: Path, error: OSError) -> BundleError:
    """The error of a file or folder that the system does not let us read."""
    return BundleError(
        f"cannot be read ({error.strerror or error})", where=str(path), todo="check its permissions"
    )
