"""Around the whole application: every request gets an id, is counted and timed by its route, and gets an answer."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aquatint.telemetry import Metrics
from aquatint.telemetry.instruments import Durations

HEADER = b"x-request-id"
ID = "aquatint.request_id"  # in the ASGI scope
STATUS = "aquatint.status"  # there, too, once the answer has begun
WAITED = "aquatint.waited"  # there, too: seconds that the caller wished to wait, which are no slowness of ours
NOWHERE = "unmatched"  # the route of paths that lead nowhere
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_Way = tuple[Callable[..., Any] | None, str, int]  # handler, method, status
_sane = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:=+/@-]{0,127}").fullmatch


class Observed:
    """Stands in the place of what Starlette puts around its routes, so that no request passes through more for it.

    Paths that lead nowhere and what else Starlette refuses become what `refused` answers, what nobody foresaw becomes
    what `broken` answers.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Iterable[BaseRoute],
        metrics: Metrics,
        refused: Callable[[HTTPException], Response],
        broken: Callable[[Scope], Response],
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._refused = refused
        self._broken = broken
        self._templates: Mapping[Callable[..., Any] | None, str] = {
            route.endpoint: route.path for route in routes if isinstance(route, Route)
        }
        self._known: dict[_Way, Durations] = {}
        # Cheaper than a UUID, and as unique: which process, and its how manieth request.
        self._name = f"{secrets.token_hex(8)}-%x".encode()
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        name = scope[ID] = _wanted(scope) or self._name % next(self._count)

        def answer(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                status = scope[STATUS] = message["status"]
                message["headers"].append((HEADER, name))  # the answer's own list, made for it
                way = (scope.get("endpoint"), scope["method"], status)
                took = time.perf_counter() - started - scope.get(WAITED, 0.0)
                (self._known.get(way) or self._find(way)).observe(took)
            return send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            response = self._refused(error) if isinstance(error, HTTPException) else self._broken(scope)
            if STATUS in scope:
                raise  # too late for another answer: the connection is cut, so that nobody takes it for whole
            await response(scope, receive, answer)

    def _find(self, way: _Way) -> Durations:
        endpoint, method, status = way
        route = self._templates.get(endpoint, NOWHERE)
        if method not in METHODS:  # anybody may invent one, so none of them is remembered
            return self._metrics.requests(route, "other", str(status))
        found = self._known[way] = self._metrics.requests(route, method, str(status))
        return found


def _wanted(scope: Scope) -> bytes | None:
    """The id that the caller gave the request, unless it is none that belongs into a log."""
    for name, value in scope["headers"]:
        if name == HEADER:
            return value if _sane(value) else None
    return None


def request_id(scope: Scope) -> str:
    """The id of the request, which its answer and the log have."""
    name: bytes = scope[ID]
    return name.decode()
