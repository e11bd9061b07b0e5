"""Deliver: make one callback, log it, and decide when to try again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from aquatint.domain.delivery import ClaimedDelivery, DeliveryAttempt, DeliveryState
from aquatint.domain.errors import Conflict
from aquatint.domain.task import Micros
from aquatint.services.query import QueryService
from aquatint.services.signals import Signals
from aquatint.services.tools import SECOND, Clock
from aquatint.store.base import Store
from aquatint.telemetry import Facts, Logger, Span, Telemetry, about
from aquatint.webhooks.sender import Delivered, GiveUp, Letter, Retry, Sender


@dataclass(frozen=True, slots=True)
class Tried:
    """One try: seconds until the next one, and whether the receiver gave an answer that it can stand by."""

    again_in: float | None
    answered: bool


class DeliverService:
    """`schedule` holds the waits in seconds between one try and the next; `jitter` lengthens each a little."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        clock: Clock,
        schedule: Sequence[float],
        jitter: float,
        log: Logger,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry.silent()
        self._store = store
        self._sender = sender
        self._clock = clock
        self._schedule = tuple(schedule)
        self._jitter = jitter
        self._log = log

    async def __call__(self, claimed: ClaimedDelivery) -> Tried:
        """One try. The log row and what happens next are one transaction."""
        facts: Facts = {"task": claimed.task_id, "delivery": claimed.id, "attempt": claimed.attempt}
        with (
            about(claimed.task_id, claimed.trace),
            self._telemetry.tracer.span("delivery.attempt", claimed.trace, "client", **facts) as span,
        ):
            return await self._try(claimed, span)

    async def _try(self, claimed: ClaimedDelivery, span: Span) -> Tried:
        at = self._clock.now()
        letter = Letter(claimed.id, claimed.url, claimed.body, claimed.key_secret, span.traceparent)
        verdict = await self._sender.send(letter, at / SECOND)
        next_at: Micros | None = None
        match verdict:
            case Delivered(log=log):
                state, outcome, detail = DeliveryState.DELIVERED, "delivered", ""
            case GiveUp(reason=detail, log=log):
                blocked = log.status is None  # nothing was sent: the address may not be called from here
                state = DeliveryState.BLOCKED if blocked else DeliveryState.FAILED
                outcome = "blocked" if blocked else "failed"
            case Retry(after=after, reason=detail, log=log):
                next_at = self._next(claimed.attempt, after)
                state = DeliveryState.FAILED if next_at is None else DeliveryState.PENDING
                outcome = "retry" if next_at is not None else "failed"
        attempt = DeliveryAttempt(claimed.attempt, at, log.duration_ms, log.status, outcome, detail, log.excerpt)
        await self._store.record_delivery(claimed.no, attempt, state, next_at)
        since_end = None if claimed.ended_at is None else max(0.0, (at - claimed.ended_at) / SECOND)
        self._telemetry.metrics.tried(outcome, since_end)
        span.note(outcome=outcome, http_status=log.status)
        if outcome != "delivered":
            span.fail(outcome)
            self._log.info("delivery.failed", delivery=claimed.id, attempt=claimed.attempt, state=state, why=detail)
        again_in = None if next_at is None else (next_at - self._clock.now()) / SECOND
        return Tried(again_in, answered=not isinstance(verdict, Retry))

    def _next(self, tries: int, after: float | None) -> Micros | None:
        """When to try again after `tries` tries; None when the schedule is used up."""
        if tries > len(self._schedule):
            return None
        planned = self._schedule[tries - 1] * (1 + random.uniform(0, self._jitter))  # noqa: S311  # jitter
        return self._clock.now() + int(max(planned, after or 0.0) * SECOND)


class RedeliverService:
    def __init__(self, query: QueryService, store: Store, signals: Signals, clock: Clock) -> None:
        self._query = query
        self._store = store
        self._signals = signals
        self._clock = clock

    async def __call__(self, task_id: str, key_id: str) -> None:
        """Call the task's callback URL again, with a fresh schedule.

        Raises NotFound, and Conflict when the task has not ended or has no callBackUrl.
        """
        task = await self._query(task_id, key_id)
        if not await self._store.redeliver(task.no, self._clock.now()):
            raise Conflict("this task has no callback to repeat: it has not ended, or it has no callBackUrl")
        self._signals.deliveries.set()
