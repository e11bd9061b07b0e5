"""All commands, and how they say what went wrong."""

from __future__ import annotations

import typer

from aquatint import __version__
from aquatint.cli import (
    attempts,
    config,
    demo,
    doctor,
    engines,
    keys,
    light,
    openapi,
    serve,
    simulate,
    worker,
)
from aquatint.cli.mcp import command as mcp_command

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Aquatint: a self-hosted image task server.",
)
app.command()(serve.serve)
app.command()(worker.worker)
light.add(app)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(engines.engines)
app.command()(openapi.openapi)
app.command()(simulate.simulate)
app.command()(mcp_command.mcp)
app.add_typer(attempts.app, name="attempts")
app.add_typer(keys.app, name="keys")
app.add_typer(config.app, name="config")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run one command of all that there are."""
    light.run(app)
