"""aquatint engines: what is installed, and which models each serves."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from aquatint import bootstrap
from aquatint.cli.common import ConfigFile, load


def engines(config: ConfigFile = None) -> None:
    """List installed engines and the models they serve with these settings."""
    table = Table("engine", "version", "what it is", "serves")
    for row in bootstrap.list_engines(load(config)):
        if row.spec is None:
            why = "no key: its routes are passed over" if row.models else "installed, not used by any route"
            table.add_row(row.name, "-", why, "-")
        else:
            table.add_row(row.name, row.spec.version, row.spec.title, ", ".join(row.models))
    Console().print(table)
    typer.echo("A task's `engine` field says which engine served it.")
