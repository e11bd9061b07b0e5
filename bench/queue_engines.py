"""The task table as the queue, or PgQueuer beside it: `python -m bench.queue_engines` (the table of decision 0010).

Both ways write the same rows for a task (the task itself and its events, three transactions a task) on the same
PostgreSQL with its default, durable settings, in batches, through asyncpg. The one way claims from the task table
with SKIP LOCKED and is woken by NOTIFY. The other enqueues a job of PgQueuer in the submit's transaction, and takes
jobs by it. No HTTP, no pictures: what differs is what is measured. Without --url a server of its own is started;
--url names a database that may be emptied.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

MODES = {"table": "the task table", "pgqueuer": "PgQueuer beside it"}
BATCH = 256  # items of one transaction
AT_ONCE = 2  # transactions of one kind under way in a process
CALLERS = 64  # who submit
PLACES = 128  # tasks that a worker runs at once
LEASE = 20_000_000  # microseconds
PROBES = 60  # single tasks whose way is timed
ECHO = b'{"prompt":"x","n":1}' * 8
RESULT = b"{}" * 50
TABLES = """
DROP TABLE IF EXISTS task, event;
CREATE TABLE task (
    no BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT NOT NULL UNIQUE, key_id TEXT NOT NULL,
    lane TEXT NOT NULL, status TEXT NOT NULL, phase SMALLINT NOT NULL DEFAULT 0, attempt INT NOT NULL DEFAULT 0,
    not_before BIGINT NOT NULL, class SMALLINT NOT NULL DEFAULT 0, priority SMALLINT NOT NULL DEFAULT 0,
    rank BIGINT NOT NULL DEFAULT 0, lease_owner TEXT, lease_until BIGINT, created_at BIGINT NOT NULL,
    updated_at BIGINT, input BYTEA, echo BYTEA, result BYTEA);
CREATE INDEX waiting ON task (lane, class, priority, rank, no) WHERE phase = 0;
CREATE INDEX leased ON task (lease_until) WHERE phase = 1;
CREATE TABLE event (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task_no BIGINT, at BIGINT, name TEXT, detail TEXT DEFAULT '');
"""
EVENTS = "INSERT INTO event (task_no, at, name) SELECT n, $2, $3 FROM unnest($1::bigint[]) AS v(n)"

Write = Callable[[Any, Sequence[Any]], Awaitable[Sequence[Any]]]


def now() -> int:
    return time.time_ns() // 1000


class Batch:
    """What is asked for while transactions are under way becomes the next one."""

    def __init__(self, pool: Any, write: Write) -> None:
        self._pool = pool
        self._write = write
        self._waiting: list[tuple[Any, asyncio.Future[Any]]] = []
        self._runs: set[asyncio.Task[None]] = set()

    async def __call__(self, item: Any) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._runs) < AT_ONCE:
            run = asyncio.create_task(self._run())
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)
        return await future

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            async with self._pool.acquire() as db, db.transaction():
                results = await self._write(db, [item for item, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)


async def insert(db: Any, ids: Sequence[str]) -> list[int]:
    """Tasks with their first event; their numbers, in the order of `ids`."""
    rows = await db.fetch(
        "INSERT INTO task (id, key_id, lane, status, not_before, rank, created_at, input, echo)"
        " SELECT id, 'k', 'null', 'PENDING', $2, $2, $2, $3, $3 FROM unnest($1::text[]) AS v(id) RETURNING no, id",
        list(ids),
        now(),
        ECHO,
    )
    numbers = {row["id"]: row["no"] for row in rows}
    await db.execute(EVENTS, list(numbers.values()), now(), "task.submitted")
    return [numbers[task_id] for task_id in ids]


async def submit(mode: str, db: Any, ids: Sequence[str]) -> list[int]:
    """Insert the tasks and let workers know, in the transaction of the caller."""
    numbers = await insert(db, ids)
    if mode == "table":
        await db.execute("SELECT pg_notify('work', 'null')")
    else:
        from pgqueuer.queries import Queries

        jobs = [str(number).encode() for number in numbers]
        await Queries.from_asyncpg_connection(db).enqueue(["task"] * len(jobs), jobs, [0] * len(jobs))
    return numbers


async def take(db: Any, numbers: Sequence[int]) -> list[int | None]:
    """Claim tasks that PgQueuer's jobs name; the attempt of each, None where there is nothing to claim any more."""
    rows = await db.fetch(
        "UPDATE task SET phase = 1, status = 'PROCESSING', attempt = attempt + 1, lease_owner = 'w', lease_until = $2"
        " FROM unnest($1::bigint[]) AS v(n) WHERE no = n AND phase = 0 RETURNING no, attempt, input",
        list(numbers),
        now() + LEASE,
    )
    await db.execute(EVENTS, [row["no"] for row in rows], now(), "task.claimed")
    attempts = {row["no"]: row["attempt"] for row in rows}
    return [attempts.get(number) for number in numbers]


