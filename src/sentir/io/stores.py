"""Addresses: files of the web and of object stores, through fsspec.

``https://``, ``s3://``, ``gs://``, ``hdfs://``, ``memory://`` and whatever else fsspec opens. Of a
store (all but the web) files can be found by pattern, listed, told from their other versions, and
written. What is written is there whole or not at all.
"""

from __future__ import annotations

import glob
import os
import re
import tempfile
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sentir.errors import DataError, SentirError
from sentir.extras import require
from sentir.io.failures import cannot_open, short_reason

#: Packages by scheme, each of an extra.
_PACKAGES = {
    "http": ("aiohttp",),
    "https": ("aiohttp",),
    "s3": ("s3fs",),
    "s3a": ("s3fs",),
    "gs": ("gcsfs",),
    "gcs": ("gcsfs",),
    "hdfs": ("pyarrow",),
}
#: Stores whose paths start with the name of a bucket, which may be missing.
_BUCKETS = ("s3", "s3a", "gs", "gcs")
_WEB = ("http", "https")
#: Stores whose objects appear when their upload is complete; in others files are renamed.
_WHOLE = (*_BUCKETS, "abfs", "abfss", "az", "memory")
_NOT_FOUND = 404
_KNOWN = (*_WHOLE, *_WEB, "hdfs", "file", "hf")
_JAVA = "install Java and Hadoop's client, and set JAVA_HOME, HADOOP_HOME and CLASSPATH"


def is_address(source: str) -> bool:
    """Whether a source is an address, and not a path."""
    return "://" in source


def address_of(path: str | os.PathLike[str]) -> str | None:
    """The address that a path is, also with one slash, as `pathlib` leaves it; None: it is none."""
    name = os.fspath(path)
    scheme, colon, rest = name.partition(":/")
    if not colon or scheme.lower() not in _KNOWN:
        return None
    return name if rest.startswith("/") else f"{scheme}://{'/' * (scheme == 'file')}{rest}"


def is_stored(source: str) -> bool:
    """Whether it is the address of a store, where files can be listed and written."""
    return is_address(source) and _scheme(source) not in _WEB


def open_address(address: str) -> Any:
    """The bytes of an address as they are stored; the caller closes the stream.

    Raises:
        DataError: nothing is there, or it cannot be opened.
        MissingExtraError: a package that opens such addresses is not installed.
    """
    with _report(address):
        import fsspec

        return fsspec.open(address, "rb").open()


def expand_address(address: str) -> list[str]:
    """The addresses of the files that a pattern means, sorted; an address without one as it is.

    Raises:
        DataError: no file matches, or the store cannot be asked.
        MissingExtraError: as `open_address`.
    """
    if not (is_stored(address) and glob.has_magic(address)):
        return [address]
    with _report(address):
        system, path = _system(address)
        if system.exists(path):  # a file may be called "reviews[1].csv"
            return [address]
        found = system.glob(path, detail=True)
        files = sorted(name for name, info in found.items() if info["type"] == "file")
    if not files:
        raise DataError("no file matches", where=address, todo="check the folder and pattern")
    if not address.endswith(path):  # with two slashes, for example
        return [str(system.unstrip_protocol(file)) for file in files]
    # What comes before the path: the scheme, and of some stores the host.
    start = address.removesuffix(path)
    return [f"{start}{file}" for file in files]


