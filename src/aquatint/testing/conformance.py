"""What every engine must do, as checks that any test suite can call: the ports' promises, tried for real.

A test makes a Subject (testing/subjects.py) of an engine that is open, and awaits each of `checks(subject)` with it.
The checks raise AssertionError with a sentence that says which promise was broken; they need no test framework.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from PIL import Image

from aquatint.domain.errors import EngineError, InputRefused
from aquatint.engines.base import Generation, GenerationJob, ReferenceImage
from aquatint.engines.remote import RemoteSpec
from aquatint.testing import remote_conformance
from aquatint.testing.remote import MEDIA_TYPES
from aquatint.testing.subjects import Subject, photo

Check = Callable[[Subject], Awaitable[None]]

STOP_WITHIN = 1.0  # seconds after a cancellation
MOST_STRETCHED = 1.25  # how far the ratio of a picture may be from the asked one, where the provider chooses pixels
MOST_OR_LEAST = 4.0  # how many times more or fewer pixels it may have then


def checks(subject: Subject) -> tuple[Check, ...]:
    """All checks that fit this engine: those of both ports, and those of remote engines when it is one."""
    found: list[Check] = [
        check_spec,
        check_modes,
        check_sizes,
        check_count,
        check_progress,
        check_cancel,
    ]
    if subject.edit is not None:
        found.append(check_refusals)
    if subject.engine.spec.deterministic:
        found.append(check_seed)
    if subject.fake is not None:
        found += remote_conformance.CHECKS
    return tuple(found)


async def check_spec(subject: Subject) -> None:
    """It says what it is: a name, a line for people, a version, and room for a job."""
    spec = subject.engine.spec
    assert spec.name, "the engine has no name"
    assert spec.title, "the title says plainly what the engine is and is not"
    assert spec.version, "the engine has no version"
    assert spec.concurrency >= 1, "the engine has no room for a job"
    assert spec.local != isinstance(spec, RemoteSpec), "an engine that is not local has a RemoteSpec, and only such"


async def check_modes(subject: Subject) -> None:
    """Text alone gives real pictures of the asked size, and so does text with a reference, or it is refused."""
    await _generate(subject, subject.plain)
    if subject.edit is not None:
        await _generate(subject, subject.edit)
    else:
        await _refused(subject, replace(subject.plain, references=(photo(),), mode="image_to_image"))


async def check_sizes(subject: Subject) -> None:
    """Plain, wide and tall: to the pixel where that is promised, and always of about that shape and size."""
    for job in subject.jobs:
        await _generate(subject, job)


async def check_count(subject: Subject) -> None:
    """n images are n different pictures, with a seed and without."""
    for seed in (7, None):
        made = await _generate(subject, replace(subject.plain, count=3, seed=seed))
        assert len({image.data for image in made.images}) == 3, f"images of one job are the same (seed {seed})"


async def check_seed(subject: Subject) -> None:
    """Where it is promised: the same job and seed give the same bytes, another seed gives others."""
    assert subject.engine.spec.deterministic, "call this check only for engines that promise it"

    async def made(seed: int) -> tuple[bytes, int | None]:
        image = (await _generate(subject, replace(subject.plain, seed=seed))).images[0]
        return image.data, image.seed

    first, reported = await made(11)
    assert (await made(11))[0] == first, "the same seed gave other bytes"
    assert (await made(12))[0] != first, "another seed gave the same bytes"
    assert reported == 11, "the seed was not reported"


async def check_progress(subject: Subject) -> None:
    """Progress is a fraction and never goes back."""
    seen: list[float] = []
    await subject.generate(replace(subject.plain, count=2), lambda fraction, stage: seen.append(fraction))
    assert all(0.0 <= fraction <= 1.0 for fraction in seen), seen
    assert seen == sorted(seen), "progress went back"


async def check_cancel(subject: Subject) -> None:
    """Cancelling stops the work within a second, and the engine still works afterwards."""
    running = asyncio.create_task(subject.generate(subject.slow))
    await asyncio.sleep(0.3)
    started = time.monotonic()
    running.cancel()
    await asyncio.wait([running])
    assert time.monotonic() - started < STOP_WITHIN, "the engine did not stop in time"
    await _generate(subject, subject.plain)


async def check_refusals(subject: Subject) -> None:
    """What it cannot read it refuses as an EngineError with plain words, and nothing else ever leaves it."""
    assert subject.edit is not None, "call this check only for engines that take references"
    broken = ReferenceImage(b"\x89PNG\r\n\x1a\n broken", "image/png", 100, 100)
    await _refused(subject, replace(subject.edit, references=(broken,)))


async def _refused(subject: Subject, job: GenerationJob) -> None:
    """The job is the input's fault, and it is said."""
    try:
        await subject.generate(job)
    except InputRefused as refusal:
        assert refusal.message, "a refusal says why"
        assert refusal.failure_reason == "INVALID_PARAMETERS"
    except EngineError as error:
        raise AssertionError(f"this reference is the input's fault, not {type(error).__name__}") from error
    else:
        raise AssertionError("a reference that cannot be used was not refused")


async def _generate(subject: Subject, job: GenerationJob) -> Generation:
    """The job's images, looked at."""
    made = await subject.generate(job)
    assert len(made.images) == job.count, f"{len(made.images)} images instead of {job.count}"
    spec = subject.engine.spec
    exact = not isinstance(spec, RemoteSpec) or spec.exact_size
    for image in made.images:
        with Image.open(io.BytesIO(image.data)) as decoded:
            decoded.load()
            assert decoded.size == (image.width, image.height), f"said {image.width}x{image.height}: {decoded.size}"
            assert MEDIA_TYPES[decoded.format or ""] == image.media_type, f"{image.media_type} is {decoded.format}"
        wanted = f"{image.width}x{image.height} instead of {job.width}x{job.height}"
        assert not exact or decoded.size == (job.width, job.height), wanted
        stretched = (image.width / image.height) / (job.width / job.height)
        assert 1 / MOST_STRETCHED <= stretched <= MOST_STRETCHED, wanted
        larger = (image.width * image.height) / (job.width * job.height)
        assert 1 / MOST_OR_LEAST <= larger <= MOST_OR_LEAST, wanted
    return made