async def take_next(db: Any, room: int) -> list[Any]:
    """Claim the next tasks of the lane."""
    rows = await db.fetch(
        "UPDATE task SET phase = 1, status = 'PROCESSING', attempt = attempt + 1, lease_owner = 'w', lease_until = $2"
        " WHERE no IN (SELECT no FROM task WHERE phase = 0 AND lane = 'null' AND not_before <= $3"
        " ORDER BY class, priority, rank, no LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING no, attempt, input",
        room,
        now() + LEASE,
        now(),
    )
    if rows:
        await db.execute(EVENTS, [row["no"] for row in rows], now(), "task.claimed")
    return list(rows)


async def settle(db: Any, claimed: Sequence[tuple[int, int]]) -> list[bool]:
    """Write the outcomes of attempts that still own their task."""
    rows = await db.fetch(
        "UPDATE task SET phase = 2, status = 'SUCCESS', result = $3, updated_at = $4, lease_owner = NULL"
        " FROM unnest($1::bigint[], $2::int[]) AS v(n, a) WHERE no = n AND attempt = a AND phase = 1 RETURNING no",
        [number for number, _ in claimed],
        [attempt for _, attempt in claimed],
        RESULT,
        now(),
    )
    await db.execute(EVENTS, [row["no"] for row in rows], now(), "task.success")
    return [True] * len(claimed)


async def work(mode: str, url: str) -> None:
    """A worker, until it is killed."""
    pool = await asyncpg.create_pool(url, min_size=4, max_size=6)
    end = Batch(pool, settle)
    await (_work_by_jobs if mode == "pgqueuer" else _work_by_table)(url, pool, end)


async def _work_by_jobs(url: str, pool: Any, end: Batch) -> None:
    from pgqueuer import PgQueuer
    from pgqueuer.db import AsyncpgPoolDriver

    queue = PgQueuer(AsyncpgPoolDriver(pool))
    claim = Batch(pool, take)

    @queue.entrypoint("task")
    async def task(job: Any) -> None:
        number = int(job.payload)
        if attempt := await claim(number):
            await end((number, attempt))

    await queue.qm.run(batch_size=100, dequeue_timeout=timedelta(seconds=5))


async def _work_by_table(url: str, pool: Any, end: Batch) -> None:
    wake = asyncio.Event()
    ears = await asyncpg.connect(url)
    await ears.add_listener("work", lambda *heard: wake.set())
    running: set[asyncio.Task[Any]] = set()

    def done(task: asyncio.Task[Any]) -> None:
        running.discard(task)
        wake.set()

    while True:
        wake.clear()
        rows: list[Any] = []
        room = PLACES - len(running)
        if room >= PLACES // 8 or not running:
            async with pool.acquire() as db, db.transaction():
                rows = await take_next(db, room)
        for row in rows:
            task = asyncio.create_task(end((row["no"], row["attempt"])))
            running.add(task)
            task.add_done_callback(done)
        if not rows:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), 5.0)


async def prepare(url: str) -> None:
    """Empty tables, and PgQueuer's own anew."""
    from pgqueuer.queries import Queries

    db = await asyncpg.connect(url)
    await db.execute(TABLES)
    queries = Queries.from_asyncpg_connection(db)
    with contextlib.suppress(Exception):  # the first time there is nothing to remove
        await queries.uninstall()
    await queries.install()
    await db.close()


async def submits(mode: str, url: str, tasks: int) -> float:
    """Submits a second of CALLERS concurrent callers."""
    pool = await asyncpg.create_pool(url, min_size=4, max_size=4)
    write = Batch(pool, functools.partial(submit, mode))
    left = iter(range(tasks))

    async def caller() -> None:
        for _ in left:
            await write(str(uuid.uuid4()))

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    took = time.perf_counter() - started
    await pool.close()
    return tasks / took


