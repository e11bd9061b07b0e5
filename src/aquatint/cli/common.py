"""What several commands share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from aquatint import bootstrap, settings
from aquatint.services.keys import KeyService
from aquatint.services.tools import Clock

T = TypeVar("T")
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.", show_default=False)]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data folder.", show_default=False)]


def load(config: Path | None, **server: object) -> settings.Settings:
    """Settings in force for a command; options that were given win over everything."""
    environment = dict(os.environ)
    if config is not None:
        environment["AQUATINT_CONFIG"] = str(config)
    given = {name: str(value) for name, value in server.items() if value is not None}
    return settings.load(environment, {"server": given})


def with_keys(wanted: settings.Settings, work: Callable[[KeyService], Awaitable[T]]) -> T:
    """Run `work` on the keys of the data folder; a running server sees the change within seconds."""

    async def run() -> T:
        store = bootstrap.open_store(wanted)
        await store.open()
        try:
            return await work(KeyService(store, Clock(), wanted.server.api_key))
        finally:
            await store.close()

    return asyncio.run(run())
