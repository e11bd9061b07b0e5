"""Track: ask after the providers' jobs of this process, at the times that are likely to tell something.

One heap of due times for all jobs. How often a job is asked after follows how long jobs of its model have taken: not
before any was ever done, closely while most are done, and never more often than the provider's rate allows.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from aquatint.domain.errors import EngineError, EngineRateLimited
from aquatint.engines.remote import AskAgain, Call, Done, Notify, RemoteEngine
from aquatint.telemetry import Logger

SHORTEST = 0.25  # seconds between two questions about one job
LONGEST = 2.0  # what keeps "we know" within three seconds of "it is done"
SLOW_FACTOR = 4.0  # how much rarer we ask where the provider calls us
SLOWEST = 10.0
EARLY = 0.9  # of the shortest time that a job of the model ever took, before the first question
AT_ONCE = 32  # questions to one account under way at once
SAMPLES = 200  # jobs of a model that are remembered
ENOUGH = 5  # before that many are known, nothing is concluded from them


class Durations:
    """How long the last jobs of each model took, in seconds."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], deque[float]] = {}

    def note(self, engine: str, model: str, seconds: float) -> None:
        self._seen.setdefault((engine, model), deque(maxlen=SAMPLES)).append(seconds)

    def wait(self, engine: str, model: str, age: float) -> float:
        """Seconds until a job of this age should be asked after."""
        seen = self._seen.get((engine, model))
        if seen is None or len(seen) < ENOUGH:
            return min(max(age * 0.1, SHORTEST), LONGEST)
        ordered = sorted(seen)
        early, late = ordered[len(ordered) // 20], ordered[-1 - len(ordered) // 20]
        first = early * EARLY
        if age < first:
            return max(first - age, SHORTEST)
        if age <= late:
            return min(max((late - early) / 20, SHORTEST), LONGEST)
        return min(max(age * 0.1, SHORTEST * 2), LONGEST)


@dataclass(slots=True, eq=False)
class _Job:
    engine: RemoteEngine
    model: str
    call: Call
    handle: Mapping[str, str]
    remote_id: str
    began: float  # on the loop's clock
    called_back: bool  # the provider will tell us
    notify: Notify
    answer: asyncio.Future[Done]
    context: contextvars.Context  # of who waits: the timer that asks was set by whoever came last
    due: float = 0.0
    asking: bool = False
    nudged: bool = False
    watched: bool = False  # since before it was done; else, after a restart, it may have been done for long
    reserved: bool = False  # its next question has a place within the provider's rate
    retry_after: float = 0.0

    def due_at(self, due: float) -> bool:
        """Whether that is still its due time: it is not over, not being asked after, and was not planned anew."""
        return due == self.due and not self.asking and not self.answer.done()


_InLine = tuple[bool, float, int, _Job]  # those whose provider has called come first, then whoever was due first


@dataclass(slots=True)
class _Account:
    """Questions to one provider account: how many are under way, who waits for one of them to end, and when the
    rate allows the next.
    """

    asking: int = 0
    line: list[_InLine] = field(default_factory=list)  # a heap
    next_at: float = 0.0
    jobs: dict[str, _Job] = field(default_factory=dict)


class Tracker:
    """Follows jobs until they are done. `open` and `close` belong to the event loop's life."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._heap: list[tuple[float, int, _Job]] = []
        self._order = itertools.count()
        self._accounts: dict[str, _Account] = {}
        self._questions: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        self.durations = Durations()

    def __len__(self) -> int:
        return sum(len(account.jobs) for account in self._accounts.values())

    async def follow(
        self,
        engine: RemoteEngine,
        model: str,
        call: Call,
        remote_id: str,
        handle: Mapping[str, str],
        age: float,
        notify: Notify,
    ) -> Done:
        """Wait until the job is done; `age` is how many seconds ago it was taken. Raises the job's EngineError.

        Cancelling the wait forgets the job here and leaves it running at the provider.
        """
        loop = asyncio.get_running_loop()
        job = _Job(
            engine=engine,
            model=model,
            call=call,
            handle=handle,
            remote_id=remote_id,
            began=loop.time() - max(0.0, age),
            called_back=call.callback_url is not None,
            notify=notify,
            answer=loop.create_future(),
            context=contextvars.copy_context(),
            watched=age < LONGEST,
        )
        account = self._accounts.setdefault(engine.spec.account, _Account())
        account.jobs[remote_id] = job
        self._plan(job, self._pause(job, account))
        try:
            done = await job.answer
        finally:
            if account.jobs.get(remote_id) is job:  # else a later run follows it by now
                del account.jobs[remote_id]
        if job.watched:
            self.durations.note(engine.spec.name, model, loop.time() - job.began)
        return done

    def nudge(self, account: str, remote_id: str) -> bool:
        """The provider says that this job is done: ask now. True when the job is followed here."""
        known = self._accounts.get(account)
        job = known.jobs.get(remote_id) if known is not None else None
        if job is None:
            return False
        job.nudged = True
        if not job.asking:
            self._plan(job, 0.0)
        return True

    def _pause(self, job: _Job, account: _Account) -> float:
        """Seconds until the next question: what the model's durations suggest, within what the rate allows."""
        spec = job.engine.spec
        age = asyncio.get_running_loop().time() - job.began
        wait = self.durations.wait(spec.name, job.model, age)
        if job.called_back:
            wait = min(wait * SLOW_FACTOR, SLOWEST)
        if spec.limits.polls_per_second:
            wait = max(wait, len(account.jobs) / spec.limits.polls_per_second)
        return max(wait, job.retry_after)

    def _plan(self, job: _Job, wait: float) -> None:
        job.due = asyncio.get_running_loop().time() + wait
        heapq.heappush(self._heap, (job.due, next(self._order), job))
        self._arm()

    def _arm(self) -> None:
        """Set the one timer to the earliest due time."""
        if not self._heap:
            return
        earliest = self._heap[0][0]
        if self._timer is not None:
            if self._rings_at <= earliest:
                return
            self._timer.cancel()
        self._rings_at = earliest  # a handle of uvloop may not know
        self._timer = asyncio.get_running_loop().call_at(earliest, self._ring)

    def _ring(self) -> None:
        """Ask after every job that is due and has room at its provider."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._heap and self._heap[0][0] <= now:
            due, order, job = heapq.heappop(self._heap)
            if not job.due_at(due):
                continue
            account = self._accounts[job.engine.spec.account]
            rate = job.engine.spec.limits.polls_per_second
            if rate and not job.reserved:
                place = max(account.next_at, now)
                account.next_at = place + 1 / rate
                job.reserved = True
                if place > now and not job.nudged:
                    self._plan(job, place - now)
                    continue
            if account.asking < AT_ONCE:
                self._ask(job, account)
            else:  # in order: whoever was left to chance could wait for ever
                heapq.heappush(account.line, (not job.nudged, due, order, job))
        self._arm()

    def _next_in_line(self, account: _Account) -> None:
        while account.line and account.asking < AT_ONCE:
            _, due, _, job = heapq.heappop(account.line)
            if job.due_at(due):
                self._ask(job, account)

    def _ask(self, job: _Job, account: _Account) -> None:
        job.asking = True
        account.asking += 1
        job.nudged = job.reserved = False
        question = asyncio.create_task(
            self._question(job, account), name=f"look {job.remote_id}", context=job.context.copy()
        )
        self._questions.add(question)
        question.add_done_callback(self._questions.discard)

    async def _question(self, job: _Job, account: _Account) -> None:
        job.retry_after = 0.0
        try:
            found = await job.engine.look(job.call, job.handle)
            if isinstance(found, Done):
                _answer(job, found)
            else:
                job.watched = True
                if found.progress is not None:
                    job.notify(found.progress, found.stage)
        except (AskAgain, EngineRateLimited) as again:  # to ask too often says nothing about the job either
            job.retry_after = again.retry_after or 0.0
            self._log.debug("job.unanswered", engine=job.engine.spec.name, job=job.remote_id, detail=again.detail)
        except EngineError as error:
            _answer(job, error)
        except Exception as error:  # noqa: BLE001  # a bug in an engine must not leave its job waiting for ever
            self._log.error("job.broke", engine=job.engine.spec.name, job=job.remote_id, why=repr(error))
            job.retry_after = LONGEST
        finally:
            job.asking = False
            account.asking -= 1
            self._next_in_line(account)
        if not job.answer.done():
            self._plan(job, 0.0 if job.nudged else self._pause(job, account))

    async def close(self) -> None:
        """Ask nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        for question in list(self._questions):
            question.cancel()
        await asyncio.gather(*self._questions, return_exceptions=True)


def _answer(job: _Job, what: Done | EngineError) -> None:
    if job.answer.done():
        return
    if isinstance(what, Done):
        job.answer.set_result(what)
    else:
        job.answer.set_exception(what)
