"""Listening to what other processes announce, on a connection of its own that comes back when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from aquatint.store.postgres.pool import CONNECT_SECONDS

AGAIN = 1.0  # seconds until a lost connection is tried anew
ALIVE = 10.0  # seconds between two proofs of life: a cut network tells nobody


class Ears:
    """`hear(what, which)` for every announcement; after a loss without names, as something may have been missed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._task: asyncio.Task[None] | None = None

    async def open(self, hear: Callable[[str, str], None]) -> None:
        """Listening goes on in the background from now on."""
        self._task = asyncio.create_task(self._listen(hear), name="postgres-ears")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _listen(self, hear: Callable[[str, str], None]) -> None:
        def heard(connection: object, pid: int, channel: str, payload: object) -> None:
            what, _, which = str(payload).partition(" ")
            hear(what, which)

        while True:
            connection: asyncpg.Connection[asyncpg.Record] | None = None
            try:
                connection = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS)
                await connection.add_listener("aquatint", heard)
                hear("work", "")
                hear("delivery", "")
                while True:
                    await asyncio.sleep(ALIVE)
                    await connection.execute("SELECT 1", timeout=ALIVE)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(AGAIN)
            finally:
                if connection is not None:
                    connection.terminate()
