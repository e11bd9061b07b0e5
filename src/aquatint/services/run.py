"""Run: one attempt of one task, from the claim to its outcome."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import msgspec

from aquatint.catalog.load import Catalog
from aquatint.catalog.models import ModelSpec
from aquatint.domain.errors import Broken, EngineError, LeaseLost, Misconfigured, StoreUnavailable, UnknownModel
from aquatint.domain.task import ClaimedTask, Status
from aquatint.engines.base import Engine
from aquatint.engines.registry import AnyEngine
from aquatint.engines.remote import RemoteEngine
from aquatint.services import job as jobs
from aquatint.services import verdict
from aquatint.services.buy import BuyService
from aquatint.services.job import Made, Run
from aquatint.services.paint import PaintService
from aquatint.services.prepare import Prepared, PrepareService
from aquatint.services.purchase import Elsewhere, Order
from aquatint.services.route import RouteService
from aquatint.services.settle import Outcome, SettleService, as_task
from aquatint.services.signals import Signals
from aquatint.services.tools import SECOND, Clock
from aquatint.services.verdict import Again
from aquatint.store.base import Store
from aquatint.store.records import Requeue
from aquatint.telemetry import Facts, Logger, Telemetry, about

PROGRESS_EVERY = 0.4  # seconds between two stored progress values
LATE = "the task did not finish before its deadline"


@dataclass(frozen=True, slots=True)
class RunRules:
    """Limits of a task's runs; times in seconds."""

    max_attempts: int
    retry_wait: float
    retention: float


