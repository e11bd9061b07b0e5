"""aquatint engines: what is installed, and which models each serves."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from aquatint import bootstrap
from aquatint.catalog.load import load as load_catalog
from aquatint.cli.common import ConfigFile, load
from aquatint.engines import registry
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox


def engines(config: ConfigFile = None) -> None:
    """List installed engines and the models they serve with these settings."""
    settings = load(config)
    catalog = load_catalog(settings.catalog.file, settings.catalog.aliases, settings.engines.route_all_to)
    built = bootstrap.build_engines(settings, catalog, Sandbox(1, Limits()))
    table = Table("engine", "version", "what it is", "serves")
    for name in sorted(registry.installed()):
        engine = built.get(name)
        serves = [m.name for m in catalog.models() if any(route.engine == name for route in m.routes)]
        if engine is None:
            table.add_row(name, "-", "installed, not used by any route", "-")
        else:
            table.add_row(name, engine.spec.version, engine.spec.title, ", ".join(serves))
    Console().print(table)
    typer.echo("A model's `engine` field in answers says which engine served it.")
