"""The ASGI application: all operations, their description, and nothing between a request and its handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from aquatint.api import docs_page, openapi, problems
from aquatint.api.dialects.openai import operations as openai_operations
from aquatint.api.dialects.openai import routes as openai_routes
from aquatint.api.dialects.openai.problems import TASK_ID
from aquatint.api.observed import Observed
from aquatint.api.operations import Operation
from aquatint.api.routes import callbacks, catalog, deliveries, events, files, operator, overview, tasks
from aquatint.api.routes.metrics import MetricsRoutes
from aquatint.telemetry import Metrics

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]
Ready = Callable[[], Awaitable[str]]  # empty when requests can be served, else why not


@dataclass(frozen=True, slots=True)
class Routes:
    """The handlers of every noun."""

    tasks: tasks.TaskRoutes
    events: events.EventRoutes
    deliveries: deliveries.DeliveryRoutes
    files: files.FileRoutes
    catalog: catalog.CatalogRoutes
    callbacks: callbacks.CallbackRoutes
    operator: operator.OperatorRoutes
    overview: overview.OverviewRoutes
    openai: openai_routes.OpenAIRoutes

    def operations(self) -> list[Operation]:
        return [
            *tasks.operations(self.tasks),
            *events.operations(self.events),
            *deliveries.operations(self.deliveries),
            *files.operations(self.files),
            *catalog.operations(self.catalog),
            *operator.operations(self.operator),
            *overview.operations(self.overview),
            *openai_operations.operations(self.openai),
        ]


class _App(Starlette):
    """Starlette, observed from outside of everything that it does, which also is the last net."""

    def __init__(self, metrics: Metrics, **options: Any) -> None:
        self._metrics = metrics
        super().__init__(**options)

    def build_middleware_stack(self) -> ASGIApp:
        stack: ASGIApp = self.router
        if self.user_middleware:  # it must see refusals as the answers that they become
            stack = ExceptionMiddleware(stack, handlers={HTTPException: _refuse})
        for kind, args, options in reversed(self.user_middleware):
            stack = kind(stack, *args, **options)
        return Observed(stack, self.routes, self._metrics, problems.refused, problems.broken)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this type only
    return problems.refused(error)


def build(
    routes: Routes | None,
    lifespan: Lifespan,
    ready: Ready,
    cors_origins: Sequence[str],
    version: str,
    metrics: Metrics,
    shown: MetricsRoutes | None,
    stopping: Callable[[], None],
    home: str | None = "/docs",
) -> Starlette:
    """The application. `lifespan` opens what the handlers use and closes it again.

    Without routes it only says how the process is: what a worker answers. `metrics` counts the requests, and `shown`
    is who may read it, None: nobody. `home` is where the root leads, None when others add it. Whoever
    serves the application calls `stopping` when it begins to stop: answers that go on for ever end by it.
    """
    document = openapi.document(routes.operations(), version) if routes is not None else {}
    app = _App(
        metrics,
        routes=[
            *_health(ready),
            *(shown.routes() if shown is not None else ()),
            *(_pages(routes, document, home) if routes is not None else ()),
        ],
        middleware=_middleware(cors_origins),
        lifespan=lifespan,
    )
    app.state.openapi = document
    app.state.broken = False  # set when one of the loops ends by an error
    app.state.stopping = stopping
    return app


def _health(ready: Ready) -> list[Route]:
    async def healthy(request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readiness(request: Request) -> Response:
        why_not = await ready()
        return PlainTextResponse(why_not or "ok", 503 if why_not else 200)

    return [Route("/healthz", healthy), Route("/readyz", readiness)]


def _pages(routes: Routes, document: openapi.Json, home: str | None) -> list[Route]:
    rendered = msgspec.json.encode(document)
    page = docs_page.render(document)

    async def openapi_json(request: Request) -> Response:
        return Response(rendered, media_type="application/json")

    async def docs(request: Request) -> Response:
        return HTMLResponse(page, headers={"content-security-policy": docs_page.CONTENT_SECURITY_POLICY})

    async def root(request: Request) -> Response:
        return RedirectResponse(home or "/docs", 307)

    return [
        *(Route(op.path, op.handler, methods=[op.method]) for op in routes.operations()),
        Route("/v1/{rest:path}", openai_routes.nothing_here, methods=openai_routes.METHODS),
        Route(callbacks.CALLBACK_PATH, problems.answering(routes.callbacks.receive), methods=["POST"]),
        Route("/openapi.json", openapi_json),
        Route("/docs", docs),
        *([Route("/", root)] if home is not None else []),
    ]


def _middleware(cors_origins: Sequence[str]) -> list[Middleware]:
    if not cors_origins:
        return []
    headers = (
        *("authorization", "content-type", "idempotency-key", "x-aquatint-strict", "x-request-id", "traceparent"),
        *("prefer", "last-event-id", *openai_routes.BROWSER_HEADERS),
    )
    methods = ("GET", "POST", "DELETE")
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=cors_origins,
            allow_methods=methods,
            allow_headers=headers,
            expose_headers=("x-request-id", TASK_ID, "preference-applied", "idempotency-replayed", "retry-after"),
        )
    ]
