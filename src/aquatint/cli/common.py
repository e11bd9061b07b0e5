"""What several commands share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from aquatint import bootstrap, settings
from aquatint.domain.errors import ConfigurationError
from aquatint.services.keys import KeyService
from aquatint.services.tools import Clock

T = TypeVar("T")
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.", show_default=False)]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data folder.", show_default=False)]


def read(config: Path | None, **server: object) -> tuple[settings.Settings, list[str]]:
    """Settings in force for a command, and what is wrong with them; options that were given win over everything."""
    environment = dict(os.environ)
    if config is not None:
        environment["AQUATINT_CONFIG"] = str(config)
    given = {name: str(value) for name, value in server.items() if value is not None}
    return settings.read(environment, {"server": given}, bootstrap.engine_names())


def load(config: Path | None, **server: object) -> settings.Settings:
    """Settings in force for a command.

    Raises ConfigurationError with every mistake: in the settings, the catalog, the engines and their keys.
    """
    found, problems = read(config, **server)
    problems += bootstrap.check(found)
    if problems:
        raise ConfigurationError(problems)
    return found


def with_store(wanted: settings.Settings, work: Callable[[bootstrap.Store], Awaitable[T]]) -> T:
    """Run `work` on the store; a running server sees the change at once."""

    async def run() -> T:
        store = bootstrap.open_store(wanted)
        await store.open()
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def with_keys(wanted: settings.Settings, work: Callable[[KeyService], Awaitable[T]]) -> T:
    """Run `work` on the keys of the data folder; a running server sees the change within seconds."""

    return with_store(wanted, lambda store: work(KeyService(store, Clock(), wanted.server.api_key)))
