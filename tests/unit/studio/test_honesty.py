"""What the studio cannot do, through the real engine and the real sandbox: said, marked, or refused when strict."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from aquatint.domain.errors import InputRefused
from aquatint.engines.base import EngineContext, Generation, GenerationJob, ReferenceImage
from aquatint.engines.studio import build
from aquatint.engines.studio.kernels.noise import fbm
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox

SIZE = (240, 136)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    pool = Sandbox(1, Limits(address_space=2 << 30, cpu_seconds=60), warm=("aquatint.engines.studio.render",))
    await pool.open()
    yield pool
    await pool.close()


def _photo() -> ReferenceImage:
    pixels = np.full((180, 320, 3), (110, 150, 200), np.float32) + fbm(180, 320, 20, 3, 1)[..., None] * 40
    pixels[60:140, 110:210] = (190, 60, 50)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return ReferenceImage(buffer.getvalue(), "image/png", 320, 180)


async def _generate(sandbox: Sandbox, prompt: str, photos: int = 0, **settings: object) -> Generation:
    job = GenerationJob(
        model="seedream-4.5",
        remote_model="",
        mode="image_to_image" if photos else "text_to_image",
        prompt=prompt,
        references=(_photo(),) * photos,
        width=SIZE[0],
        height=SIZE[1],
        ratio="16:9",
        resolution="1k",
        count=1,
        seed=5,
        time_left=60,
    )
    engine = build(EngineContext(sandbox, settings, 1))
    return await engine.generate(job, lambda fraction, stage: None)


def _pixels(made: Generation) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(made.images[0].data)).convert("RGB"))


# Prompt, number of photos, what a warning must say.
BEYOND = [
    ("a dragon over a volcano", 0, "dragon"),
    ("一条龙在天上飞", 0, "龙"),
    ("qwzx blorptastic", 0, "poster"),
    ("replace the house with a castle", 1, "preview"),
    ("remove the red box", 1, "preview"),
    ("make her wear a hat", 1, "preview"),
    ("add a person", 1, "preview"),
    ("把房子换成城堡", 1, "preview"),
    ("qwzx blorptastic", 1, "house style"),
    ("put the person of image 1 into image 2", 2, "preview"),
]


@pytest.mark.parametrize(("prompt", "photos", "said"), BEYOND)
@pytest.mark.asyncio(loop_scope="module")
async def test_beyond_its_powers_it_says_so(sandbox: Sandbox, prompt: str, photos: int, said: str) -> None:
    made = await _generate(sandbox, prompt, photos)
    assert any(said in warning for warning in made.warnings)
    assert _pixels(made).shape == (SIZE[1], SIZE[0], 3)
    if said == "preview":  # the strip at the foot marks the file itself
        assert (_pixels(made)[-10:].min(2) > 200).mean() > 0.5


@pytest.mark.parametrize(("prompt", "photos", "said"), BEYOND)
@pytest.mark.asyncio(loop_scope="module")
async def test_strict_refuses_the_same(sandbox: Sandbox, prompt: str, photos: int, said: str) -> None:
    with pytest.raises(InputRefused) as refusal:
        await _generate(sandbox, prompt, photos, strict=True)
    assert "studio engine" in refusal.value.message
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize(("prompt", "photos"), [("watercolor", 1), ("change the red box to blue", 1)])
@pytest.mark.asyncio(loop_scope="module")
async def test_strict_does_what_can_be_done(sandbox: Sandbox, prompt: str, photos: int) -> None:
    made = await _generate(sandbox, prompt, photos, strict=True)
    assert made.warnings == ()


@pytest.mark.asyncio(loop_scope="module")
async def test_an_absent_colour_is_reported(sandbox: Sandbox) -> None:
    made = await _generate(sandbox, "change the yellow car to green", 1)
    assert any("changed nothing" in warning for warning in made.warnings)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_poster_wears_the_asked_style(sandbox: Sandbox) -> None:
    plain = _pixels(await _generate(sandbox, "a dragon"))
    woodcut = _pixels(await _generate(sandbox, "a dragon, woodcut style"))
    upper = np.s_[: SIZE[1] // 2]
    extreme = [float(((p[upper].max(2) < 70) | (p[upper].min(2) > 170)).mean()) for p in (plain, woodcut)]
    assert extreme[1] > extreme[0] + 0.15


@pytest.mark.asyncio(loop_scope="module")
async def test_letters_without_a_font_are_reported_and_never_boxed(sandbox: Sandbox) -> None:
    made = await _generate(sandbox, 'watercolor with the text "Hello \U0001f98a"', 1)
    assert any("no font" in warning for warning in made.warnings)
