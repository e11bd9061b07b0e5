"""Run: one attempt of one task, from the claim to its outcome."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

from aquatint.assets.base import AssetStore
from aquatint.catalog.load import Catalog
from aquatint.catalog.models import ModelSpec
from aquatint.domain.errors import Broken, EngineError, LeaseLost, Misconfigured, UnknownModel
from aquatint.domain.size import Size
from aquatint.domain.task import ClaimedTask, Result, ResultImage, Status
from aquatint.engines.base import Engine, GeneratedImage, Generation, GenerationJob, ReferenceImage
from aquatint.services.references import ReferenceService
from aquatint.services.settle import Outcome, SettleService, as_task
from aquatint.services.signals import Signals
from aquatint.services.tools import SECOND, Clock, new_token
from aquatint.store.base import Store
from aquatint.telemetry import Logger

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
PROGRESS_EVERY = 0.4  # seconds between two stored progress values


@dataclass(frozen=True, slots=True)
class RunRules:
    """Limits of a task's runs; times in seconds."""

    max_attempts: int
    retry_wait: float
    retention: float


class RunService:
    """Runs claimed tasks, `concurrency` of them in an engine at once.

    Never raises except for cancellation: every run ends in a row of the store.
    """

    def __init__(
        self,
        store: Store,
        assets: AssetStore,
        catalog: Catalog,
        engines: Mapping[str, Engine],
        references: ReferenceService,
        settle: SettleService,
        clock: Clock,
        rules: RunRules,
        log: Logger,
        signals: Signals,
        concurrency: int,
    ) -> None:
        self._store = store
        self._assets = assets
        self._catalog = catalog
        self._engines = engines
        self._references = references
        self._settle = settle
        self._clock = clock
        self._rules = rules
        self._log = log
        self._signals = signals
        self._places = asyncio.Semaphore(concurrency)
        self._fetching = 0

    async def __call__(self, claimed: ClaimedTask) -> float | None:
        """Run the attempt; seconds until the next one when there is to be one.

        Cancelling this coroutine stops the engine and writes nothing.
        """
        run = _Run(claimed, self._clock.now())
        left = (claimed.deadline_at - run.updated_at) / SECOND
        try:
            async with asyncio.timeout(max(0.0, left)) as deadline:
                outcome = await self._generate(run)
        except LeaseLost:
            return None
        except EngineError as error:
            if error.retryable and (again_in := await self._requeue(run, error)) is not None:
                return again_in
            outcome = Outcome(
                Status.FAILURE,
                failure_reason=error.failure_reason,
                failure_message=error.message,
                detail=error.detail,
            )
        except Exception as error:  # noqa: BLE001  # a bug must end the attempt, not hang the task
            if isinstance(error, TimeoutError) and deadline.expired():
                message = "the task did not finish before its deadline"
                outcome = Outcome(Status.TIMEOUT, failure_message=message)
            else:
                self._log.exception("task.broke", task=claimed.id, attempt=claimed.attempt)
                broken = Broken("the server failed while it worked on this task", detail=repr(error))
                if (again_in := await self._requeue(run, broken)) is not None:
                    return again_in
                outcome = Outcome(Status.FAILURE, failure_message=broken.message, detail=broken.detail)
        await self._write(run, outcome)
        return None

    async def _write(self, run: _Run, outcome: Outcome) -> None:
        settled = await self._settle(as_task(run.claimed, run.engine, run.progress, run.updated_at), outcome)
        self._log.info(
            "task.settled" if settled else "task.lost",
            task=run.claimed.id,
            attempt=run.claimed.attempt,
            status=outcome.status,
            reason=outcome.failure_reason,
            detail=outcome.detail or None,
        )

    @property
    def fetching(self) -> int:
        """Runs that wait for somebody else's server to send their references; they take no engine's place."""
        return self._fetching

    async def _fetch(self, claimed: ClaimedTask) -> tuple[ReferenceImage, ...]:
        self._fetching += 1
        self._signals.work.set()  # there is room for another task meanwhile
        try:
            return await self._references(claimed.input.references)
        finally:
            self._fetching -= 1

    async def _generate(self, run: _Run) -> Outcome:
        claimed = run.claimed
        try:
            model = self._catalog.find(claimed.model)
        except UnknownModel:
            raise Misconfigured("this model is no longer offered here") from None
        engine, remote_model = self._route(model)
        references = await self._fetch(claimed) if claimed.input.references else ()
        first = Size(references[0].width, references[0].height) if references else None
        size = model.size(claimed.input.ratio, claimed.input.resolution, first)
        run.engine = f"{engine.spec.name}/{engine.spec.version}"
        async with self._places:
            run.updated_at = self._clock.now()
            job = GenerationJob(
                model=model.name,
                remote_model=remote_model,
                mode=claimed.input.mode,
                prompt=claimed.input.prompt,
                references=references,
                width=size.width,
                height=size.height,
                count=claimed.input.n,
                seed=claimed.input.seed,
                time_left=(claimed.deadline_at - run.updated_at) / SECOND,
                options=claimed.input.options,
            )
            self._store.mark_submitted(claimed.no, claimed.attempt, run.engine, run.updated_at)
            generation = await engine.generate(job, self._progress_of(run))
        return await self._store_images(run, model, generation)

    def _route(self, model: ModelSpec) -> tuple[Engine, str]:
        for route in model.routes:
            engine = self._engines.get(route.engine)
            if engine is not None:
                return engine, route.remote_model
        raise Misconfigured("no engine serves this model here")

    def _progress_of(self, run: _Run) -> _Progress:
        return _Progress(self._store, run)

    async def _store_images(self, run: _Run, model: ModelSpec, generation: Generation) -> Outcome:
        if not generation.images:
            raise Broken("the engine made no image")
        images = tuple([await self._keep(index, image) for index, image in enumerate(generation.images)])
        expires_at = self._clock.now() + int(self._rules.retention * SECOND)
        return Outcome(
            Status.SUCCESS,
            engine=run.engine,
            result=Result(images, expires_at),
            warnings=generation.warnings,
            points=model.points * len(images),
        )

    async def _keep(self, index: int, image: GeneratedImage) -> ResultImage:
        extension = EXTENSIONS.get(image.media_type)
        if extension is None:
            raise Broken("the engine gave something that is no image", detail=image.media_type)
        digest = await self._assets.put(image.data)
        return ResultImage(
            token=new_token(),
            name=f"{index + 1}.{extension}",
            digest=digest,
            media_type=image.media_type,
            width=image.width,
            height=image.height,
            bytes=len(image.data),
            seed=image.seed,
        )

    async def _requeue(self, run: _Run, error: EngineError) -> float | None:
        """Let the task wait for its next run; seconds until then, None when it has no run or no time left."""
        claimed = run.claimed
        if claimed.failures + 1 >= self._rules.max_attempts:
            return None
        wait = self._rules.retry_wait * 2**claimed.failures * random.uniform(1.0, 1.25)  # noqa: S311  # jitter
        now = self._clock.now()
        not_before = now + int(max(wait, error.retry_after or 0.0) * SECOND)
        if not_before >= claimed.deadline_at:
            return None
        why = type(error).__name__
        self._log.info(
            "task.requeued", task=claimed.id, attempt=claimed.attempt, why=why, detail=error.detail or None
        )
        await self._store.requeue(claimed.no, claimed.attempt, not_before, now, why, failed=True)
        return (not_before - now) / SECOND


class _Run:
    """What is known while an attempt runs."""

    __slots__ = ("claimed", "engine", "progress", "updated_at")

    def __init__(self, claimed: ClaimedTask, now: int) -> None:
        self.claimed = claimed
        self.engine: str | None = None
        self.progress = claimed.progress
        self.updated_at = now


class _Progress:
    """Keeps the newest progress and stores it now and then; it never goes back."""

    __slots__ = ("_next", "_run", "_store")

    def __init__(self, store: Store, run: _Run) -> None:
        self._store = store
        self._run = run
        self._next = time.monotonic() + PROGRESS_EVERY

    def __call__(self, fraction: float, stage: str) -> None:
        run = self._run
        run.progress = max(run.progress, min(fraction, 0.99))
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PROGRESS_EVERY
            self._store.note_progress(run.claimed.no, run.claimed.attempt, run.progress)
