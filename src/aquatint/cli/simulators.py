"""Running the simulators, and saying how a server is turned to them."""

from __future__ import annotations

import asyncio
import shlex
import signal
from contextlib import AsyncExitStack

import typer

from aquatint.cli.address import reachable
from aquatint.domain.errors import ConfigurationError
from aquatint.testing.simulators.app import MOUNTS, Simulators
from aquatint.testing.simulators.painter import PlainPainter, StudioPainter


def run(host: str, port: int, key: str, *, plain: bool, job_seconds: float) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigurationError when the address cannot be had."""
    simulators = Simulators(PlainPainter() if plain else StudioPainter(), host=host, port=port, key=key)
    simulators.desk.work_seconds = job_seconds
    asyncio.run(_run(simulators, host, port))


async def _run(simulators: Simulators, host: str, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        stack.push_async_exit(simulators)  # before it is entered: a start that fails may leave a painter open
        try:
            await simulators.__aenter__()
        except OSError as error:
            reason = str(error.strerror or error).rpartition(": ")[2]
            raise ConfigurationError([f"{host}:{port} cannot be opened ({reason})"]) from None
        simulators.desk.origin = reachable(simulators.origin, host)
        typer.echo(announcement(simulators))
        await stopped.wait()


def announcement(simulators: Simulators) -> str:
    """What people need to know, with lines to paste into the shell that starts `aquatint serve`."""
    environment = simulators.environment()
    lines = [
        f"Fakes of the paid providers listen on {simulators.origin}. They bill nobody, and no model is behind them.",
        f"What was asked, and which images would have been billed: {simulators.origin}/admin/calls",
        "",
        "# so that a server may fetch their results and take their callbacks on this machine",
    ]
    for name, value in environment.items():
        engine, _, field = name.removeprefix("AQUATINT_").lower().partition("__")
        if engine in MOUNTS and field == "api_key":
            lines += ["", f"# {engine}"]
        lines.append(f"export {name}={shlex.quote(value)}")
    return "\n".join(lines)
