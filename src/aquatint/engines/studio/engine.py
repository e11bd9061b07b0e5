"""The studio behind the engine port: seeds, worker processes, progress and plain words for what goes wrong."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

import msgspec

from aquatint import __version__
from aquatint.domain.errors import Broken, InputRefused, TimedOut
from aquatint.engines.base import EngineContext, EngineSpec, GeneratedImage, Generation, GenerationJob, Progress
from aquatint.engines.studio.finish.credentials import Credentials, credentials_from, sign
from aquatint.engines.studio.finish.metadata import Provenance, SourceType
from aquatint.engines.studio.messages import Rendered, RenderRequest, image_seed, task_seed
from aquatint.sandbox.errors import SandboxCrashed, SandboxRefused, SandboxTimedOut

_Report = Callable[[int, float, str], None]  # picture, fraction done, stage

_TARGET = "aquatint.engines.studio.render:run"
_FORMATS = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}
_LONGEST_RUN = 120.0  # seconds for one picture, whatever time the task has left
_MOST_THREADS = 4  # more gain nothing: the kernels are bound by memory


class StudioEngine:
    """Paints with classical graphics on the CPU: no weights, no key, no network."""

    def __init__(self, context: EngineContext) -> None:
        self._sandbox = context.sandbox
        self._settings = context.settings
        self._credentials: Credentials | None = None
        self._strict = bool(context.settings.get("strict", False))
        self._places = asyncio.Semaphore(max(1, context.concurrency))
        self._spec = EngineSpec(
            name="studio",
            title="Aquatint studio: classical painting and procedural scenes on the CPU, not a neural model",
            version=__version__,
            local=True,
            concurrency=context.concurrency,
            deterministic=True,
        )

    @property
    def spec(self) -> EngineSpec:
        return self._spec

    async def open(self) -> None:
        """Read the certificate for content credentials, if one is set. Raises Misconfigured when it does not work."""
        self._credentials = await asyncio.to_thread(credentials_from, self._settings)

    async def close(self) -> None:
        """Nothing to close."""

    async def generate(self, job: GenerationJob, progress: Progress) -> Generation:
        """Make all pictures of a job. Raises InputRefused, TimedOut, Broken; cancelling stops the workers."""
        requests = self._requests(job)
        done = [0.0] * len(requests)

        def report(index: int, fraction: float, stage: str) -> None:
            done[index] = max(done[index], min(1.0, fraction))
            progress(sum(done) / len(done), stage)

        tasks = [asyncio.create_task(self._run(request, job, report)) for request in requests]
        try:
            rendered = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        images = tuple(
            GeneratedImage(made.data, made.media_type, made.width, made.height, request.seed)
            for made, request in zip(rendered, requests, strict=True)
        )
        warnings = dict.fromkeys(warning for made in rendered for warning in made.warnings)
        return Generation(images, tuple(warnings))

    def _requests(self, job: GenerationJob) -> list[RenderRequest]:
        references = tuple(reference.data for reference in job.references)
        seed = job.seed if job.seed is not None else task_seed(job.prompt, references, job.model)
        output_format = _output_format(job.options)
        at_once = max(1, min(job.count, self._spec.concurrency))
        threads = max(1, min(_MOST_THREADS, (os.cpu_count() or 1) // at_once))
        return [
            RenderRequest(
                prompt=job.prompt,
                references=references,
                width=job.width,
                height=job.height,
                seed=image_seed(seed, index),
                index=index,
                model=job.model,
                version=__version__,
                output_format=output_format,
                strict=self._strict,
                threads=threads,
            )
            for index in range(job.count)
        ]

    async def _run(self, request: RenderRequest, job: GenerationJob, report: _Report) -> Rendered:
        async with self._places:
            try:
                answer = await self._sandbox.run(
                    _TARGET,
                    msgspec.msgpack.encode(request),
                    wall_limit=min(_LONGEST_RUN, job.time_left),
                    on_progress=lambda fraction, stage: report(request.index, fraction, stage),
                )
            except SandboxRefused as refusal:
                raise InputRefused(refusal.message) from refusal
            except SandboxTimedOut as late:
                raise TimedOut("the studio took too long for this task", detail=late.message) from late
            except SandboxCrashed as crash:
                raise Broken("the studio worker crashed on this task", detail=crash.detail) from crash
        made = await self._signed(msgspec.msgpack.decode(answer, type=Rendered), request)
        report(request.index, 1.0, "done")
        return made

    async def _signed(self, made: Rendered, request: RenderRequest) -> Rendered:
        """Add content credentials: here and not in a worker, which opens strangers' pictures and must hold no key."""
        if self._credentials is None:
            return made
        source: SourceType = "algorithmicallyEnhanced" if request.references else "algorithmicMedia"
        origin = Provenance(self._spec.name, request.version, request.model, request.seed, source)
        data = await asyncio.to_thread(sign, made.data, made.media_type, origin, self._credentials)
        return msgspec.structs.replace(made, data=data)


def _output_format(options: Mapping[str, object]) -> str:
    wanted = options.get("output_format") or "png"
    if not isinstance(wanted, str) or wanted.lower() not in _FORMATS:
        raise InputRefused(f"output_format must be one of {', '.join(sorted(set(_FORMATS.values())))}")
    return _FORMATS[wanted.lower()]
