"""One real picture of OpenAI, for whoever brings a key: about half a cent."""

from __future__ import annotations

import os

import pytest

from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.openai import build
from aquatint.engines.remote import Call


async def test_one_picture() -> None:
    """The cheapest model at its lowest quality makes a PNG."""
    key = os.environ.get("AQUATINT_LIVE_OPENAI_KEY", "")
    if not key:
        pytest.skip("AQUATINT_LIVE_OPENAI_KEY is not set, so no picture is bought from OpenAI")
    rates = dict.fromkeys(("in_flight", "requests_per_minute", "images_per_minute", "polls_per_second"), 0)
    address = {"api_key": key, "base_url": os.environ.get("AQUATINT_LIVE_OPENAI_URL", "https://api.openai.com/v1")}
    settings = {**rates, **address, "connect_timeout": 10.0, "call_timeout": 150.0, "quality": "low"}
    engine = build(EngineContext(sandbox=None, settings=settings, concurrency=1))  # type: ignore[arg-type]
    assert engine is not None
    job = GenerationJob(
        model="gpt-image-2/text-to-image",
        remote_model=os.environ.get("AQUATINT_LIVE_OPENAI_MODEL", "gpt-image-1-mini"),
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
    await engine.open()
    try:
        done = await engine.send(job, Call((0,)), lambda fraction, stage: None)
    finally:
        await engine.close()
    assert done.images[0].data is not None
    assert done.images[0].data.startswith(b"\x89PNG")
    assert done.request_id
