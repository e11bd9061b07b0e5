"""A remote engine without the house around it: plan, send, look, download. No journal is kept of what was paid."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from PIL import Image

from aquatint.domain.errors import EngineError, EngineRateLimited, TimedOut
from aquatint.engines.base import GeneratedImage, Generation, GenerationJob, Progress
from aquatint.engines.remote import Accepted, AskAgain, Call, Done, Notify, RemoteEngine, RemoteImage, Working
from aquatint.net.guard import GuardPolicy
from aquatint.net.http import HttpDoor
from aquatint.net.results import ResultDoor
from aquatint.services.tools import new_id

LOOK_EVERY = 0.05  # seconds
MAX_BYTES = 128 << 20  # of one result
DOWNLOAD_SECONDS = 30.0
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


async def generate(engine: RemoteEngine, job: GenerationJob, progress: Progress) -> Generation:
    """What `Engine.generate` is for engines of this machine.

    Results are downloaded as the house does it: from public addresses, and from the origins that the engine trusts.
    Raises the engine's EngineError when there is no image at all. Cancelling stops everything here; jobs that the
    provider has taken go on there.
    """
    calls = [Call(images, new_id()) for images in engine.plan(job, range(job.count))]
    fractions: dict[str, float] = {}

    def notify(call: Call) -> Notify:
        def told(fraction: float, stage: str) -> None:
            fractions[call.key] = max(fractions.get(call.key, 0.0), min(1.0, fraction) * len(call.images))
            progress(sum(fractions.values()) / job.count, stage)

        return told

    outcomes = await asyncio.gather(
        *(_bought(engine, job, call, notify(call)) for call in calls), return_exceptions=True
    )
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    errors.sort(key=lambda error: isinstance(error, EngineError))  # anything else is a bug of the engine, and wins
    if errors and not (done and isinstance(errors[0], EngineError)):
        raise errors[0]
    found = sorted((image for answer in done for image in answer.images), key=lambda image: image.index)
    async with results(engine) as door:
        images = await asyncio.gather(*(_image(door, engine, image) for image in found))
    warnings = (warning for answer in done for warning in answer.warnings)
    return Generation(tuple(images), tuple(dict.fromkeys(warnings)))


async def finish(
    engine: RemoteEngine,
    call: Call,
    handle: Mapping[str, str],
    notify: Notify | None = None,
    *,
    seconds: float = 60.0,
) -> Done:
    """Look until the job is done. Raises the error that it ended by, and TimedOut when it does not end."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        wait = LOOK_EVERY
        try:
            seen = await engine.look(call, handle)
        except (AskAgain, EngineRateLimited) as again:  # as the house takes them: the job goes on
            wait = max(wait, again.retry_after or 0.0)
        else:
            if isinstance(seen, Done):
                return seen
            if isinstance(seen, Working) and seen.progress is not None and notify is not None:
                notify(seen.progress, seen.stage)
        await asyncio.sleep(min(wait, max(0.0, end - time.monotonic())))
    raise TimedOut("the job did not end in time")


def stored(accepted: Accepted) -> dict[str, str]:
    """The handle as it comes back from the database after a crash."""
    found: dict[str, str] = json.loads(json.dumps(dict(accepted.handle)))
    return found


@asynccontextmanager
async def results(engine: RemoteEngine) -> AsyncIterator[ResultDoor]:
    """The way to this engine's results."""
    public = HttpDoor(GuardPolicy(()))
    door = ResultDoor(public, connect_seconds=10.0)
    await public.open()
    try:
        yield door
    finally:
        await door.close()
        await public.close()


async def _bought(engine: RemoteEngine, job: GenerationJob, call: Call, notify: Notify) -> Done:
    answer = await engine.send(job, call, notify)
    if isinstance(answer, Done):
        return answer
    return await finish(engine, call, stored(answer), notify, seconds=job.time_left)


async def _image(door: ResultDoor, engine: RemoteEngine, image: RemoteImage) -> GeneratedImage:
    data = image.data
    if data is None:
        origins = engine.spec.trusted_origins
        data = await door.fetch(image.url or "", origins, max_bytes=MAX_BYTES, deadline=DOWNLOAD_SECONDS)
    return await asyncio.to_thread(_decoded, data, image.seed)


def _decoded(data: bytes, seed: int | None) -> GeneratedImage:
    with Image.open(io.BytesIO(data)) as decoded:
        decoded.load()
        return GeneratedImage(data, MEDIA_TYPES[decoded.format or ""], decoded.width, decoded.height, seed)
