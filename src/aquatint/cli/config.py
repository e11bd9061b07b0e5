"""aquatint config: which settings are in force."""

from __future__ import annotations

from typing import Annotated

import typer

from aquatint import settings
from aquatint.cli.common import ConfigFile, load

app = typer.Typer(no_args_is_help=True, help="Settings.")


@app.callback()
def root() -> None:
    """Settings."""


@app.command()
def show(
    config: ConfigFile = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Print the commented default file instead.")] = False,
) -> None:
    """Print what is in force, secrets left out."""
    if defaults:
        typer.echo(settings.default_text())
        return
    for name, value in settings.describe(load(config)):
        typer.echo(f"{name} = {value}")
