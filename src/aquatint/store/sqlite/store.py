"""The embedded store: SQLite in WAL mode, synchronous=FULL, one writer that commits in groups."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from aquatint.domain.call import CallEnd, NewCall, PaidCall, PendingImage
from aquatint.domain.delivery import ClaimedDelivery, Delivery, DeliveryAttempt, DeliveryState, ReplayFilter
from aquatint.domain.errors import RateLimited, StoreUnavailable
from aquatint.domain.fair import UNIT, Turns
from aquatint.domain.history import Edge, Happened, Pulse
from aquatint.domain.key import Key
from aquatint.domain.lane import LaneState
from aquatint.domain.provider import Admitted, CircuitRules, ProviderLimits, ProviderState, Verdict, Wait
from aquatint.domain.task import Attempt, ClaimedTask, Micros, Task, TaskFilter
from aquatint.store.base import ALL, NO_LIMITS
from aquatint.store.records import (
    Crowd,
    Escrowed,
    Event,
    Finished,
    Link,
    NewTask,
    Requeue,
    Served,
    Settlement,
    Submitted,
)
from aquatint.store.sqlite import calls, claims, deliveries, history, keys, links, overview, schema, tasks
from aquatint.store.sqlite import delete as deletion
from aquatint.store.sqlite import escrow as escrows
from aquatint.store.sqlite.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")


SHORT = 500  # events that are looked through on the event loop


class SqliteStore:
    """Implements store.base.Store on one database file of one server process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turns = Turns()
        self._works: tuple[str, ...] = ()  # lanes that this process, the only one, takes tasks of
        self._pending = 0  # tasks waiting; kept here because counting rows costs more than the submit

    async def open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = schema.connect(self._path)
        schema.migrate(connection)
        self._writer = Writer(connection)
        self._write_connection = connection
        self._read = schema.connect(self._path, read_only=True)
        self._count_pending()
        self._restore_turns()

    def _restore_turns(self) -> None:
        lanes: dict[str, tuple[int, dict[str, int]]] = {}
        for lane, key, first, last in self._look(claims.turns):
            earliest, keys = lanes.get(lane, (first, {}))
            lanes[lane] = (min(earliest, first), {**keys, key: last + UNIT})
        for lane, (now, keys) in lanes.items():
            self._turns.restore(lane, now, keys)

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

    def _look_apart(
        self, read: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same on a connection of its own, for reads that take long. Raises StoreUnavailable."""
        try:
            with contextlib.closing(schema.connect(self._path, read_only=True)) as db:
                return read(db, *args, **kwargs)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the database refused: {error}") from error

    async def submit(self, task: NewTask, max_pending: int) -> Submitted:
        def write(db: sqlite3.Connection) -> Submitted:
            earlier = tasks.replayed(db, task)
            if earlier is not None:
                return earlier
            if self._pending >= max_pending:
                raise RateLimited("the queue is full; try again later", retry_after=10)
            return tasks.insert(db, task, self._turns.take(task.lane, task.key_id, task.cost))

        submitted = await self._writer.run(write)
        self._pending += not submitted.replayed
        return submitted

    async def task(self, task_id: str) -> Task | None:
        return self._look(tasks.read, task_id)

    async def tasks(self, wanted: TaskFilter) -> list[Task]:
        # Filters may look at many rows: not on the event loop.
        look = self._look if wanted.words is None else self._look_apart
        return await asyncio.to_thread(look, tasks.listing, wanted)

    async def delete(self, task_no: int, now: Micros) -> bool:
        return await self._writer.run(lambda db: deletion.delete(db, task_no, now))

    async def finished(self, since: Micros, limit: int) -> list[Finished]:
        return await asyncio.to_thread(self._look_apart, overview.finished, since, limit)

    async def crowds(self) -> list[Crowd]:
        return await asyncio.to_thread(self._look_apart, overview.crowds)

    async def promised(self, key_id: str, first: str, last: str, limit: int) -> list[Task]:
        return self._look(tasks.promised, key_id, first, last, limit)

    async def events(self, task_no: int, after: int = 0, limit: int = ALL) -> list[Event]:
        return self._look(tasks.events, task_no, after, limit)

    async def edge(self) -> Edge:
        return self._look(history.edge)

    async def happened(
        self, after: int, until: int, limit: int, tasks: Sequence[int] = (), keys: Sequence[str] = ()
    ) -> list[Happened]:
        if until - after <= SHORT:
            return self._look(history.happened, after, until, limit, tasks, keys)
        return await asyncio.to_thread(self._look_apart, history.happened, after, until, limit, tasks, keys)

    async def pulses(self, tasks: Sequence[int], keys: Sequence[str], limit: int) -> list[Pulse]:
        return self._look(history.pulses, tasks, keys, limit)

    async def tasks_of(self, numbers: Sequence[int]) -> list[Task]:
        return self._look(tasks.numbered, numbers)

    async def attempts(self, task_no: int) -> list[Attempt]:
        return self._look(tasks.attempts, task_no)

    async def claim(
        self,
        owner: str,
        lane: str,
        limit: int,
        now: Micros,
        lease_until: Micros,
        model_limits: Mapping[str, int] = NO_LIMITS,
        models: Sequence[str] = (),
    ) -> list[ClaimedTask]:
        claimed, turn = await self._writer.run(
            lambda db: claims.claim(db, owner, lane, limit, now, lease_until, model_limits, models), durable=False
        )
        self._pending = max(0, self._pending - len(claimed))
        if claimed:
            self._turns.served(lane, turn)
        return claimed

    async def next_due(self, lane: str) -> Micros | None:
        return self._look(claims.next_due, lane)

    async def ahead(self, task_no: int, most: int) -> int | None:
        return self._look(claims.ahead, task_no, most)

    async def lanes(self) -> list[LaneState]:
        # It looks at every unfinished task: neither on the event loop, nor on the connection that others wait for.
        return await asyncio.to_thread(self._look_apart, claims.lanes, self._works)

    async def pause_lane(self, lane: str, paused: bool) -> None:
        await self._writer.run(lambda db: claims.pause(db, lane, paused))

    async def served(self, lane: str, limit: int) -> list[Served]:
        return self._look(claims.served, lane, limit)

    async def unstarted(self, now: Micros, limit: int) -> list[Task]:
        return self._look(tasks.unstarted, now, limit)

    async def attend(self, owner: str, engines: Sequence[str], works: Sequence[str], now: Micros) -> None:
        self._works = tuple(works)

    async def leave(self, owner: str) -> None:
        self._works = ()

    async def strays(self, lanes: Sequence[str], seen_since: Micros, limit: int) -> list[Task]:
        return self._look(tasks.strays, lanes, limit)

    async def move(self, task_no: int, lane: str) -> None:
        await self._writer.run(lambda db: tasks.move(db, task_no, lane))

    def mark_submitted(self, task_no: int, attempt: int, engine: str, at: Micros) -> None:
        self._writer.post(tasks.mark_submitted(task_no, attempt, engine, at))

    def note_progress(self, task_no: int, attempt: int, fraction: float) -> None:
        self._writer.post(tasks.note_progress(task_no, attempt, fraction))

    async def renew(
        self, owner: str, tasks: Sequence[int], deliveries: Sequence[int], lease_until: Micros
    ) -> list[int]:
        return await self._writer.run(lambda db: claims.renew(db, owner, tasks, deliveries, lease_until))

    async def settle(self, outcome: Settlement) -> bool:
        settled = await self._writer.run(lambda db: tasks.settle(db, outcome))
        if settled and outcome.attempt == 0:  # it never left the queue
            self._pending = max(0, self._pending - 1)
        return settled

    async def requeue(self, how: Requeue) -> bool:
        requeued = await self._writer.run(lambda db: tasks.requeue(db, how))
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

    async def overdue(self, now: Micros, limit: int) -> list[Task]:
        return self._look(tasks.overdue, now, limit)

    async def calls(self, task_no: int) -> list[PaidCall]:
        return self._look(calls.of_task, task_no)

    async def intend(self, task_no: int, attempt: int, new: Sequence[NewCall], now: Micros) -> list[PaidCall]:
        return await self._writer.run(lambda db: calls.intend(db, task_no, attempt, new, now))

    async def adopt(self, call_no: int, task_no: int, attempt: int) -> None:
        await self._writer.run(lambda db: calls.adopt(db, call_no, task_no, attempt))

    async def admit(
        self, call: PaidCall, attempt: int, limits: ProviderLimits, probe_for: Micros, now: Micros
    ) -> Admitted | Wait:
        return await self._writer.run(lambda db: calls.admit(db, call, attempt, limits, probe_for, now))

    async def acknowledge(
        self,
        call_no: int,
        at: Micros,
        *,
        remote_id: str = "",
        request_id: str = "",
        handle: dict[str, str] | None = None,
        pending: tuple[PendingImage, ...] = (),
    ) -> None:
        await self._writer.run(
            lambda db: calls.acknowledge(db, call_no, at, remote_id, request_id, handle or {}, pending)
        )

    async def end_call(
        self, call_no: int, end: CallEnd, verdict: Verdict | None, retry_after: float | None, rules: CircuitRules
    ) -> None:
        await self._writer.run(lambda db: calls.end(db, call_no, end, verdict, retry_after, rules))

    async def recent_calls(self, unknown: bool, limit: int) -> list[tuple[str, PaidCall]]:
        return self._look(calls.recent, unknown, limit)

    async def resolve_call(self, call_no: int, charged: bool, note: str, at: Micros) -> bool:
        return await self._writer.run(lambda db: calls.resolve(db, call_no, charged, note, at))

    async def providers(self) -> list[ProviderState]:
        return self._look(calls.providers)

    async def escrowed(self, source: str, since: Micros) -> Escrowed | None:
        return self._look(escrows.read, source, since)

    async def escrow(self, source: str, reference: Escrowed, link: Link) -> None:
        def write(db: sqlite3.Connection) -> None:
            escrows.write(db, source, reference)
            tasks.add_link(db, link)

        await self._writer.run(write)

    async def claim_deliveries(
        self, owner: str, limit: int, now: Micros, lease_until: Micros, busy_hosts: Sequence[str]
    ) -> list[ClaimedDelivery]:
        return await self._writer.run(
            lambda db: deliveries.claim(db, owner, limit, now, lease_until, busy_hosts), durable=False
        )

    async def put_back_deliveries(self, numbers: Sequence[int], next_at: Micros) -> None:
        await self._writer.run(lambda db: deliveries.put_back(db, numbers, next_at), durable=False)

    async def next_delivery_due(self, busy_hosts: Sequence[str]) -> Micros | None:
        return self._look(deliveries.next_due, busy_hosts)

    async def record_delivery(
        self, delivery_no: int, attempt: DeliveryAttempt, state: DeliveryState, next_at: Micros | None
    ) -> None:
        await self._writer.run(lambda db: deliveries.record(db, delivery_no, attempt, state, next_at), durable=False)

    async def deliveries(self, task_no: int) -> list[Delivery]:
        return self._look(deliveries.listing, task_no)

    async def redeliver(self, task_no: int, now: Micros) -> bool:
        return await self._writer.run(lambda db: deliveries.redeliver(db, task_no, now))

    async def replay(self, wanted: ReplayFilter, now: Micros, limit: int) -> int:
        return await self._writer.run(lambda db: deliveries.replay(db, wanted, now, limit))

    async def add_key(self, key: Key, secret_hash: bytes) -> None:
        await self._writer.run(lambda db: keys.add(db, key, secret_hash))

    async def key_by_hash(self, secret_hash: bytes) -> Key | None:
        return self._look(keys.by_hash, secret_hash)

    async def keys(self) -> list[Key]:
        return self._look(keys.listing)

    async def revoke_key(self, key_id: str, at: Micros) -> bool:
        return await self._writer.run(lambda db: keys.revoke(db, key_id, at))

    async def grant_points(self, key_id: str, points: int) -> int | None:
        return await self._writer.run(lambda db: keys.grant(db, key_id, points))

    async def add_link(self, link: Link) -> None:
        await self._writer.run(lambda db: tasks.add_link(db, link))

    async def link(self, token: str) -> Link | None:
        return self._look(links.read, token)

    async def expire_links(self, now: Micros, limit: int) -> list[str]:
        return await self._writer.run(lambda db: links.expire(db, now, limit))

    async def unclaimed(self, digests: Sequence[str]) -> list[str]:
        return self._look(links.unclaimed, digests)

    async def secret(self, name: str, fresh: bytes) -> bytes:
        return await self._writer.run(lambda db: overview.secret(db, name, fresh))

    async def forget_idempotency(self, now: Micros, limit: int) -> int:
        """Rows are written in the order of their expiry, so the oldest few are enough to look at."""
        query = (
            "DELETE FROM idempotency WHERE no IN (SELECT no FROM idempotency ORDER BY no LIMIT ?) AND expires_at <= ?"
        )
        return await self._writer.run(lambda db: db.execute(query, (limit, now)).rowcount)

    async def listen(self, hear: Callable[[str, str], None]) -> None:
        """Nobody else is there."""

    async def announce(self, what: str, which: str) -> None:
        """Nobody else is there."""

    async def now(self) -> Micros | None:
        return None

    async def forget_escrow(self, before: Micros, limit: int) -> int:
        return await self._writer.run(lambda db: escrows.forget(db, before, limit))
