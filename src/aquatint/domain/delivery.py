"""The delivery: the promise to tell a callback URL how a task ended, and the log of keeping it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from aquatint.domain.task import Micros


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"  # the receiver refused for good, or the schedule is used up
    BLOCKED = "blocked"  # the address may not be called from here; the task can still be queried


REPLAYABLE = (DeliveryState.FAILED, DeliveryState.BLOCKED, DeliveryState.DELIVERED)


class ClaimedDelivery(msgspec.Struct, frozen=True):
    """A delivery that this dispatcher owns until its lease ends."""

    no: int
    id: str
    task_no: int
    url: str
    host: str
    body: bytes
    attempt: int  # 1 for the first
    key_secret: str | None = None
    task_id: str = ""
    trace: str = ""  # traceparent of the task's submit
    ended_at: Micros | None = None  # when the task ended; None unless this is the very first try


class DeliveryAttempt(msgspec.Struct, frozen=True):
    """One POST and what came of it."""

    number: int
    at: Micros
    duration_ms: int
    status: int | None  # HTTP status, None when there was no answer
    outcome: str  # delivered, retry, failed, blocked
    detail: str  # plain words; never the callback URL's query or a secret
    response: str = ""  # the first part of the receiver's answer


class Delivery(msgspec.Struct, frozen=True):
    """One delivery with its log, as the API shows it."""

    id: str
    url: str
    state: DeliveryState
    created_at: Micros
    next_attempt_at: Micros | None
    attempts: tuple[DeliveryAttempt, ...]
    body: bytes = b""  # what is sent


class ReplayFilter(msgspec.Struct, frozen=True):
    """Which deliveries to make again: of tasks that ended in a span of time. Without a key: of all."""

    key_id: str | None
    ended_from: Micros
    ended_to: Micros
    states: tuple[DeliveryState, ...]
