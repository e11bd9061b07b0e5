"""The embedded store: SQLite in WAL mode, synchronous=FULL, one writer that commits in groups."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from aquatint.domain.delivery import ClaimedDelivery, Delivery, DeliveryAttempt, DeliveryState
from aquatint.domain.errors import RateLimited, StoreUnavailable
from aquatint.domain.key import Key
from aquatint.domain.task import ClaimedTask, Micros, Task, TaskFilter
from aquatint.store.base import Event, Link, NewTask, Settlement, Submitted
from aquatint.store.sqlite import deliveries, keys, links, schema, tasks
from aquatint.store.sqlite.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")


class SqliteStore:
    """Implements store.base.Store on one database file of one server process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending = 0  # tasks waiting; kept here because counting rows costs more than the submit

    async def open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = schema.connect(self._path)
        schema.migrate(connection)
        self._writer = Writer(connection)
        self._write_connection = connection
        self._read = schema.connect(self._path, read_only=True)
        self._count_pending()

    async def close(self) -> None:
        await self._writer.close()
        self._read.close()
        self._write_connection.close()

    def _count_pending(self) -> None:
        self._pending = self._look(tasks.count_waiting)

    def _look(self, read: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one of the reads. Raises StoreUnavailable when the database refuses."""
        try:
            return read(self._read, *args, **kwargs)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the database refused: {error}") from error

    async def submit(self, task: NewTask, max_pending: int) -> Submitted:
        def write(db: sqlite3.Connection) -> Submitted:
            earlier = tasks.replayed(db, task)
            if earlier is not None:
                return earlier
            if self._pending >= max_pending:
                raise RateLimited("the queue is full; try again later", retry_after=10)
            return tasks.insert(db, task)

        submitted = await self._writer.run(write)
        self._pending += not submitted.replayed
        return submitted

    def task(self, task_id: str) -> Task | None:
        return self._look(tasks.read, task_id)

    def tasks(self, wanted: TaskFilter) -> list[Task]:
        return self._look(tasks.listing, wanted)

    def events(self, task_no: int) -> list[Event]:
        return self._look(tasks.events, task_no)

    async def claim(self, owner: str, limit: int, now: Micros, lease_until: Micros) -> list[ClaimedTask]:
        claimed = await self._writer.run(lambda db: tasks.claim(db, owner, limit, now, lease_until), durable=False)
        self._pending = max(0, self._pending - len(claimed))
        return claimed

    def next_due(self) -> Micros | None:
        return self._look(tasks.next_due)

    def mark_submitted(self, task_no: int, attempt: int, engine: str, at: Micros) -> None:
        self._writer.post(tasks.mark_submitted(task_no, attempt, engine, at))

    def note_progress(self, task_no: int, attempt: int, fraction: float) -> None:
        self._writer.post(tasks.note_progress(task_no, attempt, fraction))

    async def renew(self, owner: str, lease_until: Micros) -> None:
        await self._writer.run(
            lambda db: (
                db.execute(
                    "UPDATE task SET lease_until = ? WHERE phase = 1 AND lease_owner = ?",
                    (lease_until, owner),
                ).rowcount
            )
        )

    async def settle(self, outcome: Settlement) -> bool:
        settled = await self._writer.run(lambda db: tasks.settle(db, outcome))
        if settled and outcome.attempt == 0:  # it never left the queue
            self._pending = max(0, self._pending - 1)
        return settled

    async def requeue(
        self, task_no: int, attempt: int, not_before: Micros, at: Micros, why: str, *, failed: bool
    ) -> bool:
        requeued = await self._writer.run(lambda db: tasks.requeue(db, task_no, attempt, not_before, at, why, failed))
        self._pending += int(requeued)
        return requeued

    async def release_foreign(self, owner: str, now: Micros) -> int:
        def write(db: sqlite3.Connection) -> int:
            deliveries.release_foreign(db, owner, now)
            return tasks.release(db, "lease_owner <> ?", owner, now)

        released = await self._writer.run(write)
        self._count_pending()
        return released

    async def release_expired(self, now: Micros) -> int:
        released = await self._writer.run(lambda db: tasks.release(db, "lease_until <= ?", now, now))
        self._count_pending()  # also mends what cancels and timeouts of waiting tasks left uncounted
        return released

    def overdue(self, now: Micros, limit: int) -> list[Task]:
        return self._look(tasks.overdue, now, limit)

    async def claim_deliveries(
        self, owner: str, limit: int, now: Micros, lease_until: Micros, busy_hosts: Sequence[str]
    ) -> list[ClaimedDelivery]:
        return await self._writer.run(
            lambda db: deliveries.claim(db, owner, limit, now, lease_until, busy_hosts), durable=False
        )

    def next_delivery_due(self, busy_hosts: Sequence[str]) -> Micros | None:
        return self._look(deliveries.next_due, busy_hosts)

    async def record_delivery(
        self, delivery_no: int, attempt: DeliveryAttempt, state: DeliveryState, next_at: Micros | None
    ) -> None:
        await self._writer.run(lambda db: deliveries.record(db, delivery_no, attempt, state, next_at), durable=False)

    def deliveries(self, task_no: int) -> list[Delivery]:
        return self._look(deliveries.listing, task_no)

    async def redeliver(self, task_no: int, now: Micros) -> bool:
        return await self._writer.run(lambda db: deliveries.redeliver(db, task_no, now))

    async def add_key(self, key: Key, secret_hash: bytes) -> None:
        await self._writer.run(lambda db: keys.add(db, key, secret_hash))

    def key_by_hash(self, secret_hash: bytes) -> Key | None:
        return self._look(keys.by_hash, secret_hash)

    def keys(self) -> list[Key]:
        return self._look(keys.listing)

    async def revoke_key(self, key_id: str, at: Micros) -> bool:
        return await self._writer.run(lambda db: keys.revoke(db, key_id, at))

    async def grant_points(self, key_id: str, points: int) -> int | None:
        return await self._writer.run(lambda db: keys.grant(db, key_id, points))

    async def add_link(self, link: Link) -> None:
        await self._writer.run(lambda db: tasks.add_link(db, link))

    def link(self, token: str) -> Link | None:
        return self._look(links.read, token)

    async def expire_links(self, now: Micros, limit: int) -> list[str]:
        return await self._writer.run(lambda db: links.expire(db, now, limit))

    def unclaimed(self, digests: Sequence[str]) -> list[str]:
        return self._look(links.unclaimed, digests)

    async def forget_idempotency(self, now: Micros, limit: int) -> int:
        """Rows are written in the order of their expiry, so the oldest few are enough to look at."""
        query = (
            "DELETE FROM idempotency WHERE no IN (SELECT no FROM idempotency ORDER BY no LIMIT ?) AND expires_at <= ?"
        )
        return await self._writer.run(lambda db: db.execute(query, (limit, now)).rowcount)
