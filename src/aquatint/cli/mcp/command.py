"""The command: what it is told, and which transport it serves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from aquatint.cli.serve import listen, run
from aquatint.domain.errors import AquatintError, ConfigurationError

PORT = 8010
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def mcp(
    url: Annotated[
        str | None,
        typer.Option(envvar="AQUATINT_URL", help="The server to use; without one a server starts inside."),
    ] = None,
    http: Annotated[bool, typer.Option("--http", help="Serve streamable HTTP at /mcp instead of stdio.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on with --http.", min=0, max=65535)] = PORT,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="A name under which others reach it with --http; may be repeated."),
    ] = None,
    allow_dir: Annotated[
        list[Path] | None,
        typer.Option("--allow-dir", help="Pictures below this folder may be sent, over stdio; may be repeated."),
    ] = None,
    save_dir: Annotated[
        Path | None, typer.Option("--save-dir", help="Keep a copy of every picture in this folder.")
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds that a tool waits for its pictures.", min=0, max=3600)] = 240.0,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="The inside server's data folder; left out, it is gone with it."),
    ] = None,
) -> None:
    """Serve tools to generate, edit, query and list (Model Context Protocol)."""
    try:
        from aquatint.cli.mcp import serving
    except ImportError:
        raise ConfigurationError(["mcp: needs the extra: pip install 'aquatint[mcp]'"]) from None

    token = os.environ.get("AQUATINT_MCP_TOKEN", "")
    problems = []
    if http and host not in LOOPBACK and not token:
        problems.append(
            f"--host {host}: others can reach it, so set AQUATINT_MCP_TOKEN to a secret that they must send"
        )
    if http and allow_dir:
        problems.append("--allow-dir: files of this machine are for stdio; over HTTP, send URLs or data URLs")
    folders = [folder.resolve() for folder in allow_dir or ()]
    problems += [f"--allow-dir: {folder} is no folder" for folder in folders if not folder.is_dir()]
    if problems:
        raise ConfigurationError(problems)
    wanted = serving.Wanted(
        url=url or "",
        key=os.environ.get("AQUATINT_API_KEY", ""),
        data_dir=data_dir,
        allow_dirs=tuple(folders),
        save_dir=save_dir,
        wait=wait,
    )
    serving.check(wanted)
    if not http:
        try:
            asyncio.run(serving.over_stdio(wanted))
        except* AquatintError as group:
            raise next(_leaves(group)) from None
        return
    names = tuple(dict.fromkeys(("127.0.0.1", "localhost", "[::1]", _shown(host), *(allow_host or ()))))
    with listen(host, port) as opened:
        typer.echo(f"MCP at http://{_shown(host)}:{opened.getsockname()[1]}/mcp", err=True)
        run(serving.http_app(wanted, names, token, lambda: None), opened)


def _leaves(group: BaseExceptionGroup[AquatintError]) -> Iterator[AquatintError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
