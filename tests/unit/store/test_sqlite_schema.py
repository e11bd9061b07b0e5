"""Migrations and how a connection is set up."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from aquatint.domain.errors import ConfigurationError
from aquatint.store.sqlite import schema
from aquatint.store.sqlite.store import SqliteStore
from support.rows import new_task


def test_from_empty_to_newest(path: Path) -> None:
    """An empty file gets every migration, and running them again changes nothing."""
    connection = schema.connect(path)
    schema.migrate(connection)
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {
        "task",
        "attempt",
        "event",
        "delivery",
        "delivery_attempt",
        "key",
        "ledger",
        "idempotency",
        "link",
    } <= names
    newest = schema.migrations()[-1][0]
    assert connection.execute("PRAGMA user_version").fetchone() == (newest,)
    before = connection.execute("SELECT sql FROM sqlite_master").fetchall()
    schema.migrate(connection)
    assert connection.execute("SELECT sql FROM sqlite_master").fetchall() == before
    connection.close()


def test_numbers_have_no_gap() -> None:
    """Migrations are numbered 1, 2, 3 and so on."""
    assert [number for number, _ in schema.migrations()] == list(range(1, len(schema.migrations()) + 1))


def test_newer_schema_is_refused(path: Path) -> None:
    """A database of a newer Aquatint is left alone."""
    connection = schema.connect(path)
    connection.execute("PRAGMA user_version=9999")
    with pytest.raises(ConfigurationError, match="9999"):
        schema.migrate(connection)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


def test_durable_by_default(path: Path) -> None:
    """WAL, and every commit waits for the disk."""
    connection = schema.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


def test_reader_cannot_write(path: Path) -> None:
    """The connection for reading refuses writes."""
    schema.migrate(schema.connect(path))
    reader = schema.connect(path, read_only=True)
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("DELETE FROM task")
    reader.close()


async def test_half_a_migration_is_undone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails in its middle leaves the schema of before, and the data."""
    store = SqliteStore(path)
    await store.open()
    submitted = await store.submit(new_task(), 10)
    await store.close()
    broken = [*schema.migrations(), (99, "CREATE TABLE half (a);\nINSERT INTO nowhere VALUES (1);\n")]
    monkeypatch.setattr(schema, "migrations", lambda: broken)
    connection = schema.connect(path)
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection)
    connection.close()
    monkeypatch.undo()
    await store.open()
    assert await store.task(submitted.task_id) is not None
    await store.close()
