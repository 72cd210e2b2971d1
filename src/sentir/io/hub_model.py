"""Models of the Hugging Face Hub: the address ``hf://user/model@revision``, and their files here.

The hub's client does the work, so its environment variables apply: ``HF_TOKEN``, ``HF_HOME`` (the
cache), ``HF_ENDPOINT`` (a mirror) and ``HF_HUB_OFFLINE`` (use the cache only). Its errors become a
`HubError`.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sentir.errors import HubError, SentirError, SentirWarning, UsageError
from sentir.extras import require
from sentir.io.failures import causes

_log = logging.getLogger(__name__)

#: With one slash too, as `pathlib` leaves it.
_ADDRESS = re.compile(
    r"hf:/+(?P<repository>[^@]*)(?:@(?P<revision>.*))?", re.IGNORECASE | re.DOTALL
)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
#: What git allows in the name of a branch or tag, and more.
_REVISION = re.compile(r"(?!.*\.\.)[^\s\\~^:?*\[@/][^\s\\~^:?*\[]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LOG_IN = "log in with 'hf auth login', or set HF_TOKEN"
#: Longest part of the hub's own words that is quoted (characters).
_MAX_QUOTED = 200


@dataclass(frozen=True, kw_only=True)
class HubAddress:
    """A model on the Hub.

    Attributes:
        repository: ``user/model``.
        revision: a branch, a tag or a commit.
    """

    repository: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"hf://{self.repository}" + ("" if self.revision == "main" else f"@{self.revision}")


def find_address(path: str | os.PathLike[str]) -> HubAddress | None:
    """The address that a model is given by; None for a folder.

    Raises:
        UsageError: it begins with ``hf:`` and is no address of a model.
    """
    match = _ADDRESS.fullmatch(os.fspath(path))
    if match is None:
        return None
    check_names(match["repository"], match["revision"], where=os.fspath(path))
    revision = match["revision"]
    return HubAddress(
        repository=match["repository"], revision="main" if revision is None else revision
    )


def check_names(repository: str, revision: str | None, *, where: str) -> None:
    """Check the name of a repository and of a revision, if there is one.

    Raises:
        UsageError: one of them cannot be.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError(
            f"{repository!r} is no repository of a model",
            where=where,
            todo="write user/model, and as an address hf://user/model or hf://user/model@revision",
        )
    if revision is not None and not _REVISION.fullmatch(revision):
        raise UsageError(
            f"no revision can be called {revision!r}",
            where=where,
            todo="name a branch, a tag or a commit",
        )


def download(address: HubAddress, names: Collection[str], required: Collection[str]) -> Path:
    """The folder of the model's files in the hub's cache, downloaded unless they are there.

    The commit is logged. Without the network the copy in the cache is taken, and warned of: it may
    not be the latest (`SentirWarning`); not under ``HF_HUB_OFFLINE``, nor for a commit.

    Args:
        address: the model.
        names: the files that are downloaded; no others are.
        required: those of them without which it is no model.

    Raises:
        HubError: it is not there, or not for this user; it lacks a file; or the Hub cannot be
            reached, and the model is not in the cache.
        MissingExtraError: the hub's client is not installed.
    """
    require("a model of the Hugging Face Hub", "huggingface_hub")
    with report_hub(str(address)):
        folder = _in_cache(address, names, required) or _from_hub(address, names, required)
    _log.info("%s: commit %s", address, folder.name)
    return folder


def _in_cache(
    address: HubAddress, names: Collection[str], required: Collection[str]
) -> Path | None:
    """The copy in the cache, if the Hub need not or must not be asked; a commit never changes."""
    from huggingface_hub import constants
    from huggingface_hub.errors import LocalEntryNotFoundError

    if not (constants.HF_HUB_OFFLINE or _COMMIT.fullmatch(address.revision)):
        return None
    try:
        return _snapshot(address, names, required, local=True)
    except (LocalEntryNotFoundError, HubError):  # the latter: a part of it is here
        if constants.HF_HUB_OFFLINE:
            raise
        return None


