"""Reading on in the history: nothing is missed and nothing told twice, on either store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from aquatint.domain.task import Status, Task
from aquatint.services.edge import Settled
from aquatint.store.base import Store
from aquatint.store.postgres.store import PostgresStore
from support.rows import LANE, new_task, settlement

MANY = 10**6
FAR = 10**15


async def made(store: Store, key_id: str = "key-1") -> Task:
    submitted = await store.submit(new_task(key_id=key_id), MANY)
    task = await store.task(submitted.task_id)
    assert task is not None
    return task


async def test_events_of_a_task_after_one(store: Store) -> None:
    """Page by page, in order, from any event on."""
    task = await made(store)
    await store.claim("w", LANE, 1, 1, FAR)
    await store.settle(settlement(task.no, 1))
    every = await store.events(task.no)
    assert [event.name for event in every] == ["task.submitted", "task.claimed", "task.success"]
    assert await store.events(task.no, every[0].id) == every[1:]
    assert await store.events(task.no, every[0].id, 1) == every[1:2]
    assert await store.events(task.no, every[-1].id) == []


async def test_events_of_keys_and_tasks_within_a_range(store: Store) -> None:
    """Only those asked for, the oldest first, with whose they are, up to the limit and the end of the range."""
    assert (await store.edge()).newest == 0
    mine, other, third = await made(store), await made(store, "key-2"), await made(store, "key-3")
    edge = await store.edge()
    assert not edge.open
    found = await store.happened(0, edge.newest, 10, keys=["key-1", "key-3"])
    assert [(one.task_no, one.key_id, one.name) for one in found] == [
        (mine.no, "key-1", "task.submitted"),
        (third.no, "key-3", "task.submitted"),
    ]
    assert [one.task_no for one in await store.happened(0, edge.newest, 10, tasks=[other.no])] == [other.no]
    both = await store.happened(0, edge.newest, 10, [other.no], ["key-1"])
    assert [one.task_no for one in both] == [mine.no, other.no]
    assert await store.happened(0, edge.newest, 10) == []
    assert await store.happened(found[0].id, found[1].id - 1, 10, keys=["key-1", "key-3"]) == []
    assert await store.happened(0, edge.newest, 1, keys=["key-1", "key-3"]) == found[:1]
    assert await store.happened(0, 10_000, 10, keys=["key-1", "key-3"]) == found, "a long range is read elsewhere"


async def test_pulses(store: Store) -> None:
    """Tasks that are asked for stand as they do; of keys only what runs, up to the limit."""
    waiting, running = await made(store), await made(store)
    (claimed,) = await store.claim("w", LANE, 1, 1, FAR)
    assert claimed.no == waiting.no
    waiting, running = running, waiting
    store.note_progress(claimed.no, claimed.attempt, 0.25)
    await asyncio.sleep(0.1)
    found = {pulse.no: pulse for pulse in await store.pulses([waiting.no], ["key-1"], 10)}
    assert {no: (pulse.status, pulse.progress) for no, pulse in found.items()} == {
        waiting.no: (Status.PENDING, 0.0),
        running.no: (Status.PROCESSING, 0.25),
    }
    assert found[waiting.no].id == waiting.id
    assert await store.pulses([], ["key-1"], 0) == []
    assert await store.pulses([], ["key-2"], 10) == []


async def test_tasks_by_number(store: Store) -> None:
    """Those that exist."""
    one, two = await made(store), await made(store)
    assert {task.id for task in await store.tasks_of([two.no, one.no, 10**9])} == {one.id, two.id}
    assert await store.tasks_of([]) == []


# PostgreSQL: an id is taken before it can be seen


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(postgres_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def slow(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def add_event(connection: asyncpg.Connection, task: Task) -> int:
    found: int = await connection.fetchval(
        "INSERT INTO event (task_no, at, name) VALUES ($1, 0, 'delivery.requested') RETURNING id", task.no
    )
    return found


async def test_an_event_that_is_committed_late_is_not_missed(
    database: PostgresStore, slow: asyncpg.Connection
) -> None:
    """The tail does not pass an id that an open transaction holds, whichever transaction began first."""
    task, other = await made(database), await made(database)
    settled = Settled()
    before = settled.step(await database.edge())
    assert before is not None
    late = slow.transaction()
    await late.start()
    held = await add_event(slow, task)  # no transaction id is older than this one's, and its event is not to be seen
    seen = (await made(database)).no
    edge = await database.edge()
    assert edge.newest > held
    assert len(edge.open) == 1
    assert settled.step(edge) is None
    assert settled.step(await database.edge()) is None, "it stays open, so nothing above it is handed on"
    assert [one.task_no for one in await database.happened(before, edge.newest, 10, keys=["key-1"])] == [seen]
    await late.commit()
    up_to = settled.step(await database.edge())
    assert up_to is not None
    assert up_to >= edge.newest
    found = await database.happened(before, up_to, 10, keys=["key-1"])
    assert [one.id for one in found][:1] == [held]
    assert {one.task_no for one in found} == {task.no, seen}
    assert other.no not in {one.task_no for one in found}


async def test_the_older_transaction_with_the_younger_id(
    database: PostgresStore, postgres_url: str, slow: asyncpg.Connection
) -> None:
    """Transaction ids and event ids need not be in the same order; only ended transactions count."""
    task = await made(database)
    settled = Settled()
    before = settled.step(await database.edge())
    assert before is not None
    quick = await asyncpg.connect(postgres_url)
    older = quick.transaction()
    await older.start()
    await quick.execute("UPDATE task SET priority = 0 WHERE no = $1", task.no)  # its id is given here
    younger = slow.transaction()
    await younger.start()
    held = await add_event(slow, task)
    shown = await add_event(quick, task)
    assert shown > held
    await older.commit()  # older than every open transaction, and its event stands above one that is not there yet
    assert settled.step(await database.edge()) is None
    await younger.commit()
    up_to = settled.step(await database.edge())
    assert up_to is not None
    assert [one.id for one in await database.happened(before, up_to, 10, keys=["key-1"])] == [held, shown]
    await quick.close()


async def test_a_gap_that_stays_one_holds_nobody_up(database: PostgresStore, slow: asyncpg.Connection) -> None:
    """A transaction that was rolled back leaves a hole, and the history goes on above it."""
    task = await made(database)
    late = slow.transaction()
    await late.start()
    held = await add_event(slow, task)
    await late.rollback()
    above = await made(database)
    edge = await database.edge()
    assert Settled().step(edge) == edge.newest
    assert [one.task_no for one in await database.happened(held - 1, edge.newest, 10, keys=["key-1"])] == [above.no]


async def test_others_that_write_hold_nobody_up(database: PostgresStore, slow: asyncpg.Connection) -> None:
    """A long transaction that adds no event, such as a backup or somebody's own table, is not waited for."""
    await slow.execute("CREATE TABLE elsewhere (no INTEGER)")
    long = slow.transaction()
    await long.start()
    await slow.execute("INSERT INTO elsewhere VALUES (1)")
    await slow.fetch("SELECT * FROM event")
    await made(database)
    edge = await database.edge()
    assert Settled().step(edge) == edge.newest
    await long.rollback()


async def test_under_constant_writes_the_history_goes_on(database: PostgresStore) -> None:
    """Somebody always writes, and still every event is seen, once and in order."""
    stop = False

    async def write() -> None:
        while not stop:
            await made(database)

    writers = [asyncio.create_task(write()) for _ in range(6)]
    settled, position, ids = Settled(), 0, list[int]()
    looks = 0
    while len(ids) < 600:
        up_to = settled.step(await database.edge())
        looks += 1
        if up_to is not None and up_to > position:
            ids += [one.id for one in await database.happened(position, up_to, 10_000, keys=["key-1"])]
            position = up_to
    stop = True
    await asyncio.gather(*writers)
    last = settled.step(await database.edge())
    assert last is not None
    ids += [one.id for one in await database.happened(position, last, 10_000, keys=["key-1"])]
    every = [one.id for one in await database.happened(0, last, 100_000, keys=["key-1"])]
    assert ids == every
    assert looks > 5
