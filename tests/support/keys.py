"""API keys made beside a running server, through the same services as the command line."""

from __future__ import annotations

import asyncio

from aquatint import bootstrap, settings
from aquatint.domain.key import Key
from aquatint.services.keys import KeyService
from aquatint.services.tools import Clock
from support.server import Server


def make_key(
    server: Server,
    name: str = "test",
    *,
    models: tuple[str, ...] = (),
    points: int | None = None,
    requests_per_minute: int | None = None,
    webhook_secret: str | None = None,
) -> tuple[Key, str]:
    """A key in the server's database and its secret."""

    async def make() -> tuple[Key, str]:
        wanted = settings.load(server.env, {"server": {"data_dir": str(server.data_dir)}})
        store = bootstrap.open_store(wanted)
        await store.open()
        try:
            return await KeyService(store, Clock(), "").create(
                name,
                models=models,
                points=points,
                requests_per_minute=requests_per_minute,
                webhook_secret=webhook_secret,
            )
        finally:
            await store.close()

    return asyncio.run(make())
