"""SQL of API keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from aquatint.domain.key import Key
from aquatint.domain.task import Micros

_COLUMNS = (
    "id, name, prefix, created_at, revoked_at, models, points, requests_per_minute, webhook_secret,"
    " weight, max_running, max_pending, priority_max, admin"
)
_models = msgspec.json.Decoder(tuple[str, ...])


def _key(row: Sequence[Any]) -> Key:
    values = list(row)
    values[5] = _models.decode(values[5])
    values[13] = bool(values[13])
    return Key(*values)  # same order as _COLUMNS


def add(db: sqlite3.Connection, key: Key, secret_hash: bytes) -> None:
    db.execute(
        "INSERT INTO key (id, secret_hash, name, prefix, created_at, revoked_at, models, points,"
        " requests_per_minute, webhook_secret, weight, max_running, max_pending, priority_max, admin)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key.id,
            secret_hash,
            key.name,
            key.prefix,
            key.created_at,
            key.revoked_at,
            msgspec.json.encode(key.models).decode(),
            key.points,
            key.requests_per_minute,
            key.webhook_secret,
            key.weight,
            key.max_running,
            key.max_pending,
            key.priority_max,
            key.admin,
        ),
    )


def by_hash(db: sqlite3.Connection, secret_hash: bytes) -> Key | None:
    rows = db.execute(f"SELECT {_COLUMNS} FROM key WHERE secret_hash = ?", (secret_hash,)).fetchall()
    return _key(rows[0]) if rows else None


def listing(db: sqlite3.Connection) -> list[Key]:
    return [_key(row) for row in db.execute(f"SELECT {_COLUMNS} FROM key ORDER BY created_at").fetchall()]


def grant(db: sqlite3.Connection, key_id: str, points: int) -> int | None:
    query = "UPDATE key SET points = coalesce(points, 0) + ? WHERE id = ? RETURNING points"
    rows = db.execute(query, (points, key_id)).fetchall()
    return int(rows[0][0]) if rows else None


def revoke(db: sqlite3.Connection, key_id: str, at: Micros) -> bool:
    query = "UPDATE key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
    return bool(db.execute(query, (at, key_id)).rowcount)
