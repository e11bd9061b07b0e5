"""One real picture of BytePlus ModelArk, for whoever brings a key: about two cents."""

from __future__ import annotations

import io
import os

import httpx
import pytest
from PIL import Image

from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.modelark import build
from aquatint.engines.remote import Call, Done

ASIA = "https://ark.ap-southeast.bytepluses.com/api/v3"


async def test_one_picture() -> None:
    """The cheapest model makes a picture of exactly the asked size behind a link; the key must have it activated."""
    key = os.environ.get("AQUATINT_LIVE_MODELARK_KEY", "")
    if not key:
        pytest.skip("AQUATINT_LIVE_MODELARK_KEY is not set, so no picture is bought from BytePlus")
    rates = dict.fromkeys(("in_flight", "requests_per_minute", "images_per_minute", "polls_per_second"), 0)
    settings = {
        **rates,
        "api_key": key,
        "base_url": os.environ.get("AQUATINT_LIVE_MODELARK_URL", ASIA),
        "connect_timeout": 10.0,
        "call_timeout": 150.0,
        "watermark": False,
    }
    engine = build(EngineContext(sandbox=None, settings=settings, concurrency=1))  # type: ignore[arg-type]
    assert engine is not None
    job = GenerationJob(
        model="seedream-4",
        remote_model=os.environ.get("AQUATINT_LIVE_MODELARK_MODEL", "dola-seedream-5-0-flash-260915"),
        mode="text_to_image",
        prompt="a small lighthouse, flat colours",
        references=(),
        width=1024,
        height=1024,
        ratio="1:1",
        resolution="1k",
        count=1,
        seed=None,
        time_left=150.0,
    )
    assert engine.plan(job, [0]) == [(0,)]
    await engine.open()
    try:
        done = await engine.send(job, Call((0,), key="aquatint-live-test"), lambda fraction, stage: None)
    finally:
        await engine.close()
    assert isinstance(done, Done)
    assert done.request_id
    assert done.images[0].url is not None
    async with httpx.AsyncClient() as client:
        picture = await client.get(done.images[0].url)
    assert Image.open(io.BytesIO(picture.content)).size == (1024, 1024)
