"""One real picture of fal.ai, for whoever brings a key: about three cents."""

from __future__ import annotations

import asyncio
import io
import os

import httpx
import pytest
from PIL import Image

from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.fal import build
from aquatint.engines.remote import Call, Working


async def test_one_picture() -> None:
    """Seedream 4 makes the smallest picture that it makes, of exactly the asked size."""
    key = os.environ.get("AQUATINT_LIVE_FAL_KEY", "")
    if not key:
        pytest.skip("AQUATINT_LIVE_FAL_KEY is not set, so no picture is bought from fal")
    rates = dict.fromkeys(("in_flight", "requests_per_minute", "images_per_minute", "polls_per_second"), 0)
    settings = {
        **rates,
        "api_key": key,
        "base_url": "https://queue.fal.run",
        "connect_timeout": 10.0,
        "call_timeout": 60.0,
        "callbacks": False,
        "jwks_url": "https://rest.fal.ai/.well-known/jwks.json",
    }
    engine = build(EngineContext(sandbox=None, settings=settings, concurrency=1))  # type: ignore[arg-type]
    assert engine is not None
    job = GenerationJob(
        model="seedream-4",
        remote_model=os.environ.get("AQUATINT_LIVE_FAL_MODEL", "fal-ai/bytedance/seedream/v4/text-to-image"),
        mode="text_to_image",
        prompt="a small lighthouse, flat colours",
        references=(),
        width=1280,
        height=720,
        ratio="16:9",
        resolution="1k",
        count=1,
        seed=7,
        time_left=150.0,
    )
    (images,) = engine.plan(job, [0])
    await engine.open()
    try:
        async with asyncio.timeout(160):
            call = Call(images)
            taken = await engine.send(job, call, lambda fraction, stage: None)
            while isinstance(seen := await engine.look(call, taken.handle), Working):
                await asyncio.sleep(2.0)
    finally:
        await engine.close()
    async with httpx.AsyncClient() as client:
        picture = await client.get(str(seen.images[0].url))
    assert Image.open(io.BytesIO(picture.content)).size == (1280, 720)
