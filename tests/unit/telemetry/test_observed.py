"""Every request is named, counted and timed, whatever becomes of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from aquatint.api import problems
from aquatint.api.app import build
from aquatint.api.observed import Observed
from aquatint.api.routes import metrics as route
from aquatint.domain.errors import StoreUnavailable
from aquatint.telemetry import Metrics

OWN = re.compile(r"[0-9a-f]{16}-[0-9a-f]+")


async def fine(request: Request) -> Response:
    return PlainTextResponse("ok")


async def broken(request: Request) -> Response:
    raise RuntimeError("a detail")


async def refused(request: Request) -> Response:
    raise StoreUnavailable("the disk is full")


async def bare(request: Request) -> Response:
    raise RuntimeError("nobody catches it")


async def cut(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a part"
        raise RuntimeError("no more")

    return StreamingResponse(parts())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def client(metrics: Metrics) -> AsyncIterator[httpx.AsyncClient]:
    routes = [
        Route("/fine/{name}", fine),
        Route("/broken", problems.answering(broken)),
        Route("/refused", problems.answering(refused)),
        Route("/bare", bare),
        Route("/cut", cut),
    ]
    observed = Observed(Router(routes), routes, metrics, problems.refused, problems.broken)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = "as Starlette does it"  # then routes raise what they refuse
        await observed(scope, receive, send)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as made:
        yield made


def count(metrics: Metrics, path: str, status: str, method: str = "GET") -> float | None:
    labels = {"route": path, "status": status, "method": method}
    counted = metrics.registry.get_sample_value("aquatint_http_requests_total", labels)
    assert counted == metrics.registry.get_sample_value("aquatint_http_request_seconds_count", labels)
    return counted


async def test_requests_are_counted_by_their_route(client: httpx.AsyncClient, metrics: Metrics) -> None:
    """By the template, so that no id and no stranger's path becomes a series."""
    for path in ("/fine/a", "/fine/b", "/nowhere/1", "/nowhere/2", "/broken", "/refused", "/bare"):
        await client.get(path)
    await client.post("/fine/a")
    await client.request("BREW", "/fine/a")
    assert count(metrics, "/fine/{name}", "200") == 2
    assert count(metrics, "unmatched", "404") == 2
    assert count(metrics, "/broken", "500") == 1
    assert count(metrics, "/refused", "503") == 1
    assert count(metrics, "/bare", "500") == 1
    assert count(metrics, "/fine/{name}", "405", "POST") == 1
    assert count(metrics, "/fine/{name}", "405", "other") == 1
    nowhere = (await client.get("/nowhere")).json()
    assert nowhere == {"code": 404, "msg": "there is nothing at this path"}
    assert "nowhere" not in metrics.render("")[0].decode()


async def test_every_answer_has_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    """Also refusals, and what nobody caught."""
    paths = ("/fine/a", "/fine/a", "/nowhere", "/broken", "/refused", "/bare")
    found = [(await client.get(path)).headers.get_list("x-request-id") for path in paths]
    assert all(len(ids) == 1 and OWN.fullmatch(ids[0]) for ids in found)
    assert len({ids[0] for ids in found}) == len(paths)


@pytest.mark.parametrize("wanted", ["a", "0af7-651.916:cd_43", "Root=1-67891233-abcdef012345678912345678", "x" * 128])
async def test_a_callers_id_is_kept(client: httpx.AsyncClient, wanted: str) -> None:
    """So that one id leads through everybody's logs."""
    assert (await client.get("/fine/a", headers={"x-request-id": wanted})).headers["x-request-id"] == wanted


