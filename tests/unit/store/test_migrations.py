"""Databases of earlier versions, as their servers left them when they were killed, under this version."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from aquatint.domain.delivery import DeliveryState
from aquatint.domain.errors import Conflict
from aquatint.domain.task import RUNNING, TERMINAL, Status, Task, TaskFilter
from aquatint.services.keys import ENVIRONMENT_KEY
from aquatint.store.base import Store
from aquatint.store.postgres.store import PostgresStore
from aquatint.store.records import Idempotency
from aquatint.store.sqlite import schema
from aquatint.store.sqlite.store import SqliteStore
from support.postgres import Postgres
from support.rows import new_task, settlement

RECORDED = sorted((Path(__file__).parent / "released").glob("*.sql"))  # made by support/recorded.py
MANY = 10**6
FAR = 10**17


async def left_behind(file: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Store:
    """The recorded database in a store that is not open yet."""
    if file.name.startswith("sqlite"):
        database = sqlite3.connect(tmp_path / "old.db")
        database.executescript(file.read_text())
        database.close()
        return SqliteStore(tmp_path / "old.db")
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.database()
    connection = await asyncpg.connect(url)
    await connection.execute(file.read_text())
    await connection.close()
    return PostgresStore(url)


async def everything(store: Store) -> list[Task]:
    """The tasks of both keys: the one of the settings and the one whose points are counted."""
    keys = [ENVIRONMENT_KEY, *(key.id for key in await store.keys())]
    return [task for key in keys for task in await store.tasks(TaskFilter(key, limit=100))]


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
async def test_from_every_version(file: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Nothing of it is lost: what had ended shows how, what waited or ran goes on, balances add up."""
    store = await left_behind(file, tmp_path, request)
    await store.open()
    tasks = await everything(store)
    ended = Counter(task.status for task in tasks if task.status in TERMINAL)
    assert ended == {Status.SUCCESS: 4, Status.CANCELLED: 1}
    running = sum(task.status in RUNNING for task in tasks)
    assert (running > 0, len(tasks)) == (True, 8)
    done = [task for task in tasks if task.status is Status.SUCCESS]
    assert sorted(len(task.result.images) for task in done if task.result is not None) == [1, 1, 1, 2]
    assert {(await store.events(task.no))[0].name for task in tasks} == {"task.submitted"}
    told = [delivery.state for task in tasks for delivery in await store.deliveries(task.no)]
    assert Counter(told) == {DeliveryState.DELIVERED: 2, DeliveryState.PENDING: 1}
    (key,) = [key for key in await store.keys() if key.name == "counted"]
    assert key.points == 97, "one was captured, two are held"
    tokens = [image.token for task in done if task.result is not None for image in task.result.images]
    assert None not in [await store.link(token) for token in tokens]

    now = max(task.updated_at for task in tasks) + 1
    lane = next(task.lane for task in tasks if task.status is Status.PENDING) or "null"
    assert await store.release_expired(FAR) == running
    claimed = await store.claim("new", lane, 10, FAR, FAR + 1)
    assert Counter(task.attempt for task in claimed) == {1: 3 - running, 2: running}
    for task in claimed:
        assert await store.settle(settlement(task.no, task.attempt, at=now, points_charged=1))
    (key,) = [key for key in await store.keys() if key.name == "counted"]
    assert key.points == 97
    assert {task.status for task in await everything(store)} == {Status.SUCCESS, Status.CANCELLED}

    again = Idempotency("again", b"another body", expires_at=FAR)
    with pytest.raises(Conflict):
        await store.submit(new_task(key_id=key.id, at=now, idempotency=again), MANY)
    await store.submit(new_task(at=now, lane=lane), MANY)
    assert len(await store.claim("new", lane, 10, now, FAR)) == 1
    await store.close()


def test_there_is_a_record_of_every_version() -> None:
    """Whoever adds a migration records the version before it: support/recorded.py says how."""
    newest = schema.migrations()[-1][0]
    kept = {int(file.stem.split("-")[1]) for file in RECORDED if file.name.startswith("sqlite")}
    assert kept >= set(range(1, newest)) - {3}, "3 was never released without 4"
