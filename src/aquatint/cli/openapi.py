"""aquatint openapi: the wire contract as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from aquatint import bootstrap, settings


def openapi(
    write: Annotated[Path | None, typer.Option(help="Write the document to this file.", show_default=False)] = None,
    check: Annotated[
        Path | None, typer.Option(help="Fail when this file is not what the code says.", show_default=False)
    ] = None,
) -> None:
    """Print the OpenAPI document of this version, or compare a file with it."""
    document = bootstrap.build(settings.load({})).app.state.openapi
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
    if check is not None:
        if not check.exists() or check.read_text(encoding="utf-8") != text:
            typer.echo(f"{check} is not what the code says; run: aquatint openapi --write {check}", err=True)
            raise typer.Exit(1)
        typer.echo(f"{check} is up to date")
    elif write is not None:
        write.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)
