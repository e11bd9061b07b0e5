"""One purchase: the paid calls of an attempt, side by side, each from wherever it stands to its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from aquatint.domain.call import CallEnd, CallOutcome, CallState, KeptImage, PaidCall, PendingImage
from aquatint.domain.errors import (
    BalanceExhausted,
    ContentRefused,
    EngineError,
    EngineRateLimited,
    InputRefused,
    Misconfigured,
    OutcomeUnknown,
    StoreUnavailable,
    Unavailable,
)
from aquatint.domain.provider import Ailment, CircuitRules, Verdict, Wait
from aquatint.domain.task import Micros
from aquatint.engines.base import GenerationJob, Progress
from aquatint.engines.remote import Accepted, Call, Done, Notify, RemoteEngine, RemoteImage
from aquatint.sandbox.results import ResultWish
from aquatint.services.job import Run
from aquatint.services.keep import KeepService, ResultWaits
from aquatint.services.tools import SECOND, Clock
from aquatint.services.track import Tracker
from aquatint.store.base import Store
from aquatint.telemetry import Facts, Logger, Metrics

T = TypeVar("T")

PATIENCE = 10.0  # seconds that a task waits for a provider while another route could serve it
LONGEST_SLEEP = 5.0  # between two questions whether a call may be sent now
KEEP_MARGIN = 3600 * SECOND  # paid images that no result names yet outlive their task by so much
STORE_TRIES = 8  # to write down what was paid, while the database refuses
_LOST = "the provider took the request and its answer was lost"


class Elsewhere(Unavailable):
    """The provider rests or is busy for longer than a task with another route should wait."""


class Unanswered(Unavailable):
    """A call was sent and its answer lost, but the provider knows its key: it may be sent again, and only by it.

    Always charged, so that nothing else buys its images.
    """


@dataclass(frozen=True, slots=True)
class Order:
    """One task for one engine.

    `prepare` gives the job with its references fetched, `wish` what each result must become; both do their work once.
    `elsewhere`: another route could take the task.
    """

    run: Run
    engine: RemoteEngine
    prepare: Callable[[], Awaitable[GenerationJob]]
    wish: Callable[[], Awaitable[ResultWish]]
    progress: Progress
    resend_ambiguous: bool
    elsewhere: bool


@dataclass(slots=True)
class Tools:
    """What purchases use of the house. `callback_url(engine)` is where that provider may call us."""

    store: Store
    keep: KeepService
    tracker: Tracker
    clock: Clock
    rules: CircuitRules
    callback_url: Callable[[str], str | None]
    log: Logger
    metrics: Metrics = field(default_factory=Metrics)
    delicate: Counter[int] = field(default_factory=Counter)  # by task: calls that a restart now would lose
    places: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    def place(self, engine: RemoteEngine) -> asyncio.Semaphore:
        """This process's places at the account, in order of arrival; the store counts those of all processes."""
        most = engine.spec.limits.in_flight or 100_000
        return self.places.setdefault(engine.spec.account, asyncio.Semaphore(most))

    async def insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write down something that was paid for; a database that refuses for a while must not lose it."""
        wait = 0.25
        for _ in range(STORE_TRIES - 1):
            try:
                return await write()
            except StoreUnavailable as error:
                self.log.error("store.refused", why=str(error))
                await asyncio.sleep(wait)
                wait *= 2
        return await write()


class Purchase:
    """`kept`, `errors` and `warnings` hold what came of it once `run` has returned."""

    def __init__(self, tools: Tools, order: Order, calls: Sequence[PaidCall]) -> None:
        self._tools = tools
        self._order = order
        self._calls = calls
        self._states = {call.no: call.state for call in calls}  # how far this run knows each call to be
        self._fractions: dict[int, float] = {}
        self._ends: dict[int, str] = {}  # in words of the metrics
        self.kept: dict[int, KeptImage] = {}
        self.errors: list[EngineError] = []
        self.warnings: list[str] = []

    async def run(self) -> None:
        """Carry every call to its end. What one of them meets never cuts another, which may be paid already."""
        tasks = [asyncio.create_task(self._carry(call), name=f"call {call.no}") for call in self._calls]
        try:
            results = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            for task in tasks:
                task.cancel()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _carry(self, call: PaidCall) -> None:
        """One call from where it stands. An EngineError is noted; LeaseLost and the store's refusals are raised."""
        run = self._order.run
        facts: Facts = {"task": run.claimed.id, "call": call.no, "engine": call.engine, "model": call.remote_model}
        delicate = _Delicate(self._tools.delicate, call.task_no)
        with run.tracer.span("call", run.claimed.trace, "client", **facts) as span:
            try:
                await self._collect(call, await self._done(call, delicate), delicate)
            except ResultWaits as error:
                self.errors.append(error)  # the call stays open: its results are still to be had
            except EngineError as error:
                span.fail(error.kind)
                await self._fail(call, error)
            finally:
                delicate.leave()
                span.note(outcome=self._ends.get(call.no, "open"))

    async def _fail(self, call: PaidCall, error: EngineError) -> None:
        """The call ends by an error, or stays open where it can be sent again under its key."""
        state = self._states[call.no]
        if state is CallState.SENT and call.resend_safe and isinstance(error, OutcomeUnknown):
            self.errors.append(Unanswered(_LOST, detail=error.detail, charged=True))
        elif state is CallState.INTENT and call.sent_at is not None:
            # An earlier run has sent it. Whatever keeps it from being sent again now says nothing of that.
            if error.retryable:
                error = Unanswered(error.message, detail=error.detail, retry_after=error.retry_after)
            error.charged = True
            self.errors.append(error)
        else:
            self.errors.append(error)
            now = self._tools.clock.now()
            sent = state is not CallState.INTENT
            await self._end(call, _end_by(error, now, sent), _verdict(error) if sent else None, error.retry_after)

    async def _done(self, call: PaidCall, delicate: _Delicate) -> Done:
        """The provider's answer, from whatever is known of the call so far."""
        if call.pending:
            images = tuple(RemoteImage(image.index, url=image.url, seed=image.seed) for image in call.pending)
            return Done(images, request_id=call.request_id)
        if call.state is CallState.ACKNOWLEDGED:  # the provider has it, so it waits for no place
            age = (self._tools.clock.now() - (call.acknowledged_at or call.created_at)) / SECOND
            return await self._follow(call, Accepted(call.remote_id, call.handle, call.request_id), age)
        async with self._tools.place(self._order.engine):
            return await self._bought(call, delicate)

    async def _bought(self, call: PaidCall, delicate: _Delicate) -> Done:
        """The answer to a call that is sent now."""
        await self._order.prepare()  # before the call counts as sent
        await self._admit(call, delicate)
        answer = await self._send(call)
        if isinstance(answer, Done):
            return answer
        handle = dict(answer.handle)
        await self._tools.insist(
            lambda: self._tools.store.acknowledge(
                call.no,
                self._tools.clock.now(),
                remote_id=answer.remote_id,
                request_id=answer.request_id,
                handle=handle,
            )
        )
        self._states[call.no] = CallState.ACKNOWLEDGED
        delicate.leave()
        return await self._follow(call, answer, 0.0)

    async def _admit(self, call: PaidCall, delicate: _Delicate) -> None:
        """Wait until the call may be sent, and have it marked as sent. Raises what makes waiting useless."""
        tools, spec, run = self._tools, self._order.engine.spec, self._order.run
        probe_for = int(spec.call_seconds * SECOND)
        began = now = tools.clock.now()
        with run.spending("wait"):
            while True:
                delicate.enter()
                answer = await tools.store.admit(call, run.claimed.attempt, spec.limits, probe_for, now)
                if not isinstance(answer, Wait):
                    self._states[call.no] = CallState.SENT
                    return
                delicate.leave()
                error = _unwell(answer.resting)
                movable = self._order.elsewhere and call.sent_at is None  # what was sent is nobody else's
                if error is None and movable and answer.until - began > PATIENCE * SECOND:
                    error = Elsewhere("the provider is resting or busy")
                if error is not None:
                    raise error
                await asyncio.sleep(min(max((answer.until - now) / SECOND, 0.01), LONGEST_SLEEP))
                now = tools.clock.now()

    async def _send(self, call: PaidCall) -> Done | Accepted:
        """The paid request itself, once."""
        tools, order = self._tools, self._order
        run, engine = order.run, order.engine
        job = await order.prepare()
        now = tools.clock.now()
        tools.store.mark_submitted(run.claimed.no, run.claimed.attempt, run.engine or engine.spec.name, now)
        with run.spending("run"):
            try:
                return await engine.send(job, self._wire_call(call), self._notify(call))
            except EngineError:
                raise
            except Exception as error:  # a bug in an engine: nobody can say whether the request had left by then
                tools.log.exception("call.broke", call=call.no, engine=call.engine)
                raise OutcomeUnknown(_LOST, detail=repr(error), charged=True) from error

    async def _follow(self, call: PaidCall, accepted: Accepted, age: float) -> Done:
        """Wait for a job that was taken `age` seconds ago."""
        order, tools = self._order, self._tools
        with order.run.spending("run"):
            return await tools.tracker.follow(
                order.engine,
                call.remote_model,
                self._wire_call(call),
                accepted.remote_id,
                accepted.handle,
                age,
                self._notify(call),
            )

    def _wire_call(self, call: PaidCall) -> Call:
        spec = self._order.engine.spec
        callback_url = self._tools.callback_url(spec.name) if spec.calls_back else None
        return Call(call.images, call.key, callback_url)

    async def _collect(self, call: PaidCall, done: Done, delicate: _Delicate) -> None:
        """Results into our storage, side by side. Raises ResultWaits; what is lost is lost alone."""
        tools = self._tools
        self.warnings += done.warnings
        for refusal in done.refusals:
            refusal.charged = True  # the call it belongs to is: with that, what it did not make is not bought again
        self.errors += done.refusals
        pending = tuple(PendingImage(i.index, i.url, i.seed) for i in done.images if i.url is not None)
        if pending and not call.pending:  # where they lie, before anybody fetches them
            await tools.insist(
                lambda: tools.store.acknowledge(
                    call.no, tools.clock.now(), request_id=done.request_id, pending=pending
                )
            )
        if len(pending) == len(done.images):
            delicate.leave()  # whoever comes next can fetch them
        results = await asyncio.gather(*map(self._result, done.images), return_exceptions=True)
        kept = tuple(result for result in results if isinstance(result, KeptImage))
        self.kept.update({image.index: image for image in kept})  # also where the others never come
        for result in results:
            if isinstance(result, ResultWaits) or (
                isinstance(result, BaseException) and not isinstance(result, EngineError)
            ):
                raise result  # nothing is settled: the next run fetches all of them, which costs no money
        lost = [result for result in results if isinstance(result, EngineError)]
        self.errors += lost
        first = next(iter([*lost, *done.refusals]), None)
        end = CallEnd(
            CallState.SETTLED,
            CallOutcome.MADE if kept else CallOutcome.LOST,
            tools.clock.now(),
            failure=first.kind if first is not None else "",
            code=first.code if first is not None else "",
            detail=first.detail if first is not None else "",
            charged=True,
            request_id=done.request_id,
            kept=kept,
            keep_until=self._order.run.claimed.deadline_at + KEEP_MARGIN,
        )
        await self._end(call, end, "good" if kept else None, None)

    async def _result(self, image: RemoteImage) -> KeptImage:
        order, keep = self._order, self._tools.keep
        with order.run.spending("store"):
            data = image.data
            if data is None:
                data = await keep.fetch(image.url or "", order.engine.spec.trusted_origins)
            kept = await keep.bought(image.index, data, image.seed, await order.wish())
        order.run.bytes_out += kept.bytes
        return kept

    async def _end(self, call: PaidCall, end: CallEnd, verdict: Verdict | None, retry_after: float | None) -> None:
        tools = self._tools
        await tools.insist(lambda: tools.store.end_call(call.no, end, verdict, retry_after, tools.rules))
        word = self._ends[call.no] = end.outcome.value if end.outcome is not None else "unknown"
        tools.metrics.called(call.engine, word)
        if end.state is CallState.UNKNOWN:
            tools.log.warning("call.unknown", call=call.no, engine=call.engine, why=end.detail)
        elif end.outcome is CallOutcome.LOST:
            tools.log.warning("call.lost", call=call.no, engine=call.engine, why=end.detail)

    def _notify(self, call: PaidCall) -> Notify:
        def notify(fraction: float, stage: str) -> None:
            mine = max(self._fractions.get(call.no, 0.0), min(1.0, fraction) * len(call.images))
            self._fractions[call.no] = mine
            self._order.progress(sum(self._fractions.values()) / self._order.run.claimed.input.n, stage)

        return notify


