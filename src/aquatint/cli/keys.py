"""aquatint keys: create, list, revoke."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from aquatint.cli.common import ConfigFile, DataDir, load, with_keys
from aquatint.domain.key import Key
from aquatint.services.keys import KeyService

app = typer.Typer(no_args_is_help=True, help="API keys. A running server notices changes within two seconds.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    models: Annotated[str, typer.Option(help="Only these models, comma-separated.", show_default="all")] = "",
    points: Annotated[int | None, typer.Option(help="Balance; each image costs points.", min=0)] = None,
    requests_per_minute: Annotated[int | None, typer.Option(help="Submits and uploads a minute.", min=0)] = None,
    webhook_secret: Annotated[
        str | None, typer.Option(help="Sent as x-maxapi-webhook-secret with this key's callbacks.")
    ] = None,
    weight: Annotated[float, typer.Option(help="Share of a line that many wait in.", min=0.001)] = 1.0,
    max_running: Annotated[int | None, typer.Option(help="Tasks at once; the others wait.", min=1)] = None,
    max_pending: Annotated[int | None, typer.Option(help="Tasks waiting; more are answered 429.", min=1)] = None,
    priority_max: Annotated[int, typer.Option(help="The highest priority it may ask for.", min=-10, max=10)] = 0,
    admin: Annotated[bool, typer.Option("--admin", help="May use the operator's part of the API.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Create a key and print its secret, this once."""

    async def work(keys: KeyService) -> tuple[Key, str]:
        return await keys.create(
            name,
            models=tuple(part.strip() for part in models.split(",") if part.strip()),
            points=points,
            requests_per_minute=requests_per_minute,
            webhook_secret=webhook_secret,
            weight=weight,
            max_running=max_running,
            max_pending=max_pending,
            priority_max=priority_max,
            admin=admin,
        )

    key, secret = with_keys(load(config, data_dir=data_dir), work)
    typer.echo(f"{key.id}\n{secret}")


@app.command("list")
def list_keys(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """List all keys; secrets are not kept and cannot be shown."""

    async def work(keys: KeyService) -> list[Key]:
        return await keys.listing()

    table = Table("id", "name", "secret", "created", "models", "points", "a minute", "state")
    for key in with_keys(load(config, data_dir=data_dir), work):
        table.add_row(
            key.id,
            key.name,
            f"{key.prefix}…",
            datetime.fromtimestamp(key.created_at / 1e6, UTC).strftime("%Y-%m-%d %H:%M"),
            ", ".join(key.models) or "all",
            "-" if key.points is None else str(key.points),
            "-" if key.requests_per_minute is None else str(key.requests_per_minute),
            "in force" if key.revoked_at is None else "revoked",
        )
    Console().print(table)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id.")], data_dir: DataDir = None, config: ConfigFile = None
) -> None:
    """Revoke a key; a running server refuses it within two seconds."""

    async def work(keys: KeyService) -> bool:
        return await keys.revoke(key_id)

    if not with_keys(load(config, data_dir=data_dir), work):
        typer.echo(f"there is no key {key_id} in force", err=True)
        raise typer.Exit(1)
    typer.echo("revoked")


@app.command()
def grant(
    key_id: Annotated[str, typer.Argument(help="The key's id.")],
    points: Annotated[int, typer.Argument(help="Points to add.", min=1)],
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Add points to a key's balance; a key whose points were not counted is counted from now on."""

    async def work(keys: KeyService) -> int | None:
        return await keys.grant(key_id, points)

    balance = with_keys(load(config, data_dir=data_dir), work)
    if balance is None:
        typer.echo(f"there is no key {key_id}", err=True)
        raise typer.Exit(1)
    typer.echo(f"balance: {balance}")
