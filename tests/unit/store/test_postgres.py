"""What only the store on PostgreSQL does: other processes, lost connections, migrations under load."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from aquatint.domain.errors import ConfigurationError, StoreUnavailable
from aquatint.services.tools import Clock
from aquatint.store.postgres import ears, schema
from aquatint.store.postgres import pool as connections
from aquatint.store.postgres.pool import Pool
from aquatint.store.postgres.probe import probe
from aquatint.store.postgres.store import PostgresStore
from support.cluster import Wire
from support.postgres import Postgres
from support.rows import LANE, new_delivery, new_task, settlement

MANY = 10**6
FAR = 10**15


@pytest.fixture
async def pair(postgres_url: str) -> AsyncIterator[tuple[PostgresStore, PostgresStore]]:
    """Two processes' stores on one database."""
    stores = PostgresStore(postgres_url), PostgresStore(postgres_url)
    for store in stores:
        await store.open()
    yield stores
    for store in stores:
        await store.close()


async def until(holds: Callable[[], bool], timeout: float = 5.0) -> None:
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.01)


# other processes


async def test_announcements(pair: tuple[PostgresStore, PostgresStore]) -> None:
    """What one process does wakes the others: a waiting task, a due callback, a stop, a nudge, a resumed lane."""
    near, far = pair
    heard: list[tuple[str, str]] = []
    await far.listen(lambda what, which: heard.append((what, which)))
    await until(lambda: len(heard) >= 2)
    heard.clear()
    await near.submit(new_task(callback="https://a.invalid/hook"), MANY)
    await until(lambda: ("work", LANE) in heard)
    (task,) = await far.claim("w", LANE, 1, 1, FAR)
    await near.settle(settlement(task.no, 1, delivery=new_delivery()))
    await until(lambda: any(what == "delivery" for what, _ in heard))
    await near.announce("stop", task.id)
    await near.announce("nudge", "p:1 job 7")
    await near.pause_lane("fal", True)
    await near.pause_lane("fal", False)
    await until(lambda: {("stop", task.id), ("nudge", "p:1 job 7"), ("work", "fal")} <= set(heard))


async def test_two_processes_claim_apart(pair: tuple[PostgresStore, PostgresStore]) -> None:
    """Each task and each callback goes to one of them."""
    near, far = pair
    await asyncio.gather(*(near.submit(new_task(), MANY) for _ in range(200)))
    claims = await asyncio.gather(
        *(store.claim(f"w{i}", LANE, 7, 1, FAR) for i, store in enumerate((near, far) * 30))
    )
    taken = [task.no for claimed in claims for task in claimed]
    assert len(taken) == len(set(taken)) == 200
    await asyncio.gather(*(near.settle(settlement(no, 1, delivery=new_delivery())) for no in taken))
    sent = await asyncio.gather(
        *(store.claim_deliveries(f"w{i}", 7, 100, FAR, []) for i, store in enumerate((near, far) * 30))
    )
    made = [delivery.no for claimed in sent for delivery in claimed]
    assert len(made) == len(set(made)) == 200


async def test_fair_turns_hold_over_processes(pair: tuple[PostgresStore, PostgresStore]) -> None:
    """Keys take turns, whichever server took their tasks and whichever worker claims."""
    near, far = pair
    await asyncio.gather(*(store.submit(new_task(key_id="flood"), MANY) for store in pair for _ in range(30)))
    await near.claim("w", LANE, 10, 1, FAR)
    await far.submit(new_task(key_id="small"), MANY)
    first = [(await store.claim("w", LANE, 1, 1, FAR))[0].key_id for store in pair]
    assert "small" in first


# many writers of the same rows