class _Delicate:
    """Marks a call as one that a restart would lose: from `sent` until what came of it is written down."""

    def __init__(self, calls: Counter[int], task_no: int) -> None:
        self._calls = calls
        self._task_no = task_no
        self._in = False

    def enter(self) -> None:
        if not self._in:
            self._calls[self._task_no] += 1
            self._in = True

    def leave(self) -> None:
        if self._in:
            self._in = False
            self._calls[self._task_no] -= 1
            if not self._calls[self._task_no]:
                del self._calls[self._task_no]


class NotLetThrough(Misconfigured):
    """The account's key was refused again and again, so that it rests and no call is tried for now."""


class NothingLeft(BalanceExhausted):
    """The account's balance was empty again and again, so that it rests and no call is tried for now."""


def _unwell(resting: Ailment) -> EngineError | None:
    """Why a task need not wait for an account that rests; None when the waiting may help."""
    match resting:
        case "key":
            return NotLetThrough("this server's access to the provider does not work")
        case "balance":
            return NothingLeft("the account behind this model has nothing left")
        case _:
            return None


def _end_by(error: EngineError, now: Micros, sent: bool) -> CallEnd:
    """How a call ends that an error ended; one that was never sent was kept from it by the error."""
    unknown = sent and isinstance(error, OutcomeUnknown)
    outcome: CallOutcome | None
    match error:
        case _ if not sent:
            outcome = CallOutcome.NOT_SENT
        case OutcomeUnknown():
            outcome = None
        case InputRefused() | ContentRefused():
            outcome = CallOutcome.REFUSED
        case _:
            outcome = CallOutcome.FAILED
    return CallEnd(
        CallState.UNKNOWN if unknown else CallState.SETTLED,
        outcome,
        now,
        failure=error.kind,
        code=error.code,
        detail=error.detail,
        charged=sent and (error.charged or unknown),
    )


def _verdict(error: EngineError) -> Verdict | None:
    """What the error that ended a call says about the account behind it; None when it says nothing."""
    if not error.about_account:
        return None
    match error:
        case InputRefused() | ContentRefused():
            return "good"
        case EngineRateLimited():
            return "slow down"
        case Misconfigured():
            return "key"
        case BalanceExhausted():
            return "balance"
        case _:
            return "bad"
