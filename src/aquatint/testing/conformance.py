"""What every engine must do, as checks that any test suite can call: the port's promises, tried for real."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Sequence

from PIL import Image

from aquatint.domain.errors import EngineError, InputRefused
from aquatint.engines.base import Engine, Generation, GenerationJob, ReferenceImage

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
STOP_WITHIN = 1.0  # seconds after a cancellation
SIZES = ((512, 216), (216, 512), (321, 203))  # wide, tall, odd


def job(prompt: str = "mountain lake in watercolor", **changes: object) -> GenerationJob:
    """A small job; `changes` replace its fields."""
    fields: dict[str, object] = {
        "model": "seedream-4.5",
        "remote_model": "",
        "mode": "image_to_image" if changes.get("references") else "text_to_image",
        "prompt": prompt,
        "references": (),
        "width": 320,
        "height": 192,
        "count": 1,
        "seed": 7,
        "time_left": 120.0,
    }
    return GenerationJob(**{**fields, **changes})  # type: ignore[arg-type]  # the fields above, by name


def photo(width: int = 360, height: int = 240) -> ReferenceImage:
    """A reference that any engine must take: a smooth coloured gradient with a dark shape in it."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image.paste((40, 60, 120), (width // 3, height // 3, 2 * width // 3, 2 * height // 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return ReferenceImage(buffer.getvalue(), "image/png", width, height)


async def check_modes(engine: Engine) -> None:
    """Text alone and text with a reference both give real pictures of exactly the asked size."""
    await _generate(engine, job())
    await _generate(engine, job("oil painting", references=(photo(),)))


async def check_sizes(engine: Engine, sizes: Sequence[tuple[int, int]] = SIZES) -> None:
    """Wide, tall and odd sizes come out to the pixel."""
    for width, height in sizes:
        await _generate(engine, job(width=width, height=height))


async def check_count(engine: Engine) -> None:
    """n images are n different pictures."""
    made = await _generate(engine, job(count=3))
    assert len({image.data for image in made.images}) == 3, "the images of one job are the same"


async def check_seed(engine: Engine) -> None:
    """Where it is promised: the same job and seed give the same bytes, another seed gives others."""
    assert engine.spec.deterministic, "call this check only for engines that promise it"
    first, again = await _generate(engine, job(seed=11)), await _generate(engine, job(seed=11))
    other = await _generate(engine, job(seed=12))
    assert first.images[0].data == again.images[0].data, "the same seed gave other bytes"
    assert first.images[0].data != other.images[0].data, "another seed gave the same bytes"
    assert first.images[0].seed == 11, "the seed was not reported"


async def check_progress(engine: Engine) -> None:
    """Progress is a fraction and never goes back."""
    seen: list[float] = []
    await engine.generate(job(count=2), lambda fraction, stage: seen.append(fraction))
    assert all(0.0 <= fraction <= 1.0 for fraction in seen), seen
    assert seen == sorted(seen), "progress went back"


async def check_cancel(engine: Engine) -> None:
    """Cancelling stops the work within a second, and the engine still works afterwards."""
    running = asyncio.create_task(engine.generate(job(width=4096, height=2304, count=4), lambda done, stage: None))
    await asyncio.sleep(0.3)
    started = time.monotonic()
    running.cancel()
    await asyncio.wait([running])
    assert time.monotonic() - started < STOP_WITHIN, "the engine did not stop in time"
    await _generate(engine, job())


async def check_refusals(engine: Engine) -> None:
    """What it cannot read it refuses as an EngineError with plain words, and nothing else ever leaves it."""
    broken = ReferenceImage(b"\x89PNG\r\n\x1a\n broken", "image/png", 100, 100)
    try:
        await engine.generate(job(references=(broken,)), lambda done, stage: None)
    except InputRefused as refusal:
        assert refusal.message, "a refusal says why"
        assert refusal.failure_reason == "INVALID_PARAMETERS"
    except EngineError as error:
        raise AssertionError(f"a broken reference is the input's fault, not {type(error).__name__}") from error
    else:
        raise AssertionError("a broken reference was not refused")


async def _generate(engine: Engine, wanted: GenerationJob) -> Generation:
    made = await engine.generate(wanted, lambda done, stage: None)
    assert len(made.images) == wanted.count, f"{len(made.images)} images instead of {wanted.count}"
    for image in made.images:
        with Image.open(io.BytesIO(image.data)) as decoded:
            decoded.load()
            assert decoded.size == (image.width, image.height) == (wanted.width, wanted.height), decoded.size
            assert FORMATS[decoded.format or ""] == image.media_type
    return made
