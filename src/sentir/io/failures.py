"""What is said of a path or an address that cannot be opened."""

from __future__ import annotations

from collections.abc import Iterator

from sentir.errors import DataError

_CREDENTIALS = (
    "log in to the store as its own tools do (AWS_PROFILE or AWS_ACCESS_KEY_ID; "
    "GOOGLE_APPLICATION_CREDENTIALS)"
)
#: By the name of an error's class, as the packages of the stores may not be installed: what it
#: means, and what to do.
_OF_STORES = {
    "NoCredentialsError": ("there are no credentials for it", _CREDENTIALS),
    "PartialCredentialsError": ("a part of its credentials is missing", _CREDENTIALS),
    "DefaultCredentialsError": ("there are no credentials for it", _CREDENTIALS),
    "PermissionError": (
        "the store refuses",
        "use credentials that may do this; of a public bucket set FSSPEC_S3_ANON=true or "
        "FSSPEC_GCS_TOKEN=anon",
    ),
}


def short_reason(error: BaseException) -> str:
    """The first line of what the error says."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__


def cannot_open(source: str, error: Exception) -> DataError:
    """The error of a source that cannot be opened."""
    what, todo = "cannot be opened", "check the name, its permissions and the network"
    if "://" in source:
        for cause in causes(error):
            if found := _OF_STORES.get(type(cause).__name__):
                what, todo = found
    return DataError(f"{what} ({short_reason(error)})", where=source, todo=todo)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it: clients wrap some in others that say less."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