async def test_writers_of_the_same_tasks_never_wait_in_a_circle(
    pair: tuple[PostgresStore, PostgresStore], postgres: Postgres, postgres_url: str
) -> None:
    """Marks, progress, leases and outcomes of the same tasks, in any order and from two processes."""
    near, _ = pair
    chance = random.Random(7)
    for _ in range(12):
        await asyncio.gather(*(near.submit(new_task(), MANY) for _ in range(150)))
        numbers = [task.no for task in await near.claim("w", LANE, 150, 1, FAR)]
        for store in pair:
            for number in chance.sample(numbers, len(numbers)):
                store.mark_submitted(number, 1, "null", 2)
                store.note_progress(number, 1, 0.5)
        shuffled = chance.sample(numbers, len(numbers))
        renewals = [near.renew("w", chance.sample(numbers, len(numbers)), [], FAR + i) for i in range(6)]
        outcomes = [store.settle(settlement(no, 1)) for no in shuffled for store in pair]
        settled = await asyncio.gather(*chance.sample([*renewals, *outcomes], len(renewals) + len(outcomes)))
        assert sum(answer is True for answer in settled) == 150
    await asyncio.sleep(0.6)  # PostgreSQL counts with a delay
    [(deadlocks,)] = postgres.sql(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()", postgres_url
    )
    assert deadlocks == 0


async def test_a_deadlock_is_tried_again(pair: tuple[PostgresStore, PostgresStore], postgres_url: str) -> None:
    """Whoever else locks our rows in another order: an outcome that lost against it is written after it."""
    near, _ = pair
    for _ in range(2):
        await near.submit(new_task(), MANY)
    first, second = sorted(task.no for task in await near.claim("w", LANE, 2, 1, FAR))
    other = await asyncpg.connect(postgres_url)
    await other.execute("SET deadlock_timeout = '1h'")  # so that it is not the one that gives way
    async with other.transaction():
        await other.execute("SELECT 1 FROM task WHERE no = $1 FOR UPDATE", second)
        outcomes = asyncio.gather(*(near.settle(settlement(no, 1)) for no in (first, second)))
        await asyncio.sleep(0.3)  # it has the first now and waits for the second
        await asyncio.wait_for(other.execute("SELECT 1 FROM task WHERE no = $1 FOR UPDATE", first), 10)
    assert await outcomes == [True, True]
    await other.close()


# a database that goes away


