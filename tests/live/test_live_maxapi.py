"""One real picture of a MaxAPI server, for whoever brings a key: a tenth of a cent at the hosted one."""

from __future__ import annotations

import asyncio
import os

import httpx
import pytest

from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.maxapi import build
from aquatint.engines.remote import Accepted, Call, Working

PATIENCE = 150.0  # seconds


async def test_one_picture() -> None:
    """The cheapest model makes a picture behind a URL."""
    key = os.environ.get("AQUATINT_LIVE_MAXAPI_KEY", "")
    if not key:
        pytest.skip("AQUATINT_LIVE_MAXAPI_KEY is not set, so no picture is bought from a MaxAPI server")
    rates = dict.fromkeys(("in_flight", "requests_per_minute", "images_per_minute", "polls_per_second"), 0)
    address = {"api_key": key, "base_url": os.environ.get("AQUATINT_LIVE_MAXAPI_URL", "https://api.maxapi.io")}
    settings = {**rates, **address, "connect_timeout": 10.0, "call_timeout": 60.0}
    engine = build(EngineContext(sandbox=None, settings=settings, concurrency=1))  # type: ignore[arg-type]
    assert engine is not None
    job = GenerationJob(
        model="grok-imagine/text-to-image-lite",
        remote_model=os.environ.get("AQUATINT_LIVE_MAXAPI_MODEL", "grok-imagine/text-to-image-lite"),
        mode="text_to_image",
        prompt="a small lighthouse, flat colours",
        references=(),
        width=1024,
        height=1024,
        ratio=None,
        resolution="",
        count=1,
        seed=None,
        time_left=PATIENCE,
    )
    call = Call((0,))
    await engine.open()
    try:
        taken = await engine.send(job, call, lambda fraction, stage: None)
        assert isinstance(taken, Accepted)
        async with asyncio.timeout(PATIENCE):
            while isinstance(done := await engine.look(call, taken.handle), Working):
                await asyncio.sleep(2.0)
    finally:
        await engine.close()
    async with httpx.AsyncClient(follow_redirects=True) as client:
        picture = (await client.get(str(done.images[0].url))).content
    assert picture.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF"))
