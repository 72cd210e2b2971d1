"""What every request passes: its key is checked, its errors become answers, and it is noted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentir.errors import SentirError
from sentir.serving.errors import RequestError
from sentir.serving.http import CLIENT_GONE, Call, header, send_error
from sentir.serving.service import Service

LOG = logging.getLogger("sentir.serving")
#: What may be got without a key: what load balancers ask, and the page, which asks for the key.
PUBLIC = frozenset(
    ("/", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready", "/health")
)
#: Needs an admin key instead.
ADMIN_PREFIX = "/admin/"


def _digests(keys: Sequence[str]) -> list[bytes]:
    return [hashlib.sha256(key.encode()).digest() for key in keys]


class Gate:
    """The outermost ASGI application.

    Args:
        app: the routes.
        service: what all endpoints share.
        routes: the path of each endpoint's route, for the metrics.
    """

    def __init__(self, app: ASGIApp, service: Service, routes: Mapping[Any, str]) -> None:
        self._app, self._service, self._routes = app, service, routes
        self._keys = _digests(service.options.api_keys)
        self._admin_keys = _digests(service.options.admin_keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status, is_started = time.perf_counter(), 500, False
        call = scope["sentir"] = Call()
        scope["app"] = self  # Starlette raises its errors then, instead of sending text

        async def noting(message: Message) -> None:
            nonlocal status, is_started
            if message["type"] == "http.response.start":
                status, is_started = message["status"], True
                if self._service.is_draining:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            try:
                self._check_key(scope)
                await self._app(scope, receive, noting)
            except RequestError:
                raise
            except HTTPException as error:
                raise _of_starlette(error) from None
            except SentirError as error:
                raise RequestError(422, error.what, where=error.where, todo=error.todo) from None
        except RequestError as error:
            status = error.status
            if error.reason:
                self._service.metrics.refused.labels(error.reason).inc()
            if not (is_started or status == CLIENT_GONE):
                await send_error(noting, error)
        except Exception as error:
            status = 500
            _log_failure(error)
            if not is_started:  # else the connection is closed, and the client knows by that
                await send_error(noting, RequestError(500, "the server failed; its log says where"))
        finally:
            self._note(scope, call, status, time.perf_counter() - start)

    def _check_key(self, scope: Scope) -> None:
        """Compare the key with all that are right, in constant time.

        Raises:
            RequestError: 401, there is no right one; 404, the reload is closed.
        """
        path = scope["path"]
        keys = self._keys
        if path.startswith(ADMIN_PREFIX):
            keys = self._admin_keys
            if not keys:
                raise RequestError(404, "no such path", where=path[:100])
        elif not keys or (path in PUBLIC and scope["method"] in ("GET", "HEAD")):
            return
        digest = hashlib.sha256(_given_key(scope)).digest()
        if sum(hmac.compare_digest(digest, key) for key in keys) == 0:  # all are compared
            raise RequestError(
                401,
                "no key, or a wrong one",
                todo="send the header 'Authorization: Bearer KEY'",
                headers={"www-authenticate": "Bearer"},
            )

    def _note(self, scope: Scope, call: Call, status: int, seconds: float) -> None:
        route = self._routes.get(scope.get("endpoint"), "unknown")
        self._service.metrics.add_request(route, status, seconds)
        options = self._service.options
        if options.log_json:
            entry: dict[str, Any] = {
                "method": scope["method"],
                "route": route,
                "status": status,
                "ms": round(1000 * seconds, 2),
                "model": call.model,
                "texts": len(call.texts),
            }
            if options.log_texts:
                entry["text"] = call.texts
            LOG.info("request", extra={"fields": entry})


def _given_key(scope: Scope) -> bytes:
    """The key in one of three headers; empty if there is none.

    Basic authentication, with any user and the key as password, is what Label Studio can send.
    """
    scheme, _, token = header(scope, b"authorization").partition(b" ")
    if scheme.lower() == b"bearer":
        return token.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(token.strip(), validate=True).partition(b":")[2]
        except ValueError:
            return b""
    return header(scope, b"x-api-key")


def _of_starlette(error: HTTPException) -> RequestError:
    what = {404: "no such path", 405: "no such method for this path"}
    return RequestError(
        error.status_code, what.get(error.status_code, error.detail), headers=error.headers
    )


def _log_failure(error: Exception) -> None:
    """Where it failed; not the message, which may hold a text."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    LOG.error("%s at %s", type(error).__name__, where)
