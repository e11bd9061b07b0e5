"""Paint: a task on an engine of this machine."""

from __future__ import annotations

import asyncio

from aquatint.domain.errors import Broken
from aquatint.engines.base import Engine, GenerationJob, Progress
from aquatint.services.job import Made, Run
from aquatint.services.keep import KeepService


class PaintService:
    """Gives each engine `concurrency` places; the attempt counts as running from when it has one."""

    def __init__(self, keep: KeepService) -> None:
        self._keep = keep
        self._places: dict[str, asyncio.Semaphore] = {}

    def place(self, engine: Engine) -> asyncio.Semaphore:
        """The engine's places; enter it before `__call__`."""
        spec = engine.spec
        return self._places.setdefault(spec.name, asyncio.Semaphore(max(1, spec.concurrency)))

    async def __call__(self, run: Run, engine: Engine, job: GenerationJob, progress: Progress) -> Made:
        """Generate and store. Raises EngineError."""
        with run.spending("run"):
            generation = await engine.generate(job, progress)
        if not generation.images:
            raise Broken("the engine made no image")
        with run.spending("store"):
            kept = [await self._keep.own(index, image) for index, image in enumerate(generation.images)]
        run.bytes_out += sum(image.bytes for image in kept)
        return Made(tuple(kept), generation.warnings)
