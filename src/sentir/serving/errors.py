"""Errors of requests: what was wrong with one, and the HTTP status that says so."""

from __future__ import annotations

from collections.abc import Mapping

from sentir.errors import SentirError


class RequestError(SentirError):
    """A request that is not answered.

    Args:
        status: the HTTP status, 400 to 599.
        what, where, todo: as for every `SentirError`.
        headers: headers of the answer, such as ``retry-after``.
        close: whether the connection is closed, because the body does not come.
        reason: one word for the metrics, if the request was refused by a limit.
    """

    def __init__(
        self,
        status: int,
        what: str,
        *,
        where: str | None = None,
        todo: str | None = None,
        headers: Mapping[str, str] | None = None,
        close: bool = False,
        reason: str | None = None,
    ) -> None:
        super().__init__(what, where=where, todo=todo)
        self.status, self.headers = status, dict(headers or {})
        self.close, self.reason = close, reason


def queue_full(queued: int, limit: int, retry_after_s: int) -> RequestError:
    """503: texts wait already, as many as may."""
    return RequestError(
        503,
        f"the queue is full ({queued:,} of {limit:,} texts)",
        todo=f"try again in {retry_after_s} s",
        headers={"retry-after": str(retry_after_s)},
        reason="queue_full",
    )


def deadline_passed(deadline_s: float) -> RequestError:
    """504: the answer was not ready in time."""
    return RequestError(
        504,
        f"no answer within {deadline_s:g} s",
        todo="send fewer texts at a time",
        reason="deadline",
    )
