"""SQL of presence: which processes share the database, and what each of them serves."""

from __future__ import annotations

from aquatint.domain.task import Micros
from aquatint.store.postgres.pool import Connection

FORGOTTEN = 86_400_000_000  # microseconds after which a process that was not seen is forgotten
SEEN = 35_000_000  # microseconds in which a process counts as there: three of its words may get lost


async def attend(db: Connection, owner: str, engines: list[str], works: list[str], now: Micros) -> None:
    await db.execute(
        "INSERT INTO process (owner, engines, works, seen_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (owner) DO UPDATE SET engines = $2, works = $3, seen_at = $4",
        owner,
        engines,
        works,
        now,
    )
    await db.execute("DELETE FROM process WHERE seen_at < $1", now - FORGOTTEN)


async def leave(db: Connection, owner: str) -> None:
    """What it had set up is remembered, as it may only be starting anew; its work has ended."""
    await db.execute("UPDATE process SET works = '{}' WHERE owner = $1", owner)
