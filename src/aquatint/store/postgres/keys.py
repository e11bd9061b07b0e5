"""SQL of API keys."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from aquatint.domain.errors import Conflict
from aquatint.domain.key import Key
from aquatint.domain.task import Micros
from aquatint.store.postgres.pool import Connection
from aquatint.store.postgres.rows import text

_COLUMNS = (
    "id, name, prefix, created_at, revoked_at, models, points, requests_per_minute, webhook_secret,"
    " weight, max_running, max_pending, priority_max, admin"
)
_models = msgspec.json.Decoder(tuple[str, ...])


def _key(row: Any) -> Key:
    values = list(row)
    values[5] = _models.decode(values[5])
    return Key(*values)  # same order as _COLUMNS


async def add(db: Connection, key: Key, secret_hash: bytes) -> None:
    try:
        await db.execute(
            f"INSERT INTO key ({_COLUMNS}, secret_hash)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            key.id,
            key.name,
            key.prefix,
            key.created_at,
            key.revoked_at,
            text(key.models),
            key.points,
            key.requests_per_minute,
            key.webhook_secret,
            key.weight,
            key.max_running,
            key.max_pending,
            key.priority_max,
            key.admin,
            secret_hash,
        )
    except asyncpg.UniqueViolationError:
        raise Conflict("there is such a key already") from None


async def by_hash(db: Connection, secret_hash: bytes) -> Key | None:
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM key WHERE secret_hash = $1", secret_hash)
    return _key(row) if row is not None else None


async def listing(db: Connection) -> list[Key]:
    return [_key(row) for row in await db.fetch(f"SELECT {_COLUMNS} FROM key ORDER BY created_at")]


async def grant(db: Connection, key_id: str, points: int) -> int | None:
    balance: int | None = await db.fetchval(
        "UPDATE key SET points = coalesce(points, 0) + $2 WHERE id = $1 RETURNING points", key_id, points
    )
    return balance


async def revoke(db: Connection, key_id: str, at: Micros) -> bool:
    query = "UPDATE key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING 1"
    return await db.fetchval(query, key_id, at) is not None
