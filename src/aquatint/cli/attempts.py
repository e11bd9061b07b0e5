"""aquatint attempts: paid calls that nobody knows the fate of, and what the operator found out about them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from aquatint.cli.common import ConfigFile, DataDir, load, with_store
from aquatint.services.calls import CallService
from aquatint.services.tools import SECOND

app = typer.Typer(help="Paid calls to providers.")


@app.callback(invoke_without_command=True)
def attempts(
    context: typer.Context,
    unknown: Annotated[bool, typer.Option("--unknown", help="Only those that nobody knows the fate of.")] = False,
    limit: Annotated[int, typer.Option(help="Calls to list at most.", min=1)] = 100,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """List paid calls, newest first; `resolve` writes down what became of an unknown one."""
    if context.invoked_subcommand is not None:
        return
    settings = load(config, data_dir=data_dir)
    calls = with_store(settings, lambda store: CallService(store).listing(unknown, limit))
    table = Table(
        "call", Column("task", overflow="fold"), "engine", "model", "sent", "state", "images", "request id", "why"
    )
    for task_id, call in calls:
        sent = "-" if call.sent_at is None else _time(call.sent_at)
        state = call.state.value if not call.outcome else f"{call.state.value}: {call.outcome}"
        images = ", ".join(str(image + 1) for image in call.images)
        table.add_row(
            str(call.no), task_id, call.engine, call.remote_model, sent, state, images, call.request_id, call.detail
        )
    Console().print(table)
    if unknown and calls:
        typer.echo(
            "Look for each in the provider's console by time and request id, then: aquatint attempts resolve CALL"
        )


@app.command()
def resolve(
    call: Annotated[int, typer.Argument(help="Number of the call.")],
    charged: Annotated[bool, typer.Option("--charged/--not-charged", help="Whether the provider billed it.")],
    note: Annotated[str, typer.Option(help="How you know.")] = "",
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Write down what became of an unknown call. The task stays as it ended."""
    settings = load(config, data_dir=data_dir)
    if not with_store(settings, lambda store: CallService(store).resolve(call, charged, note)):
        typer.echo(f"aquatint: {call} is no call whose fate is unknown", err=True)
        raise typer.Exit(1)
    typer.echo("Noted.")


def _time(at: int) -> str:
    return dt.datetime.fromtimestamp(at / SECOND, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
