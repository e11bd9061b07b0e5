"""aquatint serve: API, runner, dispatcher and sweeper in one process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette

from aquatint import bootstrap, telemetry
from aquatint.cli.common import ConfigFile, DataDir, load, with_keys
from aquatint.domain.errors import ConfigurationError
from aquatint.services.keys import KeyService
from aquatint.settings import Settings

KEEP_ALIVE = 75  # seconds an idle client connection is kept
DEAF = 60  # seconds after which the system cuts a client that takes nothing of what was sent
GRACE = 5  # seconds that answers under way have at a stop
DEAF_GRACE = 2.0  # and those whose client is not reading


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8000")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Answer the API only; `aquatint worker` runs the tasks elsewhere.")
    ] = False,
    no_web: Annotated[
        bool, typer.Option("--no-web", help="Leave the web pages out; the API and /docs stay.")
    ] = False,
) -> None:
    """Run the server: API, runner, dispatcher and sweeper, with no other service needed."""
    settings = load(config, host=host, port=port, data_dir=data_dir, web=False if no_web else None)
    if no_worker and bootstrap.database_path(settings) is not None:
        raise ConfigurationError(["--no-worker: workers apart need a database server; set database.url"])
    telemetry.configure(settings.log.level, settings.log.format)
    house = bootstrap.build(settings, role=bootstrap.Role(work=not no_worker))
    with held(settings), listen(settings.server.host, settings.server.port) as opened:
        announce(settings, house.tools.engines)
        run(house.app, opened)


@contextlib.contextmanager
def held(settings: Settings) -> Iterator[None]:
    """The data folder for this process alone where the database is a file in it."""
    if bootstrap.database_path(settings) is None:
        yield
        return
    with bootstrap.hold(settings.server.data_dir):
        yield


def run(app: Starlette, opened: socket.socket) -> None:
    """Serve on an open socket until a signal. Exit code 1 when it could not start or a loop broke."""
    server = _Server(
        uvicorn.Config(
            app,
            loop="auto",
            http="httptools",
            lifespan="on",
            access_log=False,
            log_level="warning",
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            server_header=False,
            proxy_headers=False,
        ),
        app.state.stopping,
    )
    calm_collector()
    server.run(sockets=[opened])
    if not server.started or app.state.broken:
        raise typer.Exit(1)


def calm_collector() -> None:
    """Keep what lives for ever out of the garbage collector's way, and let it look more rarely.

    With Python's defaults it spends a tenth of a busy server's time; there are hardly any cycles to find.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigurationError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; every connection inherits it
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAF * 1000)
    try:
        opened.bind((host, port))
    except (OSError, OverflowError) as error:
        opened.close()
        raise ConfigurationError([f"{host}:{port} cannot be opened ({error})"]) from None
    return opened


class _Server(uvicorn.Server):
    """uvicorn's server, except that a stop that was asked for ends the process with exit code 0, and that the
    application hears of it while answers are still under way."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        cutting = asyncio.create_task(self._cut_deaf())
        try:
            await super().shutdown(sockets)
        finally:
            cutting.cancel()

    async def _cut_deaf(self) -> None:
        """A client that does not read must not hold up the stop."""
        await asyncio.sleep(DEAF_GRACE)
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def announce(settings: Settings, engines: Iterable[str]) -> None:
    """Say where the server is; at the first start make a key and show it this once."""
    typer.echo(f"Aquatint listens on http://{settings.server.host}:{settings.server.port}  (the API: /docs)")
    if settings.server.web:
        typer.echo(f"Pages: {bootstrap.public_urls(settings).base}/")
    typer.echo(f"Data folder: {settings.server.data_dir.resolve()}")
    typer.echo(f"Engines: {', '.join(sorted(engines))}")
    if "studio" in engines:
        typer.echo("studio is the embedded painter: real pictures from classical algorithms, not the real Seedream.")

    if settings.server.api_key:
        return
    if bootstrap.database_path(settings) is None:  # several servers may start at once, and their logs are collected
        typer.echo("API keys: `aquatint keys create` makes one, `aquatint keys list` shows what there is.")
        return

    async def first_key(keys: KeyService) -> str | None:
        return None if await keys.listing() else (await keys.create("first", admin=True))[1]

    secret = with_keys(settings, first_key)
    if secret is not None:
        typer.echo(f"\nYour API key, shown only this once:\n\n    {secret}\n")
        if settings.server.web:  # what follows # stays in the browser: no server and no log ever gets it
            typer.echo(f"Open this to log in:\n\n    {bootstrap.public_urls(settings).base}/login#key={secret}\n")
