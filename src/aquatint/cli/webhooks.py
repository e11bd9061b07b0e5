"""aquatint webhooks: a local receiver of callbacks that prints and verifies them."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from aquatint.cli.address import reachable
from aquatint.cli.remote import USAGE, stop
from aquatint.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from aquatint.cli.letters import Desk

app = typer.Typer(no_args_is_help=True, help="Callbacks.")


@app.callback()
def root() -> None:
    """Callbacks."""


@app.command()
def listen(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8787,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="AQUATINT_WEBHOOKS__SECRET",
            help="The server's webhook secret: what was not signed with it is refused.",
            show_default=False,
        ),
    ] = None,
    forward: Annotated[
        str | None, typer.Option(help="Send each callback on to this URL, and answer as it does.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One callback a line on stdout.")] = False,
) -> None:
    """Receive callbacks until Ctrl-C: print each, say whether it is genuine, pass it on."""
    if forward is not None and not forward.startswith(("http://", "https://")):
        stop("--forward must be a URL that begins with http:// or https://", USAGE)
    from aquatint.cli.letters import Box, Desk  # only here: the other commands need no server of HTTP

    box = Box(secret, as_json)
    asyncio.run(_listen(Desk(box, forward), host, port))


async def _listen(desk: Desk, host: str, port: int) -> None:
    """Raises ConfigurationError when the address cannot be had."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        origin = await desk.open(host, port)
    except OSError as error:
        reason = str(error.strerror or error).rpartition(": ")[2]
        raise ConfigurationError([f"{host}:{port} cannot be opened ({reason})"]) from None
    typer.echo(f"Callbacks to {reachable(origin, host)}/ are printed here. Give it as callBackUrl.", err=True)
    if host in ("127.0.0.1", "::1", "localhost"):
        typer.echo("A server on this machine sends there when it runs with AQUATINT_NET__ALLOW=127.0.0.0/8", err=True)
    if not desk.verifies:
        typer.echo("Signatures are not checked: give --secret to have that done.", err=True)
    try:
        await stopped.wait()
    finally:
        await desk.close()
