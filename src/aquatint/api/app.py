"""The ASGI application: all operations, their description, and nothing between a request and its handler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from aquatint.api import docs_page, openapi, problems
from aquatint.api.operations import Operation
from aquatint.api.routes import callbacks, catalog, files, tasks

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Routes:
    """The handlers of every noun."""

    tasks: tasks.TaskRoutes
    files: files.FileRoutes
    catalog: catalog.CatalogRoutes
    callbacks: callbacks.CallbackRoutes

    def operations(self) -> list[Operation]:
        return [
            *tasks.operations(self.tasks),
            *files.operations(self.files),
            *catalog.operations(self.catalog),
        ]


def build(routes: Routes, lifespan: Lifespan, cors_origins: Sequence[str], version: str) -> Starlette:
    """The application. `lifespan` opens what the handlers use and closes it again."""
    operations = routes.operations()
    document = openapi.document(operations, version)
    rendered = msgspec.json.encode(document)
    page = docs_page.render(document)

    async def openapi_json(request: Request) -> Response:
        return Response(rendered, media_type="application/json")

    async def docs(request: Request) -> Response:
        return HTMLResponse(page, headers={"content-security-policy": docs_page.CONTENT_SECURITY_POLICY})

    async def root(request: Request) -> Response:
        return RedirectResponse("/docs", 307)

    async def healthy(request: Request) -> Response:
        return PlainTextResponse("ok")

    middleware = []
    if cors_origins:
        headers = ("authorization", "content-type", "idempotency-key", "x-aquatint-strict")
        methods = ("GET", "POST")
        cors = Middleware(CORSMiddleware, allow_origins=cors_origins, allow_methods=methods, allow_headers=headers)
        middleware.append(cors)
    app = Starlette(
        routes=[
            *(Route(op.path, op.handler, methods=[op.method]) for op in operations),
            Route(callbacks.CALLBACK_PATH, problems.answering(routes.callbacks.receive), methods=["POST"]),
            Route("/openapi.json", openapi_json),
            Route("/docs", docs),
            Route("/healthz", healthy),
            Route("/", root),
        ],
        middleware=middleware,
        exception_handlers={HTTPException: problems.http_exception},
        lifespan=lifespan,
    )
    app.state.openapi = document
    app.state.broken = False  # set when one of the loops ends by an error
    return app
