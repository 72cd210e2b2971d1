"""Reading requests and sending answers, for endpoints that are plain ASGI applications.

Starlette's `Request` and `Response` are not used here: they cost more than the answer does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope, Send

from sentir.serving.errors import RequestError, deadline_passed

T = TypeVar("T")
JSON = b"application/json"
#: What curl's ``-d`` calls any body.
FORM = b"application/x-www-form-urlencoded"
#: In the scope of a request whose body has been received.
WHOLE = "sentir.whole"
#: What nginx calls a request whose client went away.
CLIENT_GONE = 499
#: Time before the server begins to look whether a client is still there (seconds); longer than the
#: queue takes when it is full, as that costs 15 us per request.
_PATIENCE_S = 1.0

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Call:
    """What is noted of one request, for logs and metrics."""

    model: str | None = None
    texts: list[str] = field(default_factory=list)


def header(scope: Scope, name: bytes) -> bytes:
    """The value of a header, named in lower case; empty if it is absent."""
    for key, value in scope["headers"]:
        if key == name:
            content: bytes = value
            return content
    return b""


def media_type(scope: Scope) -> bytes:
    """The content type without its parameters, in lower case."""
    return header(scope, b"content-type").partition(b";")[0].strip().lower()


def check_encoding(scope: Scope) -> None:
    """Refuse a compressed body.

    Raises:
        RequestError: 415.
    """
    if header(scope, b"content-encoding").lower() not in (b"", b"identity"):
        raise RequestError(415, "a compressed body", todo="send it uncompressed")


def query(scope: Scope, *known: str) -> dict[str, str]:
    """The parameters of the query.

    Raises:
        RequestError: 422, one is unknown, or occurs twice.
    """
    values: dict[str, str] = {}
    for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name not in known:
            raise RequestError(
                422, "unknown parameter", where=name[:100], todo=f"known are {', '.join(known)}"
            )
        if name in values:
            raise RequestError(422, "given twice", where=name, todo="leave one")
        values[name] = value
    return values


def flag(values: Mapping[str, str], name: str) -> bool:
    """A parameter that is true or false; false if it is absent.

    Raises:
        RequestError: 422, it is neither.
    """
    value = values.get(name, "false").lower()
    if value not in ("true", "false"):
        raise RequestError(422, f"{value[:100]!r} is neither true nor false", where=name)
    return value == "true"


async def body_parts(
    scope: Scope, receive: Receive, max_bytes: int, take: Callable[[bytes], object]
) -> None:
    """Hand over a body part by part, counting its bytes.

    Raises:
        RequestError: 413, it is larger; 499, the client went away.
    """
    length = header(scope, b"content-length")
    if length.isdigit() and int(length) > max_bytes:
        raise _too_large(max_bytes)
    count, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(CLIENT_GONE, "the client went away")
        part = message.get("body", b"")
        count += len(part)
        if count > max_bytes:
            raise _too_large(max_bytes)
        take(part)
        more = message.get("more_body", False)


def too_slow(timeout_s: float) -> RequestError:
    """408: the body did not come in time."""
    return RequestError(
        408, f"the body was not there after {timeout_s:g} s", close=True, reason="slow_client"
    )


def _too_large(max_bytes: int) -> RequestError:
    return RequestError(
        413, f"the body has more than {max_bytes:,} bytes", todo="send it in parts",
        reason="too_large",
    )  # fmt: skip


def _not_json(given: bytes) -> RequestError:
    """415: the content type is another one."""
    return RequestError(
        415, f"content-type {given.decode('latin-1')[:100]!r}",
        todo="send a JSON object with the header 'content-type: application/json'",
    )  # fmt: skip


async def read_json(
    scope: Scope,
    receive: Receive,
    kind: msgspec.json.Decoder[T],
    *,
    max_bytes: int,
    timeout_s: float,
) -> T:
    """The body of a request.

    JSON that curl calls a form is read too, but not from pages: those of other sites may send forms
    without asking this server first, and their browsers name the site as ``Origin``.

    Raises:
        RequestError: 415, it is not called JSON; 400, it is not JSON; 422, it lacks a field, or
            has an unknown one, or one of another type; and as `body_parts`.
    """
    given = media_type(scope)
    is_form = given == FORM and not header(scope, b"origin")
    if given not in (JSON, b"") and not is_form:  # Triton's client names none
        raise _not_json(given)
    check_encoding(scope)
    parts: list[bytes] = []
    try:
        # Most bodies have come with their head, and need no timer.
        async with nullcontext() if WHOLE in scope else asyncio.timeout(timeout_s):
            await body_parts(scope, receive, max_bytes, parts.append)
    except TimeoutError:
        raise too_slow(timeout_s) from None
    try:
        return kind.decode(b"".join(parts))
    except msgspec.ValidationError as error:
        raise RequestError(422, str(error)) from None
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError is a ValueError
        if is_form:
            raise _not_json(given) from None
        raise RequestError(400, f"not JSON ({error})", todo="send one JSON object") from None


async def send_body(
    send: Send, status: int, content: bytes, *headers: tuple[bytes, bytes], kind: bytes = JSON
) -> None:
    """Send a whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", kind),
                (b"content-length", str(len(content)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": content})


async def send_json(send: Send, answer: Any) -> None:
    """Send an answer as JSON."""
    await send_body(send, 200, _encode(answer))


async def send_error(send: Send, error: RequestError, message: str | None = None) -> None:
    """Send an error as JSON: ``{"error": "where: what; what to do"}``."""
    headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    if error.close:
        headers.append((b"connection", b"close"))
    await send_body(send, error.status, _encode({"error": message or str(error)}), *headers)


async def in_time(work: Awaitable[T], receive: Receive, deadline_s: float) -> T:
    """What the work returns; it is cancelled if it takes too long, or the client goes away.

    Raises:
        RequestError: 504, it took too long; 499, the client went away.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    error: RequestError | None = None
    watcher: asyncio.Task[None] | None = None
    patience_s = min(_PATIENCE_S, deadline_s)
    timer: asyncio.TimerHandle

    def give_up(reason: RequestError) -> None:
        nonlocal error
        error = reason
        task.cancel()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        give_up(RequestError(CLIENT_GONE, "the client went away"))

    def look() -> None:  # most answers are there before that, and pay for one timer only
        nonlocal timer, watcher
        watcher = loop.create_task(watch())
        timer = loop.call_later(
            deadline_s - patience_s, lambda: give_up(deadline_passed(deadline_s))
        )

    timer = loop.call_later(patience_s, look)
    try:
        return await work
    except asyncio.CancelledError:
        if error is None:
            raise
        task.uncancel()
        raise error from None
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()