async def drain(mode: str, url: str, workers: int) -> tuple[float, list[float]]:
    """Tasks a second that workers end of a full table; with one worker, the ways of single tasks afterwards."""
    db = await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM task WHERE phase < 2"
    before = await db.fetchval(waiting)
    command = [sys.executable, __file__, "--url", url, "--work", mode]
    processes = [subprocess.Popen(command) for _ in range(workers)]
    try:
        while await db.fetchval(waiting) > before - 50:  # they have started
            await asyncio.sleep(0.01)
        started, left = time.perf_counter(), await db.fetchval(waiting)
        while await db.fetchval(waiting):
            await asyncio.sleep(0.02)
        rate = left / (time.perf_counter() - started)
        return rate, await ways(mode, url) if workers == 1 else []
    finally:
        for process in processes:
            process.kill()
            process.wait()
        await db.close()


async def ways(mode: str, url: str) -> list[float]:
    """Milliseconds from a submit to its outcome while nothing else is asked for."""
    pool = await asyncpg.create_pool(url, min_size=2, max_size=2)
    found = []
    for _ in range(PROBES):
        started = time.perf_counter()
        async with pool.acquire() as db, db.transaction():
            (number,) = await submit(mode, db, [str(uuid.uuid4())])
        while await pool.fetchval("SELECT phase FROM task WHERE no = $1", number) != 2:
            await asyncio.sleep(0.001)
        found.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0.03)
    await pool.close()
    return sorted(found)


async def measure(url: str, rounds: int, tasks: int) -> None:
    """Interleaved rounds; prints the table."""
    seen: dict[tuple[str, str], list[float]] = {}

    def note(what: str, mode: str, value: float) -> None:
        seen.setdefault((what, mode), []).append(value)

    for _ in range(rounds):
        for mode in MODES:
            await prepare(url)
            note("submits/s", mode, await submits(mode, url, tasks))
            rate, single = await drain(mode, url, 1)
            note("drained/s, 1 worker", mode, rate)
            note("submit to outcome at low load, ms, p50", mode, single[len(single) // 2])
            note("the same, p95", mode, single[int(len(single) * 0.95)])
            await submits(mode, url, tasks)
            note("drained/s, 2 workers", mode, (await drain(mode, url, 2))[0])
    db = await asyncpg.connect(url)
    stated = {name: await db.fetchval(f"SHOW {name}") for name in ("server_version", "fsync", "synchronous_commit")}
    await db.close()
    print(", ".join(f"{name} {value}" for name, value in stated.items()))
    print(f"\n| {rounds} rounds of {tasks:,} tasks | {' | '.join(MODES.values())} |\n|---|---|---|")
    for what in dict.fromkeys(what for what, _ in seen):
        print(f"| {what} | {' | '.join(_shown(seen[what, mode]) for mode in MODES)} |")


def _shown(values: Sequence[float]) -> str:
    digits = 0 if min(values) >= 100 else 1
    return f"{statistics.median(values):,.{digits}f} [{min(values):,.{digits}f}..{max(values):,.{digits}f}]"


async def with_a_server(arguments: Sequence[str]) -> int:
    """Start a PostgreSQL, and measure in the environment of the peers, which has PgQueuer."""
    from bench import peer_env
    from bench.postgres import cluster

    python = peer_env.ready().python
    with tempfile.TemporaryDirectory(prefix="aq", ignore_cleanup_errors=True) as folder:
        async with cluster(Path(folder)) as server:
            command = [python, str(Path(__file__).resolve()), "--url", server.url(), *arguments]
            process = await asyncio.create_subprocess_exec(*command)
            return await process.wait()


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--url", help="a database that may be emptied; this Python then needs asyncpg and pgqueuer")
    options.add_argument("--rounds", type=int, default=3, help="interleaved rounds")
    options.add_argument("--tasks", type=int, default=10_000, help="tasks of each load")
    options.add_argument("--work", choices=MODES, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.url is None:
        return asyncio.run(with_a_server(["--rounds", str(given.rounds), "--tasks", str(given.tasks)]))
    asyncio.run(work(given.work, given.url) if given.work else measure(given.url, given.rounds, given.tasks))
    return 0


if __name__ == "__main__":
    sys.exit(main())
