"""A server inside this process, for whoever has none: all of `aquatint serve`, on a free port of the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from aquatint import bootstrap, telemetry
from aquatint.cli.serve import held, listen
from aquatint.domain.errors import AquatintError, ConfigurationError
from aquatint.settings import Settings, read

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Inside:
    """Where it is, and the key that only this process knows."""

    url: str
    key: str


class _Quiet(uvicorn.Server):
    """Signals belong to the command around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def server_inside(data_dir: Path | None) -> AsyncIterator[Inside]:
    """Runs while the block lasts; without a folder of its own its tasks and pictures are gone afterwards.

    Settings in the environment hold for it, too, so that providers' keys do. Raises ConfigurationError.
    """
    with contextlib.ExitStack() as stack:
        if data_dir is None:
            made = tempfile.TemporaryDirectory(prefix="aquatint-mcp-", ignore_cleanup_errors=True)
            data_dir = Path(stack.enter_context(made))
        opened = stack.enter_context(listen("127.0.0.1", 0))
        port, key = opened.getsockname()[1], f"mcp_{secrets.token_urlsafe(24)}"
        here: dict[str, object] = {
            "host": "127.0.0.1",
            "port": port,
            "data_dir": str(data_dir),
            "api_key": key,
            "web": False,
        }
        settings = _settings(here)
        telemetry.configure("warning", settings.log.format)
        stack.enter_context(held(settings))
        app = bootstrap.build(settings).app
        server = _Quiet(
            uvicorn.Config(
                app, http="httptools", lifespan="on", access_log=False, log_level="warning", log_config=None
            )
        )
        running = asyncio.create_task(server.serve(sockets=[opened]), name="server inside")
        try:
            await _started(server, running)
            yield Inside(f"http://127.0.0.1:{port}", key)
        finally:
            app.state.stopping()
            server.should_exit = True
            await asyncio.gather(running, return_exceptions=True)


def _settings(server: dict[str, object]) -> Settings:
    """The environment's, except for what belongs to this server. Raises ConfigurationError."""
    # Clients wait two seconds for the end of what they started, and then kill it.
    overrides: dict[str, Mapping[str, object]] = {"server": server, "worker": {"drain": "500ms"}}
    found, problems = read(os.environ, overrides, bootstrap.engine_names())
    problems += bootstrap.check(found)
    if problems:
        raise ConfigurationError(problems)
    return found


async def _started(server: uvicorn.Server, running: asyncio.Task[None]) -> None:
    end = asyncio.get_running_loop().time() + START_SECONDS
    while not server.started:
        if running.done() or asyncio.get_running_loop().time() > end:
            raise AquatintError("the server inside did not start; its log tells why")
        await asyncio.sleep(0.02)
