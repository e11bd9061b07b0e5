"""Prepare: a claimed task as a job for one engine, with its references fetched when somebody needs them."""

from __future__ import annotations

import asyncio
from collections import Counter

from aquatint.catalog.models import ModelSpec, Route
from aquatint.domain.errors import EngineError
from aquatint.domain.size import Size
from aquatint.engines.base import GenerationJob, ReferenceImage
from aquatint.engines.registry import AnyEngine
from aquatint.engines.remote import RemoteEngine
from aquatint.sandbox.results import ResultWish
from aquatint.services import job as jobs
from aquatint.services.job import Run
from aquatint.services.references import ReferenceService
from aquatint.services.signals import Signals
from aquatint.services.tools import Clock

FORMATS = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}  # words of the input's output_format


class PrepareService:
    def __init__(self, references: ReferenceService, clock: Clock, signals: Signals) -> None:
        self._references = references
        self._clock = clock
        self._signals = signals
        self._fetching: Counter[str] = Counter()

    def fetching(self, lane: str) -> int:
        """Runs of the lane that wait for somebody else's server; they take no engine's place."""
        return self._fetching[lane]

    def __call__(self, run: Run, model: ModelSpec, route: Route, engine: AnyEngine) -> Prepared:
        return Prepared(self, run, model, route, engine)

    async def fetch(self, run: Run, engine: AnyEngine) -> tuple[ReferenceImage, ...]:
        """The references as this engine takes them. Raises InputRefused, ReferenceUnavailable."""
        lane = run.claimed.lane
        self._fetching[lane] += 1
        self._signals.work(lane)  # there is room for another task meanwhile
        try:
            with run.spending("references"):
                found = await self._references(run.claimed.input.references)
                if isinstance(engine, RemoteEngine):
                    found = await self._references.fitted(found, engine.spec.references)
        finally:
            self._fetching[lane] -= 1
        run.bytes_in = sum(len(reference.data) for reference in found)
        return found

    def build(
        self, run: Run, model: ModelSpec, route: Route, references: tuple[ReferenceImage, ...]
    ) -> GenerationJob:
        return jobs.build(run.claimed, model, route, references, self._clock.now())


class Prepared:
    """The job of one run; each part of it is made once, when somebody asks for it."""

    def __init__(self, service: PrepareService, run: Run, model: ModelSpec, route: Route, engine: AnyEngine) -> None:
        self._service = service
        self._run = run
        self._model = model
        self._route = route
        self._engine = engine
        self._fetched: asyncio.Task[tuple[ReferenceImage, ...]] | None = None

    async def references(self) -> tuple[ReferenceImage, ...]:
        """Raises InputRefused, ReferenceUnavailable."""
        if not self._run.claimed.input.references:
            return ()
        if self._fetched is None:
            self._fetched = asyncio.create_task(self._service.fetch(self._run, self._engine), name="references")
        return await self._fetched

    async def job(self) -> GenerationJob:
        """The job as the engine gets it."""
        return self._service.build(self._run, self._model, self._route, await self.references())

    async def wish(self) -> ResultWish:
        """What a provider's result must become: the promised size when more was asked for, the asked format."""
        wanted = self._run.claimed.input
        word = wanted.options.get("output_format")
        media_type = FORMATS.get(word) if isinstance(word, str) else None
        if wanted.resolution not in self._route.tiers:
            return ResultWish(None, media_type)
        first = None
        if wanted.ratio is None and wanted.references:
            try:
                references = await self.references()
            except EngineError:
                return ResultWish(None, media_type)  # it is paid: better as it was made than not at all
            first = Size(references[0].width, references[0].height)
        size = self._model.size(wanted.ratio, wanted.resolution, first)
        return ResultWish((size.width, size.height), media_type)
