"""The store on PostgreSQL: the task table is the queue, claimed with SKIP LOCKED; NOTIFY wakes other processes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from aquatint.domain.call import CallEnd, NewCall, PaidCall, PendingImage
from aquatint.domain.delivery import ClaimedDelivery, Delivery, DeliveryAttempt, DeliveryState, ReplayFilter
from aquatint.domain.errors import RateLimited
from aquatint.domain.history import Edge, Happened, Pulse
from aquatint.domain.key import Key
from aquatint.domain.lane import LaneState
from aquatint.domain.provider import Admitted, CircuitRules, ProviderLimits, ProviderState, Verdict, Wait
from aquatint.domain.task import Attempt, ClaimedTask, Micros, Task, TaskFilter
from aquatint.store.base import ALL, NO_LIMITS
from aquatint.store.postgres import (
    assets,
    calls,
    claims,
    deliveries,
    history,
    keys,
    overview,
    processes,
    rows,
    schema,
    settle,
    submit,
    tasks,
)
from aquatint.store.postgres import (
    delete as deletion,
)
from aquatint.store.postgres.batch import Batcher, Posted
from aquatint.store.postgres.ears import Ears
from aquatint.store.postgres.pool import Connection, Pool
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

P = ParamSpec("P")
T = TypeVar("T")

FRESH = 2.0  # seconds that the size of the backlog and the limits of keys are believed
LINGER = 0.01  # seconds that writes which nobody waits for wait for company


class PostgresStore:
    """Implements store.base.Store for any number of processes on one database."""

    def __init__(self, url: str) -> None:
        self._pool = Pool(url)
        self._ears = Ears(url)
        self._submits: Batcher[NewTask, Submitted] = Batcher(self._pool, submit.submit)
        self._settles: Batcher[Settlement, bool] = Batcher(self._pool, settle.settle)
        self._tries: Batcher[deliveries.Tried, None] = Batcher(self._pool, deliveries.record)
        self._marks: Posted[tasks.Submitted] = Posted(self._pool, tasks.mark_submitted, LINGER)
        self._notes: Posted[tasks.Progressed] = Posted(self._pool, tasks.note_progress, LINGER)
        self._backlog = (0.0, 0)  # when it was counted, and how many
        self._key_limits: tuple[float, dict[str, int]] = (0.0, {})

    async def open(self) -> None:
        await self._pool.open()
        try:
            await schema.migrate(self._pool)
        except BaseException:
            await self._pool.close()  # uvloop waits for open connections when it ends, for ever
            raise

    async def close(self) -> None:
        await self._ears.close()
        for posted in (self._marks, self._notes):
            await posted.flush()
        for batcher in (self._submits, self._settles, self._tries):
            await batcher.close()
        await self._pool.close()

    async def _look(
        self, read: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        async with self._pool.connection() as db:
            return await read(db, *args, **kwargs)

    async def _write(
        self, write: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._pool.write(lambda db: write(db, *args, **kwargs))

    # tasks
    async def submit(self, task: NewTask, max_pending: int) -> Submitted:
        if await self._waiting(max_pending) >= max_pending:
            raise RateLimited("the queue is full; try again later", retry_after=10)
        return await self._submits(task)

    async def _waiting(self, most: int) -> int:
        """The size of the backlog, at most `FRESH` seconds old, as far as `most`: all processes fill it together."""
        counted_at, waiting = self._backlog
        now = time.monotonic()
        if now - counted_at > FRESH:
            self._backlog = (now, waiting)  # whoever comes meanwhile believes the old number
            waiting = await self._look(tasks.count_waiting, most)
            self._backlog = (now, waiting)
        return waiting

    async def task(self, task_id: str) -> Task | None:
        return await self._look(tasks.read, task_id)

    async def tasks(self, wanted: TaskFilter) -> list[Task]:
        return await self._look(tasks.listing, wanted)

    async def delete(self, task_no: int, now: Micros) -> bool:
        return await self._write(deletion.delete, task_no, now)

    async def finished(self, since: Micros, limit: int) -> list[Finished]:
        return await self._look(overview.finished, since, limit)

    async def crowds(self) -> list[Crowd]:
        return await self._look(overview.crowds)

    async def promised(self, key_id: str, first: str, last: str, limit: int) -> list[Task]:
        return await self._look(tasks.promised, key_id, first, last, limit)

    async def events(self, task_no: int, after: int = 0, limit: int = ALL) -> list[Event]:
        return await self._look(tasks.events, task_no, after, limit)

    async def edge(self) -> Edge:
        return await self._look(history.edge)

    async def happened(
        self, after: int, until: int, limit: int, tasks: Sequence[int] = (), keys: Sequence[str] = ()
    ) -> list[Happened]:
        return await self._look(history.happened, after, until, limit, list(tasks), list(keys))

    async def pulses(self, tasks: Sequence[int], keys: Sequence[str], limit: int) -> list[Pulse]:
        return await self._look(history.pulses, list(tasks), list(keys), limit)

    async def tasks_of(self, numbers: Sequence[int]) -> list[Task]:
        return await self._look(tasks.numbered, list(numbers))

    async def attempts(self, task_no: int) -> list[Attempt]:
        return await self._look(tasks.attempts, task_no)

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
        key_limits = await self._limits()
        return await self._write(
            claims.claim, owner, lane, limit, now, lease_until, key_limits, model_limits, list(models)
        )

    async def _limits(self) -> dict[str, int]:
        read_at, limits = self._key_limits
        now = time.monotonic()
        if now - read_at > FRESH:
            limits = await self._look(claims.key_limits)
            self._key_limits = (now, limits)
        return limits

    async def next_due(self, lane: str) -> Micros | None:
        return await self._look(claims.next_due, lane)

    async def ahead(self, task_no: int, most: int) -> int | None:
        return await self._look(claims.ahead, task_no, most)

    async def lanes(self) -> list[LaneState]:
        return await self._look(claims.lanes)

    async def pause_lane(self, lane: str, paused: bool) -> None:
        await self._write(claims.pause, lane, paused)

    async def served(self, lane: str, limit: int) -> list[Served]:
        return await self._look(claims.served, lane, limit)

    async def unstarted(self, now: Micros, limit: int) -> list[Task]:
        return await self._look(tasks.unstarted, now, limit)

    async def attend(self, owner: str, engines: Sequence[str], works: Sequence[str], now: Micros) -> None:
        await self._write(processes.attend, owner, list(engines), list(works), now)

    async def leave(self, owner: str) -> None:
        await self._write(processes.leave, owner)

    async def strays(self, lanes: Sequence[str], seen_since: Micros, limit: int) -> list[Task]:
        return await self._look(tasks.strays, list(lanes), seen_since, limit)

    async def move(self, task_no: int, lane: str) -> None:
        await self._write(tasks.move, task_no, lane)

    def mark_submitted(self, task_no: int, attempt: int, engine: str, at: Micros) -> None:
        self._marks.post((task_no, attempt), (task_no, attempt, engine, at))

    def note_progress(self, task_no: int, attempt: int, fraction: float) -> None:
        self._notes.post((task_no, attempt), (task_no, attempt, fraction))

    async def renew(
        self, owner: str, tasks: Sequence[int], deliveries: Sequence[int], lease_until: Micros
    ) -> list[int]:
        return await self._write(claims.renew, owner, tasks, deliveries, lease_until)

    async def settle(self, outcome: Settlement) -> bool:
        return await self._settles(outcome)

    async def requeue(self, how: Requeue) -> bool:
        return await self._write(settle.requeue, how)

    async def release_foreign(self, owner: str, now: Micros) -> int:
        return 0  # other owners are other processes, and alive as long as they renew their leases

    async def release_expired(self, now: Micros) -> int:
        return await self._write(settle.release_expired, now)

    async def overdue(self, now: Micros, limit: int) -> list[Task]:
        return await self._look(tasks.overdue, now, limit)

    # paid calls
    async def calls(self, task_no: int) -> list[PaidCall]:
        return await self._look(calls.of_task, task_no)

    async def intend(self, task_no: int, attempt: int, new: Sequence[NewCall], now: Micros) -> list[PaidCall]:
        return await self._write(calls.intend, task_no, attempt, new, now)

    async def adopt(self, call_no: int, task_no: int, attempt: int) -> None:
        await self._write(calls.adopt, call_no, task_no, attempt)

    async def admit(
        self, call: PaidCall, attempt: int, limits: ProviderLimits, probe_for: Micros, now: Micros
    ) -> Admitted | Wait:
        return await self._write(calls.admit, call, attempt, limits, probe_for, now)

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
        await self._write(calls.acknowledge, call_no, at, remote_id, request_id, handle or {}, pending)

    async def end_call(
        self, call_no: int, end: CallEnd, verdict: Verdict | None, retry_after: float | None, rules: CircuitRules
    ) -> None:
        await self._write(calls.end, call_no, end, verdict, retry_after, rules)

    async def recent_calls(self, unknown: bool, limit: int) -> list[tuple[str, PaidCall]]:
        return await self._look(calls.recent, unknown, limit)

    async def resolve_call(self, call_no: int, charged: bool, note: str, at: Micros) -> bool:
        return await self._write(calls.resolve, call_no, charged, note, at)

    async def providers(self) -> list[ProviderState]:
        return await self._look(calls.providers)

    # references
    async def escrowed(self, source: str, since: Micros) -> Escrowed | None:
        return await self._look(assets.escrowed, source, since)

    async def escrow(self, source: str, reference: Escrowed, link: Link) -> None:
        await self._write(assets.escrow, source, reference, link)

    # deliveries
    async def claim_deliveries(
        self, owner: str, limit: int, now: Micros, lease_until: Micros, busy_hosts: Sequence[str]
    ) -> list[ClaimedDelivery]:
        return await self._write(deliveries.claim, owner, limit, now, lease_until, busy_hosts)

    async def put_back_deliveries(self, numbers: Sequence[int], next_at: Micros) -> None:
        await self._write(deliveries.put_back, list(numbers), next_at)

    async def next_delivery_due(self, busy_hosts: Sequence[str]) -> Micros | None:
        return await self._look(deliveries.next_due, busy_hosts)

    async def record_delivery(
        self, delivery_no: int, attempt: DeliveryAttempt, state: DeliveryState, next_at: Micros | None
    ) -> None:
        await self._tries((delivery_no, attempt, state, next_at))

    async def deliveries(self, task_no: int) -> list[Delivery]:
        return await self._look(deliveries.listing, task_no)

    async def redeliver(self, task_no: int, now: Micros) -> bool:
        return await self._write(deliveries.redeliver, task_no, now)

    async def replay(self, wanted: ReplayFilter, now: Micros, limit: int) -> int:
        return await self._write(deliveries.replay, wanted, now, limit)

    # keys
    async def add_key(self, key: Key, secret_hash: bytes) -> None:
        await self._write(keys.add, key, secret_hash)

    async def key_by_hash(self, secret_hash: bytes) -> Key | None:
        return await self._look(keys.by_hash, secret_hash)

    async def keys(self) -> list[Key]:
        return await self._look(keys.listing)

    async def revoke_key(self, key_id: str, at: Micros) -> bool:
        return await self._write(keys.revoke, key_id, at)

    async def grant_points(self, key_id: str, points: int) -> int | None:
        return await self._write(keys.grant, key_id, points)

    # links and assets
    async def add_link(self, link: Link) -> None:
        await self._write(rows.add_links, [link])

    async def link(self, token: str) -> Link | None:
        return await self._look(assets.link, token)

    async def expire_links(self, now: Micros, limit: int) -> list[str]:
        return await self._write(assets.expire, now, limit)

    async def unclaimed(self, digests: Sequence[str]) -> list[str]:
        return await self._look(assets.unclaimed, digests)

    async def forget_idempotency(self, now: Micros, limit: int) -> int:
        return await self._write(assets.forget_idempotency, now, limit)

    async def forget_escrow(self, before: Micros, limit: int) -> int:
        return await self._write(assets.forget_escrow, before, limit)

    async def secret(self, name: str, fresh: bytes) -> bytes:
        return await self._write(overview.secret, name, fresh)

    # other processes
    async def listen(self, hear: Callable[[str, str], None]) -> None:
        await self._ears.open(hear)

    async def announce(self, what: str, which: str) -> None:
        await self._write(rows.announce, what, [which])

    async def now(self) -> Micros | None:
        async with self._pool.connection() as db:
            found: Micros = await db.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
            return found
