"""From a typed request to an answer in JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec
from starlette.types import Receive, Scope, Send

from sentir.serving.http import Call, in_time, read_json, send_json
from sentir.serving.service import Service

T = TypeVar("T")


class JsonEndpoint(Generic[T]):
    """An endpoint that reads and sends JSON.

    Args:
        service: what all endpoints share.
        kind: the type of the request.
        answer: computes the answer from the request, the parameters of the path and the note.
        deadline_s: time for the answer (seconds); None: that of the limits.
        is_queued: whether its texts wait in the queue, so that it is refused where that is full.
    """

    def __init__(
        self,
        service: Service,
        kind: type[T],
        answer: Callable[[T, dict[str, str], Call], Awaitable[Any]],
        deadline_s: float | None = None,
        *,
        is_queued: bool = False,
    ) -> None:
        self.is_queued = is_queued
        self._service, self._answer = service, answer
        self._deadline_s = deadline_s or service.limits.deadline_s
        self._decoder = msgspec.json.Decoder(kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self._service.limits
        if self.is_queued:  # before the body is read: a refusal must cost little
            self._service.check_room()
        request = await read_json(
            scope,
            receive,
            self._decoder,
            max_bytes=limits.max_body_bytes,
            timeout_s=limits.read_timeout_s,
        )
        work = self._answer(request, scope["path_params"], scope["sentir"])
        await send_json(send, await in_time(work, receive, self._deadline_s))


class Getter:
    """An endpoint that only sends JSON."""

    def __init__(self, answer: Callable[[dict[str, str]], Any]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_json(send, self._answer(scope["path_params"]))
