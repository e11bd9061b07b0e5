"""The writer: operations share transactions and nothing else; a refusing disk is told and survived."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from aquatint.domain.errors import StoreUnavailable
from aquatint.domain.key import Key
from aquatint.store.sqlite import schema
from aquatint.store.sqlite.store import SqliteStore
from aquatint.store.sqlite.writer import Writer
from support.rows import new_task


@pytest.fixture
def db(path: Path) -> sqlite3.Connection:
    connection = schema.connect(path)
    connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")
    return connection


def insert(text: str, fail: type[Exception] | None = None) -> Callable[[sqlite3.Connection], str]:
    def write(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO note (text) VALUES (?)", (text,))
        if fail is not None:
            raise fail("after the write")
        return text

    return write


def notes(path: Path) -> set[str]:
    with sqlite3.connect(path) as reader:
        return {row[0] for row in reader.execute("SELECT text FROM note")}


async def test_a_failing_operation_undoes_only_itself(db: sqlite3.Connection, path: Path) -> None:
    """Of a group in which one operation raises half-way, all the others stand and have their values."""
    writer = Writer(db)
    operations = [insert(f"n{i}", ValueError if i % 7 == 3 else None) for i in range(40)]
    results = await asyncio.gather(*(writer.run(op) for op in operations), return_exceptions=True)
    await writer.close()
    for i, result in enumerate(results):
        if i % 7 == 3:
            assert isinstance(result, ValueError)
        else:
            assert result == f"n{i}"
    assert notes(path) == {f"n{i}" for i in range(40) if i % 7 != 3}


async def test_broken_statements_undo_only_themselves(db: sqlite3.Connection, path: Path) -> None:
    """The same for errors of the database itself: wrong SQL, a broken constraint, a transaction ended by hand."""
    writer = Writer(db)

    def twice(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO note (text) VALUES ('half')")
        connection.execute("INSERT INTO note (text) VALUES ('half')")

    results = await asyncio.gather(
        writer.run(insert("before")),
        writer.run(twice),
        writer.run(lambda connection: connection.execute("SELECT nonsense")),
        writer.run(insert("after")),
        return_exceptions=True,
    )
    await writer.close()
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert isinstance(results[2], StoreUnavailable)
    assert notes(path) == {"before", "after"}


async def test_operations_run_in_order(db: sqlite3.Connection) -> None:
    """What was asked for first runs first, posts and waits alike."""
    seen: list[int] = []
    writer = Writer(db)
    waits = []

    def note(i: int) -> Callable[[sqlite3.Connection], None]:
        return lambda _: seen.append(i)

    for i in range(60):
        if i % 3 == 0:
            writer.post(note(i))
        else:
            waits.append(asyncio.ensure_future(writer.run(note(i), durable=i % 3 == 1)))
            await asyncio.sleep(0)
    await asyncio.gather(*waits)
    await writer.close()
    assert seen == list(range(60))


async def test_returned_means_visible_to_others(db: sqlite3.Connection, path: Path) -> None:
    """When a durable operation returns, another connection sees it."""
    writer = Writer(db)
    for i in range(20):
        await writer.run(insert(f"n{i}"))
        assert f"n{i}" in notes(path)
    await writer.close()


async def test_close_finishes_what_was_asked_for(db: sqlite3.Connection, path: Path) -> None:
    """Closing commits the queue, posts included; later operations are refused."""
    writer = Writer(db)
    pending = [asyncio.ensure_future(writer.run(insert(f"r{i}"))) for i in range(5)]
    await asyncio.sleep(0)
    writer.post(insert("posted"))
    await writer.close()
    assert await asyncio.gather(*pending) == [f"r{i}" for i in range(5)]
    assert "posted" in notes(path)
    with pytest.raises(StoreUnavailable):
        await writer.run(insert("late"))


async def test_waits_for_another_process(db: sqlite3.Connection, path: Path) -> None:
    """While another connection holds the write lock, operations wait and then succeed."""
    writer = Writer(db)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(writer.run(insert("patient")))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    other.execute("COMMIT")
    assert await asyncio.wait_for(waiting, 5) == "patient"
    other.close()
    await writer.close()


async def test_full_disk(path: Path) -> None:
    """A database that cannot grow refuses the submit as StoreUnavailable, keeps what it has, and recovers."""
    store = SqliteStore(path)
    await store.open()
    kept = await store.submit(new_task(), 10**6)
    connection = store._write_connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages + 2}")
    results = await asyncio.gather(*(store.submit(new_task(), 10**6) for _ in range(500)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, StoreUnavailable)]
    assert refused
    for result in results:
        assert isinstance(result, StoreUnavailable) or await store.task(result.task_id)  # type: ignore[union-attr]
    assert await store.task(kept.task_id) is not None
    connection.execute("PRAGMA max_page_count=1000000")
    after = await store.submit(new_task(), 10**6)
    assert await store.task(after.task_id) is not None
    await store.close()


async def test_key_names_do_not_clash_silently(path: Path) -> None:
    """The same secret twice is an error, not a second key."""
    store = SqliteStore(path)
    await store.open()
    await store.add_key(Key("a", "a", "p", 0), b"hash")
    with pytest.raises(sqlite3.IntegrityError):
        await store.add_key(Key("b", "b", "p", 0), b"hash")
    assert [known.id for known in await store.keys()] == ["a"]
    assert await store.revoke_key("a", 5) is True
    assert await store.revoke_key("a", 6) is False
    found = await store.key_by_hash(b"hash")
    assert found is not None
    assert found.revoked_at == 5
    await store.close()
