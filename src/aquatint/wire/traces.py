"""The trace of a task as the API shows it: causes in our words, a provider's codes and ids, never its texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from aquatint.domain.call import OPEN, CallState, PaidCall
from aquatint.domain.task import Attempt, Micros, Task
from aquatint.wire import times


class FailureData(msgspec.Struct, frozen=True):
    """Why an attempt or a call made no picture. `advice` is retry, fix, top up or stop."""

    kind: str  # the failure's class, as docs/reference/errors.md lists them
    advice: str
    code: str | None  # the provider's word


class CallData(msgspec.Struct, frozen=True):
    """One paid request to a provider."""

    state: str  # intent, sent, acknowledged, settled, unknown
    outcome: str | None
    images: list[int]  # places in the task, from 0
    charged: bool  # a charge stands, or may stand
    cost_usd: float | None  # by the catalog's price; null when it lists none
    remote_id: str | None  # the provider's job
    request_id: str | None  # the provider's name for the request
    sent_at: str | None
    acknowledged_at: str | None
    settled_at: str | None
    failure: FailureData | None


class AttemptData(msgspec.Struct, frozen=True):
    """One run of the task on an engine. Times in milliseconds, sizes in bytes."""

    number: int
    engine: str | None
    remote_model: str | None
    started_at: str
    finished_at: str | None
    outcome: str | None  # the status that it led to, requeued, lost; null while it runs
    queue_ms: int | None  # between the moment it could have started and its start
    references_ms: int
    wait_ms: int
    run_ms: int
    store_ms: int
    bytes_in: int
    bytes_out: int
    failure: FailureData | None
    calls: list[CallData]


class LineData(msgspec.Struct, frozen=True):
    """One line of the task's history, as docs/reference/events.md lists them."""

    at: str
    name: str
    detail: str


class TraceData(msgspec.Struct, frozen=True):
    taskId: str  # noqa: N815  # the contract's spelling
    status: str
    attempts: list[AttemptData]
    events: list[LineData]


class HistoryLine(Protocol):
    """A stored event, which lives in a room that this one does not know."""

    @property
    def at(self) -> Micros: ...
    @property
    def name(self) -> str: ...
    @property
    def detail(self) -> str: ...


PriceOf = Callable[[PaidCall], float | None]  # dollars for the call's images
AdviceOf = Callable[[str], str]  # by the name of a failure's class


def trace_data(
    task: Task,
    attempts: Sequence[Attempt],
    calls: Sequence[PaidCall],
    events: Sequence[HistoryLine],
    price_of: PriceOf,
    advice_of: AdviceOf,
) -> TraceData:
    """The whole trace; each call stands with the attempt that had it last."""

    def call(row: PaidCall) -> CallData:
        spent = row.charged and row.state is not CallState.INTENT
        return CallData(
            state=row.state.value,
            outcome=row.outcome or None,
            images=list(row.images),
            charged=row.charged,
            cost_usd=price_of(row) if spent else None,
            remote_id=row.remote_id or None,
            request_id=row.request_id or None,
            sent_at=_time(row.sent_at),
            acknowledged_at=_time(row.acknowledged_at),
            settled_at=_time(row.settled_at),
            failure=_failure(row.failure, advice_of(row.failure), row.code) if row.state not in OPEN else None,
        )

    shown = [_attempt(attempt, [call(row) for row in calls if row.attempt == attempt.number]) for attempt in attempts]
    history = [LineData(times.render(line.at), line.name, line.detail) for line in events]
    return TraceData(task.id, str(task.status), shown, history)


def _attempt(attempt: Attempt, calls: list[CallData]) -> AttemptData:
    log = attempt.log
    queue = None if attempt.due_at is None else max(0, attempt.started_at - attempt.due_at) // 1000
    return AttemptData(
        number=attempt.number,
        engine=log.engine,
        remote_model=log.remote_model or None,
        started_at=times.render(attempt.started_at),
        finished_at=_time(attempt.finished_at),
        outcome=attempt.outcome,
        queue_ms=queue,
        references_ms=log.references_ms,
        wait_ms=log.wait_ms,
        run_ms=log.run_ms,
        store_ms=log.store_ms,
        bytes_in=log.bytes_in,
        bytes_out=log.bytes_out,
        failure=_failure(log.failure, log.advice, log.code),
        calls=calls,
    )


def _failure(kind: str, advice: str, code: str) -> FailureData | None:
    return FailureData(kind, advice, code or None) if kind else None


def _time(at: Micros | None) -> str | None:
    return times.render(at) if at is not None else None
