"""An engine that paints nothing: one grey pixel, at once. Only for benchmarks and tests of the house around it."""

from __future__ import annotations

import asyncio

from aquatint.engines.base import EngineContext, EngineSpec, GeneratedImage, Generation, GenerationJob, Progress

# A PNG of 1 x 1 pixel, 8-bit grey.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


class NullEngine:
    """Takes `settings["delay"]` seconds (0 by default) a job. Never registered unless testing is allowed."""

    def __init__(self, context: EngineContext) -> None:
        self._delay = float(str(context.settings.get("delay", 0)))
        self._spec = EngineSpec(
            name="null",
            title="paints nothing; only for benchmarks",
            version="1",
            local=True,
            concurrency=context.concurrency,
            deterministic=True,
            testing_only=True,
        )

    @property
    def spec(self) -> EngineSpec:
        return self._spec

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def generate(self, job: GenerationJob, progress: Progress) -> Generation:
        if self._delay:
            await asyncio.sleep(self._delay)
        image = GeneratedImage(PIXEL, "image/png", 1, 1, job.seed)
        return Generation(tuple([image] * job.count))


def build(context: EngineContext) -> NullEngine:
    return NullEngine(context)
