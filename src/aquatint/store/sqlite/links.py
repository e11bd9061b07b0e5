"""SQL of links: who still claims which stored bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from aquatint.domain.task import Micros
from aquatint.store.records import Link


def read(db: sqlite3.Connection, token: str) -> Link | None:
    rows = db.execute(
        "SELECT token, name, digest, media_type, bytes, expires_at FROM link WHERE token = ?", (token,)
    ).fetchall()
    return Link(*rows[0]) if rows else None


def expire(db: sqlite3.Connection, now: Micros, limit: int) -> list[str]:
    """Mark expired links; the rows stay, so that their URLs answer 410 and not 404."""
    rows = db.execute(
        "UPDATE link SET expired = 1 WHERE token IN"
        " (SELECT token FROM link WHERE expired = 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?)"
        " RETURNING digest",
        (now, limit),
    ).fetchall()
    return unclaimed(db, sorted({digest for (digest,) in rows}))


def unclaimed(db: sqlite3.Connection, digests: Sequence[str]) -> list[str]:
    query = "SELECT 1 FROM link WHERE digest = ? AND expired = 0 LIMIT 1"
    return [digest for digest in digests if not db.execute(query, (digest,)).fetchall()]
