"""SQL of links, which claim stored bytes, and of references that were fetched and cleaned."""

from __future__ import annotations

from collections.abc import Sequence

from aquatint.domain.task import Micros
from aquatint.store.postgres import rows
from aquatint.store.postgres.pool import Connection
from aquatint.store.records import Escrowed, Link


async def link(db: Connection, token: str) -> Link | None:
    if not rows.storable(token):
        return None
    row = await db.fetchrow(
        "SELECT token, name, digest, media_type, bytes, expires_at FROM link WHERE token = $1", token
    )
    return Link(*row) if row is not None else None


async def expire(db: Connection, now: Micros, limit: int) -> list[str]:
    """Mark expired links; the rows stay, so that their URLs answer 410 and not 404."""
    expired = await db.fetch(
        "UPDATE link SET expired = TRUE WHERE token IN"
        " (SELECT token FROM link WHERE NOT expired AND expires_at <= $1 ORDER BY expires_at LIMIT $2"
        " FOR UPDATE SKIP LOCKED) RETURNING digest",
        now,
        limit,
    )
    return await unclaimed(db, sorted({row["digest"] for row in expired}))


async def unclaimed(db: Connection, digests: Sequence[str]) -> list[str]:
    found = await db.fetch(
        "SELECT v.digest FROM unnest($1::text[]) AS v(digest)"
        " WHERE NOT EXISTS (SELECT 1 FROM link WHERE link.digest = v.digest AND NOT expired)",
        list(digests),
    )
    return [row["digest"] for row in found]


async def escrowed(db: Connection, source: str, since: Micros) -> Escrowed | None:
    row = await db.fetchrow(
        "SELECT digest, media_type, width, height, bytes, fetched_at FROM escrow"
        " WHERE source = $1 AND fetched_at >= $2",
        source,
        since,
    )
    return Escrowed(*row) if row is not None else None


async def escrow(db: Connection, source: str, found: Escrowed, claim: Link) -> None:
    await db.execute(
        "INSERT INTO escrow (source, digest, media_type, width, height, bytes, fetched_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (source) DO UPDATE SET digest = excluded.digest,"
        " media_type = excluded.media_type, width = excluded.width, height = excluded.height,"
        " bytes = excluded.bytes, fetched_at = excluded.fetched_at",
        source,
        found.digest,
        found.media_type,
        found.width,
        found.height,
        found.bytes,
        found.fetched_at,
    )
    await rows.add_links(db, [claim])


async def forget_escrow(db: Connection, before: Micros, limit: int) -> int:
    gone = await db.fetch(
        "DELETE FROM escrow WHERE source IN (SELECT source FROM escrow WHERE fetched_at < $1 LIMIT $2) RETURNING 1",
        before,
        limit,
    )
    return len(gone)


async def forget_idempotency(db: Connection, now: Micros, limit: int) -> int:
    """Rows are written in the order of their expiry, so the oldest few are enough to look at."""
    gone = await db.fetch(
        "DELETE FROM idempotency WHERE no IN (SELECT no FROM idempotency ORDER BY no LIMIT $1) AND expires_at <= $2"
        " RETURNING 1",
        limit,
        now,
    )
    return len(gone)
