"""The commands that talk to a server, and how every command says what went wrong."""

from __future__ import annotations

import sys

import typer

from aquatint.cli import generate, tasks, webhooks
from aquatint.domain.errors import AquatintError, ConfigurationError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


def add(to: typer.Typer) -> None:
    """Put them among the commands of `to`."""
    to.command()(generate.generate)
    to.add_typer(tasks.app, name="tasks")
    to.add_typer(webhooks.app, name="webhooks")


add(app)


def run(commands: typer.Typer) -> None:
    """Run one command. Exit codes: 0 done, 1 failed, 2 wrong usage or settings, others in the reference."""
    try:
        commands()
    except ConfigurationError as error:
        typer.echo("The settings hold mistakes:", err=True)
        for problem in error.problems:
            typer.echo(f"  - {problem}", err=True)
        sys.exit(2)
    except AquatintError as error:
        typer.echo(f"aquatint: {error}", err=True)
        sys.exit(1)
