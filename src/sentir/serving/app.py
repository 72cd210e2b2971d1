"""The ASGI application: every path and what answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from sentir.serving.endpoints import admin, files, label_studio, predict, v2
from sentir.serving.endpoints.endpoint import Getter, JsonEndpoint
from sentir.serving.gate import Gate
from sentir.serving.openapi import description
from sentir.serving.service import Service
from sentir.serving.webpage import ByMethod, Page

#: What computes its answer in the batcher.
_QUEUED = (predict.predict, predict.hosted, v2.infer, label_studio.predict)


def make_routes(service: Service) -> list[Route]:
    """Every path."""

    def post(kind: type, answer: Any, deadline_s: float | None = None) -> JsonEndpoint[Any]:
        queued = answer in _QUEUED
        return JsonEndpoint(service, kind, partial(answer, service), deadline_s, is_queued=queued)

    described = description(service.limits)
    posts: list[tuple[str, Any]] = [
        ("/v1/predict", post(predict.PredictRequest, predict.predict)),
        ("/v1/explain", post(predict.ExplainRequest, predict.explain)),
        ("/v1/files", files.Files(service)),
        *(
            (f"/v2/models/{{model}}{version}/infer", post(v2.InferRequest, v2.infer))
            for version in ("", "/versions/{version}")
        ),
        ("/models/{model}", post(predict.HostedRequest, predict.hosted)),
        *(
            (f"{prefix}/{name}", post(kind, answer))
            for prefix in ("", "/label-studio/{model}")
            for name, kind, answer in (
                ("predict", label_studio.PredictRequest, label_studio.predict),
                ("setup", label_studio.SetupRequest, label_studio.setup),
                ("webhook", label_studio.Event, label_studio.webhook),
            )
        ),
        ("/admin/reload", post(admin.ReloadRequest, admin.reload, admin.RELOAD_DEADLINE_S)),
    ]
    gets: list[tuple[str, Any]] = [
        ("/v1/models", Getter(partial(predict.list_models, service))),
        ("/health/live", Getter(lambda path: {"live": True})),
        ("/health/ready", admin.Ready(service)),
        ("/health", Getter(partial(label_studio.health, service))),
        ("/label-studio/{model}/health", Getter(partial(label_studio.health, service))),
        ("/v2", Getter(v2.server_metadata)),
        ("/v2/health/live", Getter(lambda path: {"live": True})),
        ("/v2/health/ready", admin.Ready(service)),
        *(
            (f"/v2/models/{{model}}{version}{end}", Getter(partial(answer, service)))
            for version in ("", "/versions/{version}")
            for end, answer in (("", v2.model_metadata), ("/ready", v2.model_ready))
        ),
        ("/openapi.json", Getter(lambda path: described)),
        ("/metrics", admin.MetricsPage(service)),
    ]
    home = ByMethod(Page(), post(predict.HostedRequest, predict.hosted))
    return [
        Route("/", home, methods=["GET", "POST"]),
        *(Route(path, endpoint, methods=["POST"]) for path, endpoint in posts),
        *(Route(path, endpoint, methods=["GET"]) for path, endpoint in gets),
    ]


def make_app(service: Service, routes: Sequence[Route]) -> ASGIApp:
    """The whole application; it closes the service when the server ends."""

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        service.close()

    router = Router(routes, redirect_slashes=False, lifespan=lifespan)
    app: ASGIApp = Gate(router, service, {route.endpoint: route.path for route in routes})
    if service.options.cors_origins:
        app = CORSMiddleware(  # outermost, so that a page can read errors too
            app,
            allow_origins=service.options.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-api-key"],
        )
    return app