class RunService:
    """Runs claimed tasks. Never raises except for cancellation: every run ends in a row of the store."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        engines: Mapping[str, AnyEngine],
        prepare: PrepareService,
        route: RouteService,
        paint: PaintService,
        buy: BuyService,
        settle: SettleService,
        clock: Clock,
        rules: RunRules,
        log: Logger,
        signals: Signals,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry.silent()
        self._store = store
        self._catalog = catalog
        self._engines = engines
        # Told once: to look for every method of a port takes as long as a query.
        self._remotes = {name: engine for name, engine in engines.items() if isinstance(engine, RemoteEngine)}
        self._prepare = prepare
        self._route = route
        self._paint = paint
        self._buy = buy
        self._settle = settle
        self._clock = clock
        self._rules = rules
        self._log = log
        self._signals = signals

    async def __call__(self, claimed: ClaimedTask) -> float | None:
        """Run the attempt; seconds until the next one when there is to be one.

        Cancelling this coroutine stops the engine and writes nothing.
        """
        tracer = self._telemetry.tracer
        run = Run(claimed, self._clock.now(), tracer)
        which: Facts = {"task": claimed.id, "lane": claimed.lane, "attempt": claimed.attempt}
        with about(claimed.id, claimed.trace):
            tracer.past("task.claim", claimed.trace, run.queued, **which)
            with tracer.span("task.attempt", claimed.trace, **which) as span:
                try:
                    return await self._attempt(run)
                finally:
                    span.note(engine=run.engine)

    async def _attempt(self, run: Run) -> float | None:
        claimed = run.claimed
        left = (claimed.deadline_at - run.updated_at) / SECOND
        try:
            async with asyncio.timeout(max(0.0, left)) as deadline:
                made = await self._make(run)
        except LeaseLost:
            return None
        except EngineError as error:
            made = Made((), errors=(error,))
        except StoreUnavailable as error:
            self._log.error("store.refused", task=claimed.id, attempt=claimed.attempt, why=str(error))
            made = Made((), errors=(verdict.StoreAway("the server's storage did not answer", detail=str(error)),))
        except Exception as error:  # noqa: BLE001  # a bug must end the attempt, not hang the task
            if isinstance(error, TimeoutError) and deadline.expired():
                await self._write(run, Outcome(Status.TIMEOUT, failure_message=LATE), None)
                await self._buy.abandon(claimed)
                return None
            self._log.exception("task.broke", task=claimed.id, attempt=claimed.attempt)
            broken = Broken("the server failed while it worked on this task", detail=repr(error))
            made = Made((), errors=(broken,))
        remote = run.route is not None and run.route.engine in self._remotes
        again = verdict.again(run, made, self._rules.max_attempts, remote, self._route)
        if again is not None and (seconds := await self._requeue(run, again)) is not None:
            return seconds
        if remote and not made.images:  # whatever broke this run: what earlier ones have bought is there
            made = msgspec.structs.replace(made, images=await self._buy.kept(claimed.no))
        retention = int(self._rules.retention * SECOND)
        outcome = verdict.outcome(run, made, lambda: self._clock.now() + retention)
        await self._write(run, outcome, verdict.told(made.errors))
        return None

    def fetching(self, lane: str) -> int:
        """Runs of the lane that wait for somebody else's server; they take no engine's place."""
        return self._prepare.fetching(lane)

    def delicate(self, claimed: ClaimedTask) -> bool:
        """Whether the task has a paid call under way that nobody could take up again after a restart."""
        return self._buy.delicate(claimed.no)

    async def abandon(self, claimed: ClaimedTask) -> None:
        """The task was ended by somebody else, and its run has stopped: so should the provider."""
        await self._buy.abandon(claimed)

    async def _make(self, run: Run) -> Made:
        claimed = run.claimed
        try:
            model = run.model = self._catalog.find(claimed.model)
        except UnknownModel:
            raise Misconfigured("this model is no longer offered here") from None
        need = jobs.need_of(claimed)
        route = run.route = self._route.choose(model, need, claimed.lane, claimed.failed_routes)
        engine = self._engines[route.engine]
        run.remote_model = route.remote(need.mode)
        run.engine = jobs.engine_name(engine.spec, run.remote_model)
        prepared = self._prepare(run, model, route, engine)
        if (remote := self._remotes.get(route.engine)) is not None:
            return await self._buy(self._order(run, model, remote, prepared))
        return await self._painted(run, cast(Engine, engine), prepared)

    def _order(self, run: Run, model: ModelSpec, engine: RemoteEngine, prepared: Prepared) -> Order:
        claimed, route = run.claimed, run.route
        failed = (*claimed.failed_routes, route.name if route is not None else "")
        other = self._route.next(model, jobs.need_of(claimed), failed, claimed.input.fallback, Elsewhere(""))
        return Order(
            run=run,
            engine=engine,
            prepare=prepared.job,
            wish=prepared.wish,
            progress=_Progress(self._store, run),
            resend_ambiguous=model.resend_ambiguous,
            elsewhere=other is not None,
        )

    async def _painted(self, run: Run, engine: Engine, prepared: Prepared) -> Made:
        claimed = run.claimed
        await prepared.references()  # before it takes a place: somebody else's server may be slow
        place = self._paint.place(engine)
        with run.spending("wait"):
            await place.acquire()
        try:
            run.updated_at = self._clock.now()
            job = await prepared.job()
            self._store.mark_submitted(claimed.no, claimed.attempt, run.engine or "", run.updated_at)
            return await self._paint(run, engine, job, _Progress(self._store, run))
        finally:
            place.release()

    async def _requeue(self, run: Run, again: Again) -> float | None:
        """Let the task wait for its next run; seconds until then, None when it has no time left for one."""
        claimed, error = run.claimed, again.error
        wait = again.wait
        if wait is None:
            jitter = random.uniform(1.0, 1.25)  # noqa: S311  # no secret
            wait = max(self._rules.retry_wait * 2**claimed.failures * jitter, error.retry_after or 0.0)
        now = self._clock.now()
        not_before = now + int(wait * SECOND)
        if not_before >= claimed.deadline_at:
            return None
        self._log.info(
            "task.requeued",
            task=claimed.id,
            attempt=claimed.attempt,
            why=error.kind,
            detail=error.detail or None,
            lane=again.lane,
        )
        self._count(run)
        self._telemetry.metrics.requeued(claimed.lane, error.kind)
        await self._store.requeue(
            Requeue(
                task_no=claimed.no,
                attempt=claimed.attempt,
                not_before=not_before,
                at=now,
                why=error.kind,
                failed=again.counted,
                log=run.log(error),
                lane=again.lane,
                failed_routes=again.failed_routes,
            )
        )
        if again.lane is not None:
            self._signals.work(again.lane)
        return wait

    async def _write(self, run: Run, outcome: Outcome, error: EngineError | None) -> None:
        task = as_task(run.claimed, run.engine, run.progress, run.updated_at)
        failed = error if outcome.status is not Status.SUCCESS else None
        self._count(run)
        settled = await self._settle(task, outcome, run.log(failed))
        self._log.info(
            "task.settled" if settled else "task.lost",
            task=run.claimed.id,
            attempt=run.claimed.attempt,
            status=outcome.status,
            reason=outcome.failure_reason,
            detail=outcome.detail or None,
        )

    def _count(self, run: Run) -> None:
        self._telemetry.metrics.attempted(run.claimed.lane, run.spent())


class _Progress:
    """Keeps the newest progress and stores it now and then; it never goes back."""

    __slots__ = ("_next", "_run", "_store")

    def __init__(self, store: Store, run: Run) -> None:
        self._store = store
        self._run = run
        self._next = time.monotonic() + PROGRESS_EVERY

    def __call__(self, fraction: float, stage: str) -> None:
        run = self._run
        run.progress = max(run.progress, min(fraction, 0.99))
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PROGRESS_EVERY
            self._store.note_progress(run.claimed.no, run.claimed.attempt, run.progress)
