"""Large files of a hub's data set, downloaded so that an interrupted download goes on.

The hub's client starts a file again when its process has ended. Here the received part of a file
is kept beside the cache's blobs; the complete file becomes a blob, which the client then finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

#: Bytes that are read at once to check a file.
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """A file of a data set at one commit, and how much of it is here."""

    name: str
    commit: str
    size_bytes: int
    present_bytes: int


def list_files(repository: str, patterns: Sequence[str]) -> list[HubFile]:
    """The files whose names match, with what the cache holds of each.

    Raises:
        Exception: of the hub's client: the hub cannot be reached or refuses.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache
    from huggingface_hub.hf_api import RepoFile

    api = HfApi()
    commit = api.repo_info(repository, repo_type="dataset", revision="main").sha or "main"
    tree = api.list_repo_tree(repository, repo_type="dataset", revision=commit, recursive=True)
    files = []
    for entry in tree:
        if not isinstance(entry, RepoFile) or not any(fnmatch(entry.path, p) for p in patterns):
            continue
        cached = try_to_load_from_cache(
            repository, entry.path, repo_type="dataset", revision=commit
        )
        part = _part(repository, commit, entry.path)
        if isinstance(cached, str):
            present_bytes = entry.size
        else:
            present_bytes = part.stat().st_size if part.exists() else 0
        files.append(
            HubFile(
                name=entry.path, commit=commit, size_bytes=entry.size, present_bytes=present_bytes
            )
        )
    return files


def resume(repository: str, files: Sequence[HubFile]) -> None:
    """Download what is missing of these files, and hand them to the cache of the hub's client.

    Raises:
        Exception: of the hub's client: the download was interrupted. What arrived is kept.
        OSError: what arrived is not the file.
    """
    from filelock import FileLock
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    for file in files:
        part = _part(repository, file.commit, file.name)
        if file.present_bytes == file.size_bytes and not part.exists():  # in the cache
            continue
        part.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{part}.lock"):
            url = hf_hub_url(repository, file.name, repo_type="dataset", revision=file.commit)
            metadata = get_hf_file_metadata(url)
            blob = part.parent.parent / "blobs" / str(metadata.etag)
            if blob.exists():  # another process was first
                continue
            with part.open("ab") as stream:
                http_get(
                    metadata.location, stream, resume_size=stream.tell(),
                    headers=build_hf_headers(), expected_size=metadata.size,
                    displayed_filename=file.name,
                )  # fmt: skip
            if not _is_whole(part, str(metadata.etag)):
                part.unlink()
                raise OSError(f"{file.name}: the bytes that arrived are not those of the file")
            blob.parent.mkdir(parents=True, exist_ok=True)
            part.replace(blob)


def _part(repository: str, commit: str, name: str) -> Path:
    """Where the received part of a file is kept."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = repo_folder_name(repo_id=repository, repo_type="dataset")
    key = hashlib.sha256(f"{commit}/{name}".encode()).hexdigest()[:16]
    return Path(constants.HF_HUB_CACHE) / folder / "parts" / key


def _is_whole(path: Path, etag: str) -> bool:
    """Whether the content is that of the etag: a sha256 for large files, else a git hash."""
    digest = hashlib.sha256() if len(etag) == 64 else hashlib.sha1(usedforsecurity=False)
    if len(etag) == 40:
        digest.update(f"blob {path.stat().st_size}\0".encode())
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest() == etag