async def test_ears_come_back(postgres: Postgres, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut connection is noticed and made anew; then everything may have been missed, so everything is looked at."""
    monkeypatch.setattr(ears, "AGAIN", 0.05)
    monkeypatch.setattr(ears, "ALIVE", 0.2)
    monkeypatch.setattr("aquatint.store.postgres.pool.CONNECT_SECONDS", 0.2)  # as long as a close waits for the dead
    with Wire("127.0.0.1", postgres.port) as wire:
        store = PostgresStore(postgres_url.replace(f":{postgres.port}/", f":{wire.port}/"))
        await store.open()
        heard: list[tuple[str, str]] = []
        await store.listen(lambda what, which: heard.append((what, which)))
        await until(lambda: ("work", "") in heard)
        heard.clear()
        wire.cut()
        await asyncio.sleep(0.5)
        wire.mend()
        await until(lambda: {("work", ""), ("delivery", "")} <= set(heard))
        await store.close()


async def test_a_server_that_is_not_there() -> None:
    """Is said, and is no error of the set-up: it may come up later."""
    store = PostgresStore("postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(StoreUnavailable):
        await store.open()


async def test_a_database_that_is_not_there(postgres: Postgres) -> None:
    """Nothing that waiting would mend."""
    with pytest.raises(ConfigurationError, match=r"database\.url"):
        await PostgresStore(postgres.url("no_such_database")).open()


async def test_connections_that_are_killed(pair: tuple[PostgresStore, PostgresStore], postgres_url: str) -> None:
    """Every statement under way is refused as StoreUnavailable, and the next ones work."""
    near, _ = pair
    submits = [asyncio.create_task(near.submit(new_task(), MANY)) for _ in range(500)]
    other = await asyncpg.connect(postgres_url)
    await asyncio.sleep(0.01)
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )
    answers = await asyncio.gather(*submits, return_exceptions=True)
    assert all(isinstance(answer, StoreUnavailable) or not isinstance(answer, Exception) for answer in answers)
    after = await near.submit(new_task(), MANY)
    assert await near.task(after.task_id) is not None
    written = await other.fetchval("SELECT count(*) FROM task")
    acknowledged = sum(not isinstance(answer, Exception) for answer in answers)
    assert written >= acknowledged + 1
    await other.close()


async def test_who_is_cut_off_in_a_transaction_holds_nothing(
    postgres: Postgres, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody tells the server that it will never hear the rest, and others pass over what is locked."""
    for name, seconds in (("FORSAKEN", 1.0), ("STATEMENT_SECONDS", 1.0), ("CONNECT_SECONDS", 2.0)):
        monkeypatch.setattr(connections, name, seconds)
    near = PostgresStore(postgres_url)
    await near.open()
    await near.submit(new_task(), MANY)
    (task,) = await near.claim("far", LANE, 1, 1, 2)
    locked = asyncio.Event()

    async def begin(far: Pool) -> None:
        async with far.transaction() as db:
            await db.execute("SELECT 1 FROM task WHERE no = $1 FOR UPDATE", task.no)
            locked.set()
            await asyncio.sleep(3600)

    with Wire("127.0.0.1", postgres.port) as wire:
        far = Pool(postgres_url.replace(f":{postgres.port}/", f":{wire.port}/"))
        await far.open()
        half = asyncio.create_task(begin(far))
        await locked.wait()
        wire.cut()
        assert await near.release_expired(3) == 0
        released = 0
        end = time.monotonic() + 10
        while not released:
            assert time.monotonic() < end, "what it had locked is locked still"
            await asyncio.sleep(0.1)
            released = await near.release_expired(3)
        half.cancel()
        await asyncio.wait([half])
        await far.close()
    await near.close()


async def used(store: Pool, seconds: float) -> None:
    async with store.connection() as connection:
        await connection.execute(f"SELECT pg_sleep({seconds})")


@pytest.fixture
async def pool(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pool]:
    """One that loses its patience soon."""
    monkeypatch.setattr(connections, "PATIENCE", 0.5)
    opened = Pool(postgres_url)
    await opened.open()
    yield opened
    await opened.close()


async def test_a_long_line_is_served_while_it_moves(pool: Pool) -> None:
    """Thousands may want a connection at once: whoever waits longer than the patience gets one, too, in order."""
    began = time.monotonic()
    await asyncio.gather(*(used(pool, 0.1) for _ in range(connections.SIZE * 12)))
    assert time.monotonic() - began > 2 * connections.PATIENCE


async def test_a_line_that_does_not_move_is_refused(pool: Pool) -> None:
    """And whoever left it, by losing patience or by being stopped, has taken no place with him."""
    held = [asyncio.create_task(used(pool, 2.0)) for _ in range(connections.SIZE)]
    await asyncio.sleep(0.2)
    stopped = [asyncio.create_task(used(pool, 0.0)) for _ in range(50)]
    await asyncio.sleep(0.1)
    for task in stopped[::2]:
        task.cancel()
    answers = await asyncio.gather(*stopped, return_exceptions=True)
    assert {type(answer) for answer in answers[1::2]} == {StoreUnavailable}
    await asyncio.gather(*held)
    await asyncio.wait_for(asyncio.gather(*(used(pool, 0.2) for _ in range(connections.SIZE))), 5.0)


async def test_stopped_just_as_the_turn_came(pool: Pool) -> None:
    """Places are neither lost nor doubled by cancellations at any moment."""
    chance = random.Random(5)
    for _ in range(30):
        users = [asyncio.create_task(used(pool, 0.002)) for _ in range(60)]
        await asyncio.sleep(chance.uniform(0.0, 0.02))
        for user in chance.sample(users, 30):
            user.cancel()
        await asyncio.gather(*users, return_exceptions=True)
    assert pool._places._value == connections.SIZE


# batches


async def test_one_that_cannot_be_written_harms_no_other(pair: tuple[PostgresStore, PostgresStore]) -> None:
    """Submits of one moment share a transaction, and nothing else."""
    near, _ = pair
    tasks = [new_task(model="a\0b" if number == 50 else "m") for number in range(100)]
    answers = await asyncio.gather(*(near.submit(task, MANY) for task in tasks), return_exceptions=True)
    failed = [number for number, answer in enumerate(answers) if isinstance(answer, Exception)]
    assert failed == [50]
    assert not isinstance(answers[50], StoreUnavailable)
    for task in tasks[:50]:
        assert await near.task(task.id) is not None


# migrations


async def newest(url: str) -> int:
    connection = await asyncpg.connect(url)
    found = int(await connection.fetchval("SELECT max(number) FROM schema_version"))
    await connection.close()
    return found


def later(*scripts: str) -> Callable[[], list[tuple[int, str]]]:
    """This version's migrations and then these."""
    known = schema.migrations()
    return lambda: [*known, *((known[-1][0] + 1 + at, script) for at, script in enumerate(scripts))]


async def test_many_processes_start_at_once(postgres: Postgres) -> None:
    """One of them makes the tables, the others wait for it."""
    stores = [PostgresStore(postgres.database()) for _ in range(1)]
    stores += [PostgresStore(stores[0]._pool.url) for _ in range(5)]
    await asyncio.gather(*(store.open() for store in stores))
    assert await newest(stores[0]._pool.url) == schema.migrations()[-1][0]
    for store in stores:
        await store.close()


async def test_a_newer_version_expands_while_an_older_one_works(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tasks go on through a migration that says that it may run beside this version; then old and new start."""
    old = PostgresStore(postgres_url)
    await old.open()
    now = schema.migrations()[-1][0]
    working, answers = True, []

    async def work() -> None:
        while working:
            answers.append(await old.submit(new_task(), MANY))
            for task in await old.claim("w", LANE, 1, 1, FAR):
                assert await old.settle(settlement(task.no, 1))

    load = [asyncio.create_task(work()) for _ in range(4)]
    await asyncio.sleep(0.2)
    with monkeypatch.context() as newer:
        expand = f"-- needs: {now}\nALTER TABLE task ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';"
        newer.setattr(schema, "migrations", later(expand))
        new = PostgresStore(postgres_url)
        await new.open()
        before = len(answers)
        await until(lambda: len(answers) > before + 20)
    working = False
    await asyncio.gather(*load)
    assert await newest(postgres_url) == now + 1
    again = PostgresStore(postgres_url)
    await again.open()
    assert await again.task(answers[-1].task_id) is not None
    for store in (old, new, again):
        await store.close()


async def test_a_newer_version_that_contracted(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses an older one that would not understand it."""
    with monkeypatch.context() as newer:
        newer.setattr(schema, "migrations", later("ALTER TABLE task RENAME COLUMN user_id TO who;"))
        new = PostgresStore(postgres_url)
        await new.open()
        await new.close()
    with pytest.raises(ConfigurationError, match="schema"):
        await PostgresStore(postgres_url).open()


async def test_half_a_migration_is_undone(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails in its middle leaves the schema of before."""
    now = schema.migrations()[-1][0]
    with monkeypatch.context() as newer:
        newer.setattr(schema, "migrations", later("CREATE TABLE half (a INTEGER);\nINSERT INTO nowhere VALUES (1);"))
        with pytest.raises(asyncpg.UndefinedTableError):
            await PostgresStore(postgres_url).open()
    assert await newest(postgres_url) == now
    store = PostgresStore(postgres_url)
    await store.open()
    await store.close()


# the operator's look, and time


async def test_probe(postgres: Postgres, postgres_url: str) -> None:
    """What `aquatint doctor` says of a server; nothing is made there."""
    found = await probe(postgres_url)
    assert (found.major >= 14, found.schema, found.newest, found.durable) == (True, found.newest, found.schema, True)
    assert 0 < found.round_trip < 1
    assert abs(found.clock_ahead) < 1
    empty = postgres.database()
    assert (await probe(empty)).schema == 0
    assert postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", empty) == [(0,)]


async def test_all_go_by_the_databases_clock(
    pair: tuple[PostgresStore, PostgresStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose clock is wrong, or is stepped, means the same moment as the others."""
    near, _ = pair
    monkeypatch.setattr(time, "time_ns", lambda: 10**18 * 3)  # the year 2065
    clock = Clock()
    truth: Any = await near.now()
    clock.set(truth)
    monkeypatch.setattr(time, "time_ns", lambda: 0)  # and back to 1970
    assert abs(clock.now() - truth) < 2_000_000
    earlier = clock.now()
    assert clock.now() >= earlier
