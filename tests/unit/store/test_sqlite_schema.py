"""Migrations and how a connection is set up."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from aquatint.domain.call import CallEnd, CallOutcome, CallState, NewCall
from aquatint.domain.errors import ConfigurationError
from aquatint.domain.provider import Admitted, CircuitRules, ProviderLimits
from aquatint.domain.task import Status
from aquatint.store.sqlite import calls, schema
from aquatint.store.sqlite.store import SqliteStore
from support.rows import LANE, new_task


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


def test_counting_what_is_in_flight_reads_no_old_calls(path: Path) -> None:
    """The question at every paid call is answered by an index, however long the journal is."""
    db = schema.connect(path)
    schema.migrate(db)
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    calls._in_flight(db, "p:1")
    db.set_trace_callback(None)
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()]
    db.close()
    assert any("call_in_flight" in step for step in plan), plan
    assert not any(step.startswith("SCAN") for step in plan), plan


async def test_all_of_it_survives(path: Path) -> None:
    """What was written is there after closing and opening the file again."""
    first = SqliteStore(path)
    await first.open()
    submitted = await first.submit(new_task(), 1000)
    await first.claim("w", LANE, 1, 1, 100)
    await first.close()
    second = SqliteStore(path)
    await second.open()
    task = await second.task(submitted.task_id)
    await second.close()
    assert task is not None
    assert task.status is Status.PROCESSING


async def test_a_paid_call_is_on_the_disk_when_a_step_returns(path: Path) -> None:
    """Another connection reads it: it is committed."""
    store = SqliteStore(path)
    await store.open()
    await store.submit(new_task(), 1000)
    (claimed,) = await store.claim("w", LANE, 1, 1, 100)
    new = NewCall(key="k", engine="p", remote_model="m", account="p:1", images=(0,), resend_safe=False)
    (call,) = await store.intend(claimed.no, claimed.attempt, [new], 10)
    other = sqlite3.connect(path)
    assert other.execute("SELECT state FROM call").fetchall() == [("intent",)]
    assert await store.admit(call, claimed.attempt, ProviderLimits(), 60, 11) == Admitted()
    assert other.execute("SELECT state FROM call").fetchall() == [("sent",)]
    await store.acknowledge(call.no, 12, remote_id="j-1")
    assert other.execute("SELECT state, remote_id FROM call").fetchall() == [("acknowledged", "j-1")]
    end = CallEnd(CallState.SETTLED, CallOutcome.MADE, 50, charged=True)
    await store.end_call(call.no, end, None, None, CircuitRules(2, 10))
    assert other.execute("SELECT state FROM call").fetchall() == [("settled",)]
    other.close()
    await store.close()