@pytest.mark.parametrize("wanted", ["", " ", "x" * 129, 'a"b', "a b", "<script>", "a;b", "\u00e4", "-a", "{}"])
async def test_a_strange_id_is_not(client: httpx.AsyncClient, wanted: str) -> None:
    """What could break a log line or a page is replaced."""
    answer = await client.get("/fine/a", headers={"x-request-id": wanted.encode("latin-1")})
    assert OWN.fullmatch(answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("path", "event"),
    [("/broken", "request.broke"), ("/bare", "request.broke"), ("/refused", "store.refused")],
)
async def test_failures_of_ours_are_logged_with_the_id(client: httpx.AsyncClient, path: str, event: str) -> None:
    """The answer's id finds the line."""
    with structlog.testing.capture_logs() as lines:
        answer = await client.get(path, headers={"x-request-id": "find-me"})
    assert answer.status_code >= 500
    assert [(line["event"], line["request_id"]) for line in lines] == [(event, "find-me")]
    assert ("find-me" in answer.text) is (event == "request.broke")
    assert "detail" not in answer.text
    assert answer.json()["code"] == answer.status_code


async def test_an_answer_that_breaks_off_is_not_made_whole(metrics: Metrics) -> None:
    """The connection is cut, as the server does it for whoever raises; the log has the request."""
    routes = [Route("/cut", cut)]
    app = Observed(Router(routes), routes, metrics, problems.refused, problems.broken)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        with structlog.testing.capture_logs() as lines, pytest.raises(RuntimeError):
            await client.get("/cut", headers={"x-request-id": "find-me"})
    assert [(line["event"], line["request_id"]) for line in lines] == [("request.broke", "find-me")]
    assert count(metrics, "/cut", "200") == 1


async def test_browsers_see_refusals_and_their_ids(metrics: Metrics) -> None:
    """Where other origins are let in, also a 404 says so, and a preflight has an id."""

    async def ready() -> str:
        return ""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield

    app = build(None, lifespan, ready, ("https://a.example",), "1", metrics, None, lambda: None)
    origin = {"origin": "https://a.example"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        missing = await client.get("/nowhere", headers=origin)
        asked = await client.options("/healthz", headers={**origin, "access-control-request-method": "GET"})
    assert (missing.status_code, missing.json()["code"]) == (404, 404)
    for answer in (missing, asked):
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert OWN.fullmatch(answer.headers["x-request-id"])
    assert "x-request-id" in missing.headers["access-control-expose-headers"]
    assert count(metrics, "unmatched", "404") == 1


async def test_other_protocols_pass(metrics: Metrics) -> None:
    """Start and stop of the server are no requests."""
    seen = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        seen.append("up")
        yield

    app = Observed(Router(lifespan=lifespan), (), metrics, problems.refused, problems.broken)
    letters = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> dict[str, str]:
        return next(letters)

    async def send(message: object) -> None:
        seen.append(message["type"])  # type: ignore[index]

    await app({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
    assert seen == ["up", "lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert b"aquatint_http_requests_total{" not in metrics.render("")[0]


@pytest.mark.parametrize(
    ("client_host", "headers", "holds"),
    [
        ("127.0.0.1", {"host": "127.0.0.1:8000"}, True),
        ("127.8.9.1", {"host": "localhost:8000"}, True),
        ("::1", {"host": "[::1]:8000"}, True),
        ("::ffff:127.0.0.1", {"host": "localhost"}, True),
        ("10.0.0.9", {"host": "127.0.0.1:8000"}, False),
        ("::ffff:10.0.0.9", {"host": "localhost"}, False),
        ("testclient", {"host": "localhost"}, False),
        (None, {"host": "localhost"}, False),
        ("127.0.0.1", {"host": "images.example.com"}, False),
        ("127.0.0.1", {"host": "127.0.0.1.example.com"}, False),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "9.9.9.9"}, False),
        ("127.0.0.1", {"host": "localhost", "forwarded": "for=9.9.9.9"}, False),
        ("127.0.0.1", {"host": "localhost", "x-real-ip": "9.9.9.9"}, False),
        ("127.0.0.1", {"host": "localhost", "via": "1.1 proxy"}, False),
    ],
)
def test_who_counts_as_this_machine(client_host: str | None, headers: dict[str, str], holds: bool) -> None:
    """Whoever connects from the loopback under a name of it, and speaks for nobody else."""
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/metrics",
        "query_string": b"",
        "server": ("127.0.0.1", 8000),
        "client": (client_host, 1) if client_host is not None else None,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    assert route.local(Request(scope)) is holds
