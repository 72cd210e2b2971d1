"""``/admin``, ``/health`` and ``/metrics``."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.types import Receive, Scope, Send

from sentir.errors import BundleError, UsageError, WorkerError
from sentir.serving.errors import RequestError
from sentir.serving.http import Call, send_body
from sentir.serving.service import Service

#: A large model takes a while to load (seconds).
RELOAD_DEADLINE_S = 600


class ReloadRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Unset: all models."""

    model: str | UnsetType = UNSET


async def reload(
    service: Service, request: ReloadRequest, path: dict[str, str], call: Call
) -> dict[str, Any]:
    """``POST /admin/reload``: for each model whether it has changed, and its version now."""
    names = service.models.names() if request.model is UNSET else [request.model]
    try:
        for name in names:
            service.models.get(name)
        reloaded = await service.reload_all(names)
    except (BundleError, UsageError, WorkerError) as error:
        raise RequestError(409, f"not reloaded, the old model goes on: {error}") from None
    return {"models": [one._asdict() for one in reloaded]}


class Ready:
    """200 while the server takes requests, 503 once it is about to end."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_ready = not self._service.is_draining
        content = b'{"ready":true}' if is_ready else b'{"ready":false}'
        await send_body(send, 200 if is_ready else 503, content)


class MetricsPage:
    """Prometheus' text format."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._service.update_metrics()
        kind = b"text/plain; version=0.0.4; charset=utf-8"
        await send_body(send, 200, self._service.metrics.text(), kind=kind)
