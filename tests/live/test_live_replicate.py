"""One real picture of Replicate, for whoever brings a key: about three cents."""

from __future__ import annotations

import asyncio
import io
import os

import httpx
import pytest
from PIL import Image

from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.remote import Call, Working
from aquatint.engines.replicate import build


async def test_one_picture() -> None:
    """Seedream 4 makes a picture of about the asked ratio; Replicate chooses its pixels."""
    key = os.environ.get("AQUATINT_LIVE_REPLICATE_KEY", "")
    if not key:
        pytest.skip("AQUATINT_LIVE_REPLICATE_KEY is not set, so no picture is bought from Replicate")
    rates = dict.fromkeys(("in_flight", "requests_per_minute", "images_per_minute", "polls_per_second"), 0)
    settings = {
        **rates,
        "api_key": key,
        "base_url": "https://api.replicate.com",
        "connect_timeout": 10.0,
        "call_timeout": 60.0,
        "callbacks": False,
    }
    engine = build(EngineContext(sandbox=None, settings=settings, concurrency=1))  # type: ignore[arg-type]
    assert engine is not None
    job = GenerationJob(
        model="seedream-4",
        remote_model=os.environ.get("AQUATINT_LIVE_REPLICATE_MODEL", "bytedance/seedream-4"),
        mode="text_to_image",
        prompt="a small lighthouse, flat colours",
        references=(),
        width=1280,
        height=720,
        ratio="16:9",
        resolution="1k",
        count=1,
        seed=None,
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
    width, height = Image.open(io.BytesIO(picture.content)).size
    assert abs(width / height - 16 / 9) < 0.1
