"""SQL of references that were fetched and cleaned."""

from __future__ import annotations

import sqlite3

from aquatint.domain.task import Micros
from aquatint.store.records import Escrowed


def read(db: sqlite3.Connection, source: str, since: Micros) -> Escrowed | None:
    rows = db.execute(
        "SELECT digest, media_type, width, height, bytes, fetched_at FROM escrow"
        " WHERE source = ? AND fetched_at >= ?",
        (source, since),
    ).fetchall()
    return Escrowed(*rows[0]) if rows else None


def write(db: sqlite3.Connection, source: str, found: Escrowed) -> None:
    db.execute(
        "INSERT INTO escrow (source, digest, media_type, width, height, bytes, fetched_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET digest = excluded.digest,"
        " media_type = excluded.media_type, width = excluded.width, height = excluded.height,"
        " bytes = excluded.bytes, fetched_at = excluded.fetched_at",
        (source, found.digest, found.media_type, found.width, found.height, found.bytes, found.fetched_at),
    )


def forget(db: sqlite3.Connection, before: Micros, limit: int) -> int:
    """Drop rows that are older than any window; their bytes live as long as their links."""
    return db.execute(
        "DELETE FROM escrow WHERE source IN (SELECT source FROM escrow WHERE fetched_at < ? LIMIT ?)",
        (before, limit),
    ).rowcount
