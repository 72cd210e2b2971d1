"""Folders, zip and tar archives as files by name, read one after the other and never extracted."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from sentir.errors import DataError
from sentir.io.failures import cannot_open, short_reason
from sentir.io.stores import file_sizes, is_address, join
from sentir.io.streams import Input, decompressed, open_raw

_DAMAGED = "download it again, or unpack it and name the files in it"
#: Longest extended header of a tar archive (bytes): names and times.
_MAX_TAR_HEADER_BYTES = 1 << 20
_END_OF_ARCHIVE: Any = tarfile.EOFHeaderError  # type: ignore[attr-defined]
_EXTENDED = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)


class Container(Protocol):
    """What holds files.

    Attributes:
        name: its name in errors; a file in it is ``name:file``.
        folder_name: name of the folder that holds the files; empty if it is none.
    """

    name: str
    folder_name: str

    def sizes(self) -> dict[str, int]:
        """The files in it with their sizes (bytes), in their order.

        Raises:
            DataError: it is damaged or cannot be read, or two files have one name.
        """

    def open_each(self, names: Collection[str]) -> Iterator[tuple[str, Input]]:
        """These files, decompressed, in their order; each is valid until the next one is taken.

        Raises:
            DataError: one is encrypted, damaged or cannot be read.
        """


class Folder:
    """A folder of files; links to folders, and broken ones, count as empty files."""

    def __init__(self, path: str) -> None:
        self.name, self._path = path, Path(path)
        self.folder_name = self._path.resolve().name

    def sizes(self) -> dict[str, int]:
        def fail(error: OSError) -> None:
            raise cannot_open(str(error.filename or self.name), error)

        files: dict[str, int] = {}
        for folder, inner, names in os.walk(self._path, onerror=fail):
            inner.sort()
            for path in sorted(Path(folder) / name for name in (*names, *inner)):
                if path.is_file() or path.is_symlink():
                    size = path.stat().st_size if path.is_file() else 0
                    files[path.relative_to(self._path).as_posix()] = size
        return files

    def open_each(self, names: Collection[str]) -> Iterator[tuple[str, Input]]:
        for name in names:
            path = str(self._path / name)
            with decompressed(open_raw(path), path, can_seek=True) as stream:
                yield name, stream


class StoreFolder:
    """A folder of a store.

    Args:
        address: of the folder.
        sizes: what `sentir.io.stores.file_sizes` returns.
    """

    def __init__(self, address: str, sizes: dict[str, int]) -> None:
        self.name, self._sizes = address, sizes
        self.folder_name = address.rstrip("/").rpartition("/")[2]

    def sizes(self) -> dict[str, int]:
        return self._sizes

    def open_each(self, names: Collection[str]) -> Iterator[tuple[str, Input]]:
        for name in names:
            address = join(self.name, name)
            with decompressed(open_raw(address), address, can_seek=True) as stream:
                yield name, stream


def folder_at(path: str) -> Folder | StoreFolder | None:
    """The folder at a path or an address of a store; None if there is none."""
    if not is_address(path):
        return Folder(path) if Path(path).is_dir() else None
    sizes = file_sizes(path)
    return None if sizes is None else StoreFolder(path, sizes)


class Zip:
    """A zip archive.

    Raises:
        DataError: it is damaged.
    """

    folder_name = ""

    def __init__(self, stream: Input) -> None:
        self.name = stream.name
        try:
            self._archive = zipfile.ZipFile(stream.random_access())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise _damaged(self.name, "zip", error) from error

    def names(self) -> list[str]:
        """The names of all members, folders too."""
        return self._archive.namelist()

    def read_start(self, name: str, size_bytes: int) -> bytes:
        """The first bytes of a member; none if there is no such member or it cannot be read."""
        try:
            with self._archive.open(name) as member:
                return member.read(size_bytes)
        except Exception:  # each decompressor raises its own types
            return b""

    def sizes(self) -> dict[str, int]:
        return _by_name(
            ((member.filename, member.file_size) for member in self._files()), self.name
        )

    def _files(self) -> list[zipfile.ZipInfo]:
        # Not `is_dir`, which fails at an empty name.
        return [one for one in self._archive.infolist() if not one.filename.endswith("/")]

    def open_each(self, names: Collection[str]) -> Iterator[tuple[str, Input]]:
        wanted = set(names)
        for member in self._files():
            if member.filename not in wanted:
                continue
            where = f"{self.name}:{member.filename}"
            if member.flag_bits & 1:
                todo = "unpack the archive with its password, and name the files in it"
                raise DataError("is encrypted", where=where, todo=todo)
            try:
                raw = self._archive.open(member)
            except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
                raise _damaged(where, "zip", error) from error
            with raw, decompressed(_Failing(raw, where, "zip"), where) as stream:
                yield member.filename, stream


class Tar:
    """A tar archive, read from its start each time.

    Args:
        name: its name in errors.
        open_again: opens its decompressed bytes.
    """

    folder_name = ""

    def __init__(self, name: str, open_again: Callable[[], Input]) -> None:
        self.name, self._open = name, open_again

    def sizes(self) -> dict[str, int]:
        return _by_name(((member.name, member.size) for member, _ in self._members()), self.name)

    def open_each(self, names: Collection[str]) -> Iterator[tuple[str, Input]]:
        wanted = set(names)
        for member, archive in self._members():
            if member.name in wanted:
                raw: Any = archive.extractfile(member)
                where = f"{self.name}:{member.name}"
                with raw, decompressed(_Failing(raw, where, "tar"), where) as stream:
                    yield member.name, stream

    def _members(self) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
        """The regular files; links, devices and files with holes are left out."""
        with self._open() as stream:
            file: Any = _Ending(stream)
            try:
                with closing(
                    tarfile.open(fileobj=file, mode="r|", tarinfo=_CheckedHeader, errorlevel=2)
                ) as archive:
                    for member in archive:
                        if member.isreg() and not member.issparse():
                            yield member, archive
                        archive.members = []  # type: ignore[attr-defined]  # it keeps every header it has read
            except (tarfile.TarError, EOFError, ValueError) as error:
                raise _damaged(self.name, "tar", error) from error
            while block := stream.read_block():
                if block.strip(b"\0"):
                    raise DataError(
                        "data after the end of the tar archive (two archives joined?)",
                        where=self.name,
                        todo="unpack it, and name the files in it",
                    )


class _Ending:
    """A stream whose end is an error when it is read again and again.

    A header may name any size, and tarfile would skip so many bytes, block by block.
    """

    _MAX_ENDS = 8

    def __init__(self, stream: Input) -> None:
        self._stream, self._ends = stream, 0

    def read(self, size_bytes: int) -> bytes:
        block = self._stream.read(size_bytes) or b""
        self._ends += not block
        if self._ends > self._MAX_ENDS:
            raise EOFError("it ends within a file")
        return block


class _CheckedHeader(tarfile.TarInfo):
    """A header whose damage is an error: tarfile takes it for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _CheckedHeader:
        try:
            header: _CheckedHeader = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if isinstance(error, _END_OF_ARCHIVE):
                raise
            raise tarfile.ReadError(f"{error}") from None
        if header.type in _EXTENDED and header.size > _MAX_TAR_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {header.size:,} bytes")
        return header


class _Failing:
    """A member whose failures are errors of the archive."""

    def __init__(self, raw: Any, where: str, kind: str) -> None:
        self._raw, self._where, self._kind = raw, where, kind

    def read(self, size_bytes: int) -> bytes:
        try:
            block: bytes = self._raw.read(size_bytes)
        except DataError:
            raise
        except Exception as error:  # of the archive's module, of its decompressors
            raise _damaged(self._where, self._kind, error) from error
        return block

    def close(self) -> None:
        self._raw.close()


def _by_name(members: Iterable[tuple[str, int]], where: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, size in members:
        if name in sizes:  # `tar --append` adds a new version of a file to the old one
            todo = "unpack it, and name the files in it"
            raise DataError("two files have this name", where=f"{where}:{name}", todo=todo)
        sizes[name] = size
    return sizes


def _damaged(where: str, kind: str, error: Exception) -> DataError:
    reason = short_reason(error)
    return DataError(f"the {kind} archive is damaged ({reason})", where=where, todo=_DAMAGED)