def _from_hub(address: HubAddress, names: Collection[str], required: Collection[str]) -> Path:
    """The files downloaded; if the Hub cannot be reached, an older copy with a warning."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        # This request has a time limit, which those of snapshot_download lack.
        info = HfApi().model_info(
            address.repository, revision=address.revision, timeout=constants.HF_HUB_ETAG_TIMEOUT
        )
    except Exception as error:
        if not _is_unreachable(error):
            raise
        try:
            folder = _snapshot(address, names, required, local=True)
        except LocalEntryNotFoundError:
            raise error from None
        warnings.warn(
            f"{address}: the Hub cannot be reached; the copy of commit {folder.name} is used, "
            "which may not be the latest",
            SentirWarning,
            stacklevel=2,
        )
        return folder
    _check_present(address, {file.rfilename for file in info.siblings or ()}, required)
    return _snapshot(address, names, required, local=False)


def _snapshot(
    address: HubAddress, names: Collection[str], required: Collection[str], *, local: bool
) -> Path:
    from huggingface_hub import snapshot_download

    folder = Path(
        snapshot_download(
            address.repository,
            revision=address.revision,
            allow_patterns=list(names),
            local_files_only=local,
        )
    )
    _check_present(address, {path.name for path in folder.iterdir()}, required)
    return folder


def _check_present(
    address: HubAddress, present: Collection[str], required: Collection[str]
) -> None:
    """Before anything is downloaded of a model that is not ours.

    Raises:
        HubError: a file is missing.
    """
    missing = [name for name in required if name not in present]
    if missing:
        raise HubError(
            f"no model of Sentir, as it lacks {', '.join(missing)}",
            where=str(address),
            todo="check the name and the revision; 'sentir push' uploads one",
        )


@contextmanager
def report_hub(where: str) -> Iterator[None]:
    """Around work of the hub's client.

    Args:
        where: what it works on.

    Raises:
        HubError: it failed.
    """
    try:
        yield
    except (SentirError, SentirWarning):  # the latter where warnings are errors
        raise
    except Exception as error:  # the client's, its HTTP client's and the disk's errors are many
        what, todo = _explain(error)
        raise HubError(what, where=where, todo=todo) from error


def _explain(error: Exception) -> tuple[str, str | None]:
    """What happened, and what to do about it."""
    for cause in causes(error):
        found = _explain_one(cause)
        if found is not None:
            return found
    words = str(cause).strip().partition("\n")[0][:_MAX_QUOTED]
    return f"the Hub's client failed ({type(cause).__name__}: {words})", "try again later"


def _explain_one(error: BaseException) -> tuple[str, str | None] | None:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "gated: its owner decides who may read it", f"ask on its page, then {_LOG_IN}"
    if isinstance(error, errors.RevisionNotFoundError):
        return "no such revision", "check the name of the branch, the tag or the commit"
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            "no such model on the Hub, or a private one",
            f"check the name; for a private one {_LOG_IN}",
        )
    if isinstance(error, errors.HfHubHTTPError):
        return _explain_status(error)
    names = {kind.__name__ for kind in type(error).__mro__}
    # Of the HTTP client, whose package has another name in other versions of the hub's client.
    if "TimeoutException" in names:
        return "the Hub did not answer in time", "try again later"
    if "TransportError" in names:
        return (
            f"the Hub cannot be reached ({error})",
            "check the network; HF_ENDPOINT names a mirror",
        )
    if isinstance(error, errors.LocalEntryNotFoundError):
        # Only the word of this is ours: without a network, the cause is a transport error.
        return (
            None
            if error.__cause__ is not None and not _is_offline(error.__cause__)
            else ("not in the cache, and HF_HUB_OFFLINE is set", "unset it to download the model")
        )
    if _is_offline(error):
        return "HF_HUB_OFFLINE is set", "unset it to reach the Hub"
    return None


def _explain_status(error: Exception) -> tuple[str, str | None]:
    """What a status of HTTP means here."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", 0)
    said = (getattr(error, "server_message", None) or "").strip().partition("\n")[0][:_MAX_QUOTED]
    if status == 401:
        return "the Hub does not know this token", _LOG_IN
    if status == 403:
        return f"the Hub refuses ({said or 'forbidden'})", "use a token that may do this"
    if status == 429:
        return "too many requests to the Hub", "wait some minutes"
    if status >= 500:
        return f"the Hub answered {status}", "try again later"
    return f"the Hub refuses ({said or status})", None


def _is_unreachable(error: BaseException) -> bool:
    """Whether the fault is the network's or the Hub's, so that it says nothing about the model."""
    names = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", 0)
    return "TransportError" in names or status >= 500


def _is_offline(error: BaseException | None) -> bool:
    return type(error).__name__ == "OfflineModeIsEnabled"