def join(folder: str, name: str) -> str:
    """The path or the address of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}" if is_address(folder) else str(Path(folder) / name)


def exists(address: str) -> bool:
    """Whether a file or a folder is at the address of a store.

    Raises:
        DataError: the store cannot be asked.
        MissingExtraError: as `open_address`.
    """
    with _report(address):
        system, path = _system(address)
        return bool(system.exists(path))


def file_size(address: str) -> int:
    """The size (bytes) of what is at the address of a store; 0 where it does not say.

    Raises:
        DataError: nothing is, or the store cannot be asked.
        MissingExtraError: as `open_address`.
    """
    with _report(address):
        system, path = _system(address)
        return int(system.info(path).get("size") or 0)


def file_sizes(address: str) -> dict[str, int] | None:
    """The files in a folder of a store and below, by name, with their sizes (bytes).

    None if the address is that of a file, or of nothing.

    Raises:
        DataError: the store cannot be asked.
        MissingExtraError: as `open_address`.
    """
    if not is_stored(address):
        return None
    with _report(address):
        system, path = _system(address)
        system.invalidate_cache()
        if not system.isdir(path):
            return None
        prefix = path.rstrip("/") + "/"
        found = system.find(path, detail=True)
        return {
            name.removeprefix(prefix): int(info["size"] or 0)
            for name, info in sorted(found.items())
            if not name.endswith("/")  # what a console leaves as an empty folder
        }


def identity(address: str) -> list[Any]:
    """What changes when the file, or one in the folder, at the address of a store does.

    Raises:
        DataError: nothing is there, or the store cannot be asked.
        MissingExtraError: as `open_address`.
    """
    sizes = file_sizes(address)
    if sizes is not None:
        return [address, [_identity_of_file(join(address, name)) for name in sizes]]
    return _identity_of_file(address)


def _identity_of_file(address: str) -> list[Any]:
    with _report(address):
        system, path = _system(address)
        return [address, file_size(address), system.ukey(path)]


def check_address_writable(address: str) -> None:
    """Find out whether files can be written there, as far as that costs nothing.

    Raises:
        DataError: no such bucket, no credentials, or an address of the web.
        MissingExtraError: as `open_address`.
    """
    if not is_stored(address):
        raise DataError("cannot write to the web", where=address, todo="write a file and copy it")
    with _report(address):
        system, path = _system(address)
        if _scheme(address) in _BUCKETS:
            with suppress(PermissionError):  # who may write need not be allowed to list
                system.info(path.partition("/")[0])


def download(folder: str, names: Collection[str], target: Path) -> None:
    """Copy those of these files that are in a folder of a store.

    Raises:
        DataError: the store cannot be asked.
        MissingExtraError: as `open_address`.
    """
    present = file_sizes(folder) or {}
    for name in names:
        if name in present:
            address = join(folder, name)
            with _report(address):
                system, path = _system(address)
                system.get_file(path, str(target / name))


@contextmanager
def upload(address: str) -> Iterator[Path]:
    """A local place to write a file to; at the end of the block it is copied to the address.

    If the block raises nothing is. Object stores show an object when it is complete; elsewhere it
    is copied beside and renamed.

    Raises:
        DataError: it cannot be written there.
        MissingExtraError: as `open_address`.
    """
    check_address_writable(address)
    with tempfile.TemporaryDirectory(prefix="sentir-") as folder:
        file = Path(folder) / "file"
        yield file
        with _report(address, "cannot be written"):
            system, path = _system(address)
            if _scheme(address) in _WHOLE:
                system.put_file(str(file), path)
                return
            parent, _, name = path.rpartition("/")
            system.makedirs(parent, exist_ok=True)
            beside = f"{parent}/.{name}.{uuid.uuid4().hex[:8]}.part"
            try:
                system.put_file(str(file), beside)
                if system.exists(path):
                    system.rm_file(path)
                system.mv(beside, path)
            except BaseException:
                with suppress(Exception):
                    system.rm_file(beside)
                raise


def _scheme(address: str) -> str:
    return address.partition("://")[0].lower()


def _system(address: str) -> tuple[Any, str]:
    import fsspec

    return fsspec.core.url_to_fs(address)  # type: ignore[no-any-return]


def _lacks_bucket(address: str) -> bool:
    """Whether a store, which has not found a file, has not even its bucket."""
    if _scheme(address) in _BUCKETS:
        with suppress(Exception):  # who may read one file need not be allowed to ask that
            system, path = _system(address)
            return not system.exists(path.partition("/")[0])
    return False


@contextmanager
def _report(address: str, what: str = "") -> Iterator[None]:
    """Turn what fsspec's back ends raise, which is of many types, into one error.

    Args:
        address: what the block works on.
        what: what failed, where it is not opening.

    Raises:
        DataError: the block failed.
        MissingExtraError: a package that opens such addresses is not installed.
    """
    scheme = _scheme(address)
    require(f"an address ({scheme}://)", "fsspec", *_PACKAGES.get(scheme, ()))
    try:
        yield
    except SentirError:
        raise
    except FileNotFoundError as error:  # fsspec raises it for every failed request of the web
        cause = error.__cause__
        status = getattr(cause, "status", 0)
        if scheme in _WEB and isinstance(cause, Exception) and status != _NOT_FOUND:
            raise cannot_open(address, cause) from error
        if _lacks_bucket(address):
            raise DataError("no such bucket", where=address, todo="check its name") from None
        raise DataError("no such file", where=address, todo="check the name") from None
    except ImportError as error:
        raise DataError(
            f"a package is missing ({short_reason(error)})",
            where=address,
            todo="install it, or download the file",
        ) from None
    except Exception as error:
        if scheme == "hdfs" and re.search("libjvm|libhdfs", f"{error} {error.__cause__}"):
            raise DataError(
                f"cannot be opened ({short_reason(error)})", where=address, todo=_JAVA
            ) from error
        failure = cannot_open(address, error)
        if what and failure.what.startswith("cannot be opened"):
            failure = DataError(
                failure.what.replace("cannot be opened", what), where=address, todo=failure.todo
            )
        raise failure from error
