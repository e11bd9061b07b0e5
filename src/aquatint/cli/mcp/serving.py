"""Serving: the tools over stdio or streamable HTTP, with a client of the server behind them."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import ToolAnnotations
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aquatint import __version__
from aquatint.cli.mcp.inside import server_inside
from aquatint.cli.mcp.sources import Sources
from aquatint.cli.mcp.tools import Tools
from aquatint.domain.errors import ConfigurationError
from aquatint_client import AsyncAquatint, Misuse

MOST_BODY = 32 << 20  # bytes of one message over HTTP, data URLs included
INSTRUCTIONS = (
    "Paints pictures and edits photos. Say what to paint in plain words; list_models tells which shapes and sizes"
    " there are and who paints: the engine named studio is a classical painter of landscapes, places, flowers,"
    " animals and photo styles, not a neural model, and says in warnings what it did not understand."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`url` empty: a server inside this process, whose data lies in `data_dir`."""

    url: str
    key: str
    data_dir: Path | None
    allow_dirs: tuple[Path, ...]
    save_dir: Path | None
    wait: float


def check(wanted: Wanted) -> None:
    """Raise ConfigurationError for an address or a key that cannot be right."""
    if not wanted.url:
        return
    try:
        AsyncAquatint(wanted.url, wanted.key)
    except Misuse as error:
        raise ConfigurationError([f"mcp: {error}"]) from None


def build(wanted: Wanted, closed: Callable[[], None] = lambda: None) -> MCPServer[None]:
    """The tools and what stands behind them; nothing is opened before it is served. `closed` is called at the end."""
    tools = Tools(Sources(wanted.allow_dirs), wanted.wait, wanted.save_dir)

    @contextlib.asynccontextmanager
    async def alive(_: MCPServer[None]) -> AsyncIterator[None]:
        try:
            async with contextlib.AsyncExitStack() as stack:
                url, key = wanted.url, wanted.key
                if not url:
                    inside = await stack.enter_async_context(server_inside(wanted.data_dir))
                    url, key = inside.url, inside.key
                tools.client = await stack.enter_async_context(AsyncAquatint(url, key))
                yield
        finally:
            closed()

    server = MCPServer(
        "aquatint", "Aquatint", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING", lifespan=alive
    )
    asks = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    makes = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
    ends = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
    server.add_tool(tools.generate_image, title="Paint pictures", annotations=makes)
    server.add_tool(tools.edit_image, title="Edit pictures", annotations=makes)
    server.add_tool(tools.get_task, title="Look at a task", annotations=asks)
    server.add_tool(tools.list_tasks, title="List tasks", annotations=asks)
    server.add_tool(tools.list_models, title="List models", annotations=asks)
    server.add_tool(tools.cancel_task, title="Cancel a task", annotations=ends)
    return server


async def over_stdio(wanted: Wanted) -> None:
    """Until the client closes our input, or SIGTERM. Nothing but the protocol is ever written to the output."""
    asked = asyncio.Event()
    serving = asyncio.current_task()
    assert serving is not None  # noqa: S101  # this runs in one

    def leave() -> None:
        asked.set()
        serving.cancel()

    def closed() -> None:
        if asked.is_set():
            os._exit(0)  # a thread still reads our input, and nothing wakes it before the client closes that

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave)
    await build(wanted, closed).run_stdio_async()


def http_app(wanted: Wanted, names: tuple[str, ...], token: str, stopping: Callable[[], None]) -> Starlette:
    """The application at /mcp; `names` are the hosts that requests may name, `token` what they must send."""
    app = build(wanted).streamable_http_app(
        max_request_body_size=MOST_BODY,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=[pattern for name in names for pattern in (name, f"{name}:*")],
            allowed_origins=[
                pattern
                for name in names
                for scheme in ("http", "https")
                for pattern in (f"{scheme}://{name}", f"{scheme}://{name}:*")
            ],
        ),
    )
    if token:
        app.add_middleware(_Guarded, token=token)
    app.state.broken = False
    app.state.stopping = stopping
    return app


class _Guarded:
    """Lets nobody in without the bearer token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._wanted = b"bearer " + token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            sent = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            scheme, _, secret = sent.partition(b" ")
            if not hmac.compare_digest(scheme.lower() + b" " + secret.strip(), self._wanted):
                refusal = PlainTextResponse("unauthorized", 401, {"www-authenticate": "Bearer"})
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
