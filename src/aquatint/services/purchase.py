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
from aquatint.telemetry import Logger

T = TypeVar("T")

PATIENCE = 10.0  # seconds that a task waits for a provider while another route could serve it
LONGEST_SLEEP = 5.0  # between two questions whether a call may be sent now
STORE_TRIES = 8  # to write down what was paid, while the database refuses


class Elsewhere(Unavailable):
    """The provider rests or is busy for longer than a task with another route should wait."""


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
        self._fractions: dict[int, float] = {}
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
        delicate = _Delicate(self._tools.delicate, call.task_no)
        try:
            async with self._tools.place(self._order.engine):
                done = await self._done(call, delicate)
            await self._collect(call, done, delicate)
        except ResultWaits as error:
            self.errors.append(error)  # the call stays open: its results are still to be had
        except OutcomeUnknown as error:
            if call.resend_safe:
                # It stays open as sent: the next run sends it again under its key, and the provider bills it once.
                again = Unavailable("the provider's answer was lost; it is asked again", detail=error.detail)
                self.errors.append(again)
            else:
                await self._fail(call, error)
        except EngineError as error:
            await self._fail(call, error)
        finally:
            delicate.leave()

    async def _fail(self, call: PaidCall, error: EngineError) -> None:
        self.errors.append(error)
        await self._end(call, _end_by(error, self._tools.clock.now()), error)

    async def _done(self, call: PaidCall, delicate: _Delicate) -> Done:
        """The provider's answer, from whatever is known of the call so far."""
        if call.pending:
            images = tuple(RemoteImage(image.index, url=image.url, seed=image.seed) for image in call.pending)
            return Done(images, request_id=call.request_id)
        if call.state is CallState.ACKNOWLEDGED:
            return await self._follow(call, Accepted(call.remote_id, call.handle, call.request_id))
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
        delicate.leave()
        return await self._follow(call, answer)

    async def _admit(self, call: PaidCall, delicate: _Delicate) -> None:
        """Wait until the call may be sent, and have it marked as sent. Raises what makes waiting useless."""
        tools, spec, run = self._tools, self._order.engine.spec, self._order.run
        probe_for = int(spec.call_seconds * SECOND)
        with run.spending("wait"):
            while True:
                now = tools.clock.now()
                delicate.enter()
                answer = await tools.store.admit(call, run.claimed.attempt, spec.limits, probe_for, now)
                if not isinstance(answer, Wait):
                    return
                delicate.leave()
                seconds = (answer.until - now) / SECOND
                error = _unwell(answer.resting)
                if error is None and seconds > PATIENCE and self._order.elsewhere:
                    error = Elsewhere("the provider is resting or busy")
                if error is not None:
                    raise error
                await asyncio.sleep(min(max(seconds, 0.01), LONGEST_SLEEP))

    async def _send(self, call: PaidCall) -> Done | Accepted:
        """The paid request itself, once."""
        tools, order = self._tools, self._order
        run, engine = order.run, order.engine
        job = await order.prepare()
        now = tools.clock.now()
        tools.store.mark_submitted(run.claimed.no, run.claimed.attempt, run.engine or engine.spec.name, now)
        with run.spending("run"):
            return await engine.send(job, self._wire_call(call), self._notify(call))

    async def _follow(self, call: PaidCall, accepted: Accepted) -> Done:
        order, tools = self._order, self._tools
        now = tools.clock.now()
        age = (now - (call.sent_at or now)) / SECOND
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
        for result in results:
            if isinstance(result, ResultWaits) or (
                isinstance(result, BaseException) and not isinstance(result, EngineError)
            ):
                raise result  # nothing is settled: the next run fetches all of them, which costs no money
        kept = tuple(result for result in results if isinstance(result, KeptImage))
        lost = [result for result in results if isinstance(result, EngineError)]
        self.kept.update({image.index: image for image in kept})
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
        )
        await self._end(call, end, None)

    async def _result(self, image: RemoteImage) -> KeptImage:
        order, keep = self._order, self._tools.keep
        with order.run.spending("store"):
            data = image.data
            if data is None:
                data = await keep.fetch(image.url or "", order.engine.spec.trusted_origins)
            kept = await keep.bought(image.index, data, image.seed, await order.wish())
        order.run.bytes_out += kept.bytes
        return kept

    async def _end(self, call: PaidCall, end: CallEnd, error: EngineError | None) -> None:
        tools = self._tools
        verdict = _verdict(end, error)
        retry_after = error.retry_after if error is not None else None
        await tools.insist(lambda: tools.store.end_call(call.no, end, verdict, retry_after, tools.rules))
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


def _end_by(error: EngineError, now: Micros) -> CallEnd:
    """How a call ends that an error ended."""
    unknown = isinstance(error, OutcomeUnknown)
    match error:
        case OutcomeUnknown():
            outcome = None
        case InputRefused() | ContentRefused():
            outcome = CallOutcome.REFUSED
        case Elsewhere() | NotLetThrough() | NothingLeft():
            outcome = CallOutcome.NOT_SENT
        case _:
            outcome = CallOutcome.FAILED
    return CallEnd(
        CallState.UNKNOWN if unknown else CallState.SETTLED,
        outcome,
        now,
        failure=error.kind,
        code=error.code,
        detail=error.detail,
        charged=error.charged or unknown,
    )


def _verdict(end: CallEnd, error: EngineError | None) -> Verdict | None:
    """What the end of a call says about the account behind it; None when it says nothing."""
    if end.outcome in (CallOutcome.NOT_SENT, CallOutcome.LOST) or (error is not None and not error.about_account):
        return None
    match error:
        case None | InputRefused() | ContentRefused():
            return "good"
        case EngineRateLimited():
            return "slow down"
        case Misconfigured():
            return "key"
        case BalanceExhausted():
            return "balance"
        case _:
            return "bad"
