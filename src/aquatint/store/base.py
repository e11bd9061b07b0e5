"""The store port: the values that go in and out, and what each transaction promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from aquatint.domain.delivery import ClaimedDelivery, Delivery, DeliveryAttempt, DeliveryState
from aquatint.domain.errors import FailureReason
from aquatint.domain.key import Key
from aquatint.domain.task import ClaimedTask, Micros, Mode, Result, Status, Task, TaskFilter, TaskInput


class Idempotency(msgspec.Struct, frozen=True):
    """The caller's promise that a repeated submit is the same submit."""

    key: str
    body_hash: bytes
    expires_at: Micros


class Link(msgspec.Struct, frozen=True):
    """A claim on stored bytes until it expires; its token is the secret part of a public URL."""

    token: str
    name: str
    digest: str
    media_type: str
    bytes: int
    expires_at: Micros


class NewTask(msgspec.Struct, frozen=True):
    """A task to be written as PENDING, with everything that belongs to the same transaction."""

    id: str
    key_id: str
    user_id: str | None
    model: str
    mode: Mode
    echo: bytes
    input: TaskInput
    callback_url: str | None
    created_at: Micros
    deadline_at: Micros
    points: int = 0
    idempotency: Idempotency | None = None
    links: tuple[Link, ...] = ()  # bytes that came inside the request


class Submitted(msgspec.Struct, frozen=True):
    """What a submit led to: a new task, or the one that an earlier equal submit made."""

    task_id: str
    replayed: bool = False


class NewDelivery(msgspec.Struct, frozen=True):
    """A callback to be made once the outcome is written."""

    id: str
    url: str
    host: str
    body: bytes
    next_at: Micros


class Settlement(msgspec.Struct, frozen=True):
    """One outcome, written once. `attempt` fences it: another attempt's row is never touched."""

    task_no: int
    attempt: int
    status: Status
    at: Micros
    engine: str | None = None
    result: Result | None = None
    failure_reason: FailureReason | None = None
    failure_message: str | None = None
    detail: str = ""  # for the operator only
    warnings: tuple[str, ...] = ()
    progress: float = 0.0
    points_charged: int = 0
    delivery: NewDelivery | None = None


class Event(msgspec.Struct, frozen=True):
    """One line of a task's history."""

    id: int
    at: Micros
    name: str
    detail: str = ""


class Store(Protocol):
    """Every `async` method is one transaction. When it returns the write survives SIGKILL, except where it says so.

    Plain methods are reads of committed state by key, quick enough for the event loop.
    Writes raise StoreUnavailable when the database refuses; then nothing of the transaction stands.
    """

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    # tasks
    async def submit(self, task: NewTask, max_pending: int) -> Submitted:
        """Insert the task, its idempotency row, hold, links and event together.

        Raises Conflict (idempotency key reused for another body), QuotaExceeded, RateLimited (backlog full).
        """
        ...

    def task(self, task_id: str) -> Task | None: ...

    def tasks(self, wanted: TaskFilter) -> list[Task]: ...

    def events(self, task_no: int) -> list[Event]: ...

    async def claim(self, owner: str, limit: int, now: Micros, lease_until: Micros) -> list[ClaimedTask]:
        """Take up to `limit` due tasks, oldest first; each gets the next attempt number and an Attempt row.

        Durable a moment later: a crash before that only means that the task waits again.
        """
        ...

    def next_due(self) -> Micros | None:
        """When the earliest waiting task may be claimed."""
        ...

    def mark_submitted(self, task_no: int, attempt: int, engine: str, at: Micros) -> None:
        """The engine has started. Queued in order with the other writes, not waited for."""
        ...

    def note_progress(self, task_no: int, attempt: int, fraction: float) -> None:
        """Queued, not waited for, kept only while the attempt owns the task."""
        ...

    async def renew(self, owner: str, lease_until: Micros) -> None: ...

    async def settle(self, outcome: Settlement) -> bool:
        """Write the outcome, events, ledger, links and delivery; False when the attempt lost the task."""
        ...

    async def requeue(
        self, task_no: int, attempt: int, not_before: Micros, at: Micros, why: str, *, failed: bool
    ) -> bool:
        """Close the attempt and let the task wait again; its shown status never goes back.

        `failed` counts it among the task's failures; a drain does not.
        """
        ...

    async def release_foreign(self, owner: str, now: Micros) -> int:
        """Give back every task and delivery leased to any other owner (who is known to be dead)."""
        ...

    async def release_expired(self, now: Micros) -> int: ...

    def overdue(self, now: Micros, limit: int) -> list[Task]:
        """Unfinished tasks whose deadline has passed."""
        ...

    # deliveries
    async def claim_deliveries(
        self, owner: str, limit: int, now: Micros, lease_until: Micros, busy_hosts: Sequence[str]
    ) -> list[ClaimedDelivery]:
        """Take up to `limit` due deliveries whose host is not busy. Durable a moment later, as `claim`."""
        ...

    def next_delivery_due(self, busy_hosts: Sequence[str]) -> Micros | None: ...

    async def record_delivery(
        self, delivery_no: int, attempt: DeliveryAttempt, state: DeliveryState, next_at: Micros | None
    ) -> None:
        """Log one try and what happens next. Durable a moment later: a crash before that repeats the callback."""
        ...

    def deliveries(self, task_no: int) -> list[Delivery]: ...

    async def redeliver(self, task_no: int, now: Micros) -> bool:
        """Make the task's delivery due now with a fresh schedule; False when it never had one."""
        ...

    # keys
    async def add_key(self, key: Key, secret_hash: bytes) -> None: ...

    def key_by_hash(self, secret_hash: bytes) -> Key | None: ...

    def keys(self) -> list[Key]: ...

    async def revoke_key(self, key_id: str, at: Micros) -> bool: ...

    async def grant_points(self, key_id: str, points: int) -> int | None:
        """Add points to a key that counts them, or make it count them from here; the new balance, None if unknown."""
        ...

    # links and assets
    async def add_link(self, link: Link) -> None: ...

    def link(self, token: str) -> Link | None: ...

    async def expire_links(self, now: Micros, limit: int) -> list[str]:
        """Mark expired links and return the digests that no living link claims any more."""
        ...

    def unclaimed(self, digests: Sequence[str]) -> list[str]: ...

    async def forget_idempotency(self, now: Micros, limit: int) -> int: ...
