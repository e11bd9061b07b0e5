"""One real picture of Gemini, for whoever brings a key: about three cents."""

from __future__ import annotations

import os

import pytest

from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.gemini import build
from aquatint.engines.remote import Call


async def test_one_picture() -> None:
    """The cheapest model makes a PNG, a JPEG or a WebP."""
    key = os.environ.get("AQUATINT_LIVE_GEMINI_KEY", "")
    if not key:
        pytest.skip("AQUATINT_LIVE_GEMINI_KEY is not set, so no picture is bought from Google")
    rates = dict.fromkeys(("in_flight", "requests_per_minute", "images_per_minute", "polls_per_second"), 0)
    url = os.environ.get("AQUATINT_LIVE_GEMINI_URL", "https://generativelanguage.googleapis.com")
    settings = {**rates, "api_key": key, "base_url": url, "connect_timeout": 10.0, "call_timeout": 150.0}
    engine = build(EngineContext(sandbox=None, settings=settings, concurrency=1))  # type: ignore[arg-type]
    assert engine is not None
    job = GenerationJob(
        model="nano-banana",
        remote_model=os.environ.get("AQUATINT_LIVE_GEMINI_MODEL", "gemini-3.1-flash-lite-image"),
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
    assert done.images[0].data.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF"))
    assert done.request_id
