"""All commands, and how they say what went wrong."""

from __future__ import annotations

import sys

import typer

from aquatint import __version__
from aquatint.cli import attempts, config, demo, doctor, engines, keys, openapi, serve, simulate, worker
from aquatint.domain.errors import AquatintError, ConfigurationError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Aquatint: a self-hosted image task server.",
)
app.command()(serve.serve)
app.command()(worker.worker)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(engines.engines)
app.command()(openapi.openapi)
app.command()(simulate.simulate)
app.add_typer(attempts.app, name="attempts")
app.add_typer(keys.app, name="keys")
app.add_typer(config.app, name="config")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """The `aquatint` command. Exit codes: 0 done, 1 failed, 2 wrong usage or settings."""
    try:
        app()
    except ConfigurationError as error:
        typer.echo("The settings hold mistakes:", err=True)
        for problem in error.problems:
            typer.echo(f"  - {problem}", err=True)
        sys.exit(2)
    except AquatintError as error:
        typer.echo(f"aquatint: {error}", err=True)
        sys.exit(1)
