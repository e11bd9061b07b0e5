"""The values that go into the store and come out of it, and are nobody else's."""

from __future__ import annotations

import msgspec

from aquatint.domain.errors import FailureReason
from aquatint.domain.fair import UNIT
from aquatint.domain.task import (
    AttemptLog,
    Micros,
    Mode,
    Result,
    Status,
    TaskInput,
)

INLINE_LINK = "inline"  # name of links that only keep the bytes of a data URL
KEPT_LINK = "kept"  # name of the links that `end_call` makes: nothing public leads to them


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
    lane: str  # the engine that is to serve it
    points: int = 0
    batch: bool = False  # runs when nothing else waits
    priority: int = 0  # higher first
    start_by: Micros | None = None  # not claimed until then: TIMEOUT
    cost: int = UNIT  # how far it moves its key's next turn
    max_pending: int | None = None  # of its key
    idempotency: Idempotency | None = None
    links: tuple[Link, ...] = ()  # bytes that came inside the request
    trace: str = ""  # traceparent of the submit


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
    log: AttemptLog = AttemptLog()


class Requeue(msgspec.Struct, frozen=True):
    """An attempt that ended without an outcome, and how the task goes on.

    `failed` counts it among the task's failures; a drain does not. With a `lane` another engine takes the task.
    """

    task_no: int
    attempt: int
    not_before: Micros
    at: Micros
    why: str
    failed: bool
    log: AttemptLog = AttemptLog()
    lane: str | None = None
    failed_routes: tuple[str, ...] = ()


class Served(msgspec.Struct, frozen=True):
    """One task that was served, for estimates: when it was taken and when it ended."""

    started_at: Micros
    finished_at: Micros


class Escrowed(msgspec.Struct, frozen=True):
    """A reference that was fetched and cleaned: where its bytes are, and what they are."""

    digest: str
    media_type: str
    width: int
    height: int
    bytes: int
    fetched_at: Micros


class Finished(msgspec.Struct, frozen=True):
    """One task that has ended, for statistics."""

    key_id: str
    lane: str
    status: Status
    cause: str  # class of the last attempt's error, empty without one
    images: int
    created_at: Micros
    started_at: Micros | None  # of the last attempt
    ended_at: Micros


class Crowd(msgspec.Struct, frozen=True):
    """What a key has in the lines right now."""

    key_id: str
    waiting: int
    running: int


class Event(msgspec.Struct, frozen=True):
    """One line of a task's history."""

    id: int
    at: Micros
    name: str
    detail: str = ""
