"""A look at a PostgreSQL server before anything is built on it. Nothing is changed there."""

from __future__ import annotations

import time
from dataclasses import dataclass

from aquatint.store.postgres import schema
from aquatint.store.postgres.pool import Pool


@dataclass(frozen=True, slots=True)
class Probe:
    """What a server says of itself."""

    version: str
    major: int
    schema: int  # 0: no tables yet
    newest: int  # the schema that this version knows
    clock_ahead: float  # seconds that the server's clock is ahead of ours
    round_trip: float  # seconds of the quickest empty statement
    durable: bool  # a commit is on disk before it is answered


async def probe(url: str) -> Probe:
    """Raises StoreUnavailable when the server cannot be reached, ConfigurationError for a URL that is wrong."""
    pool = Pool(url)
    await pool.open()
    try:
        async with pool.connection() as db:
            trips = []
            for _ in range(5):
                started = time.perf_counter()
                server_time = await db.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
                trips.append(time.perf_counter() - started)
                ahead = server_time - time.time() + trips[-1] / 2
            settings = dict(
                await db.fetch(
                    "SELECT name, setting FROM pg_settings WHERE name IN"
                    " ('server_version', 'server_version_num', 'fsync', 'synchronous_commit')"
                )
            )
            found = 0
            if await db.fetchval("SELECT to_regclass('schema_version')") is not None:
                found = await db.fetchval("SELECT coalesce(max(number), 0) FROM schema_version")
    finally:
        await pool.close()
    return Probe(
        version=settings["server_version"],
        major=int(settings["server_version_num"]) // 10000,
        schema=found,
        newest=schema.migrations()[-1][0],
        clock_ahead=ahead,
        round_trip=min(trips),
        durable=settings["fsync"] == "on" and settings["synchronous_commit"] != "off",
    )
