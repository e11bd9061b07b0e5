"""Settle: the one place where an outcome is written, together with the callback that announces it."""

from __future__ import annotations

import msgspec

from aquatint.domain.errors import FailureReason
from aquatint.domain.task import AttemptLog, ClaimedTask, Micros, Result, Status, Task
from aquatint.net.url import check_url
from aquatint.services.accepted import Accepted
from aquatint.services.signals import Signals
from aquatint.services.tools import SECOND, Clock, PublicUrls, new_id
from aquatint.store.base import Store
from aquatint.store.records import NewDelivery, Settlement
from aquatint.telemetry import Telemetry
from aquatint.webhooks import payload

WRITE_MARGIN = 0.1  # seconds for the submit answer to reach the caller after it left the service


class Outcome(msgspec.Struct, frozen=True):
    """How a task ended. `detail` is for the operator only."""

    status: Status
    engine: str | None = None
    result: Result | None = None
    failure_reason: FailureReason | None = None
    failure_message: str | None = None
    detail: str = ""
    warnings: tuple[str, ...] = ()
    points: int = 0  # to be captured from the hold


class SettleService:
    def __init__(
        self,
        store: Store,
        urls: PublicUrls,
        signals: Signals,
        clock: Clock,
        accepted: Accepted,
        first_delay: float,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry.silent()
        self._store = store
        self._urls = urls
        self._signals = signals
        self._clock = clock
        self._accepted = accepted
        self._first_delay = first_delay

    async def __call__(self, task: Task, outcome: Outcome, log: AttemptLog | None = None) -> bool:
        """Write `outcome` unless the attempt lost the task; True when it was written. `log` is the attempt's own."""
        at = max(self._clock.now(), task.updated_at)
        progress = 1.0 if outcome.status is Status.SUCCESS else task.progress
        # What is stored and what the callback says come from the same values, or they would differ after a rerun.
        engine = outcome.engine or task.engine
        delivery = self._delivery(task, outcome, at, progress, engine) if task.callback_url is not None else None
        settlement = Settlement(
            task_no=task.no,
            attempt=task.attempt,
            status=outcome.status,
            at=at,
            engine=engine,
            result=outcome.result,
            failure_reason=outcome.failure_reason,
            failure_message=outcome.failure_message,
            detail=outcome.detail,
            warnings=outcome.warnings,
            progress=progress,
            points_charged=outcome.points,
            delivery=delivery,
            log=log or AttemptLog(),
        )
        settled = await self._write(task, settlement)
        if settled:
            self._signals.history()
            if delivery is not None:
                self._signals.deliveries.set()
        return settled

    async def _write(self, task: Task, outcome: Settlement) -> bool:
        telemetry, status = self._telemetry, outcome.status.value
        with telemetry.tracer.span("task.settle", task.trace, task=task.id, status=status) as span:
            settled = await self._store.settle(outcome)
            span.note(written=settled)
        if settled:
            seconds = (outcome.at - task.created_at) / SECOND
            telemetry.metrics.settled(task.lane, status, outcome.failure_reason, seconds)
            self._signals.ended(task.id)
        return settled

    def _delivery(self, task: Task, outcome: Outcome, at: Micros, progress: float, engine: str | None) -> NewDelivery:
        ended = msgspec.structs.replace(
            task,
            status=outcome.status,
            updated_at=at,
            engine=engine,
            progress=progress,
            result=outcome.result,
            failure_reason=outcome.failure_reason,
            failure_message=outcome.failure_message,
            warnings=outcome.warnings,
        )
        url = task.callback_url or ""
        margin = WRITE_MARGIN if self._first_delay else 0.0
        answered = max(task.created_at, self._accepted.at(task.id))
        due = max(at, answered + int((self._first_delay + margin) * SECOND))
        host = check_url(url).authority  # checked when the task was submitted, so it can be read
        return NewDelivery(new_id(), url, host, payload.build(ended, self._urls.image), due)


def as_task(claimed: ClaimedTask, engine: str | None, progress: float, updated_at: Micros) -> Task:
    """The task behind a claim, as far as an outcome needs it."""
    return Task(
        no=claimed.no,
        id=claimed.id,
        key_id=claimed.key_id,
        user_id=claimed.user_id,
        model=claimed.model,
        mode=claimed.input.mode,
        status=Status.PROCESSING,
        echo=claimed.echo,
        callback_url=claimed.callback_url,
        created_at=claimed.created_at,
        updated_at=updated_at,
        attempt=claimed.attempt,
        engine=engine,
        progress=progress,
        lane=claimed.lane,
        trace=claimed.trace,
    )
