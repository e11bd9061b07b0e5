"""A strict Ark and one that answers from a script, jobs for it, and how to buy from it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from aquatint.domain.errors import EngineError
from aquatint.engines.base import EngineContext, GenerationJob, ReferenceImage
from aquatint.engines.modelark import ModelArkEngine, build
from aquatint.engines.remote import Call, Done

KEY = "sim-key-0123456789"
SECTION = {
    "api_key": KEY,
    "base_url": "https://ark.ap-southeast.bytepluses.com/api/v3",
    "connect_timeout": 2.0,
    "call_timeout": 20.0,
    "in_flight": 4,
    "requests_per_minute": 0,
    "images_per_minute": 500,
    "polls_per_second": 0,
    "watermark": False,
}
V4, V45, LITE = "seedream-4-0-250828", "seedream-4-5-251128", "seedream-5-0-260128"
PRO, FLASH, V55 = "dola-seedream-5-0-pro-260628", "dola-seedream-5-0-flash-260915", "dola-seedream-5-5-261028"
V3 = "seedream-3-0-t2i-250415"
SIZES = {V4: (1024, 1024), V45: (2048, 2048), LITE: (2048, 2048), V3: (1024, 1024)}


def picture(width: int = 64, height: int = 48, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 120, 40)).save(file, form)
    return file.getvalue()


def reference() -> ReferenceImage:
    return ReferenceImage(picture(), "image/png", 64, 48)


def job(prompt: str = "a lighthouse", model: str = V4, **changes: Any) -> GenerationJob:
    width, height = SIZES.get(model, (1024, 1024))
    values: dict[str, Any] = {
        "model": "seedream-4",
        "remote_model": model,
        "mode": "image_to_image" if changes.get("references") else "text_to_image",
        "prompt": prompt,
        "references": (),
        "width": width,
        "height": height,
        "ratio": "1:1",
        "resolution": "1k",
        "count": 1,
        "seed": None,
        "time_left": 100.0,
    }
    return GenerationJob(**(values | changes))


def group_job(prompt: str = "four seasons", count: int = 4, model: str = V4, **changes: Any) -> GenerationJob:
    return job(prompt, model, count=count, options={"sequential_image_generation": "auto"}, **changes)


def engine_for(**changes: object) -> ModelArkEngine:
    settings = {**SECTION, **changes}
    made = build(EngineContext(sandbox=None, settings=settings, concurrency=4))  # type: ignore[arg-type]
    assert made is not None
    return made


@dataclass
class Progress:
    seen: list[tuple[float, str]] = field(default_factory=list)

    def __call__(self, fraction: float, stage: str) -> None:
        self.seen.append((fraction, stage))


async def buy(engine: ModelArkEngine, wanted: GenerationJob, notify: Progress | None = None) -> list[Done]:
    """All calls of the plan, as the house would make them."""
    calls = [Call(images, key=f"call-{images[0]}") for images in engine.plan(wanted, range(wanted.count))]
    done = []
    for call in calls:
        answer = await engine.send(wanted, call, notify or Progress())
        assert isinstance(answer, Done)
        done.append(answer)
    return done


async def refusal(engine: ModelArkEngine, wanted: GenerationJob) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await buy(engine, wanted)
    assert_clean(caught.value)
    return caught.value


def assert_clean(error: EngineError) -> None:
    """Neither the key anywhere, nor the provider's text in what a caller reads."""
    assert KEY not in f"{error.message} {error.detail} {error.code} {error!r}"
    assert "Request id" not in error.message
    assert "request failed" not in error.message


@dataclass
class Scripted:
    status: int
    body: str
    media_type: str = "application/json"
    chunk: int = 0  # bytes; 0: all at once
    hang: bool = False


@dataclass
class Fake:
    engine: ModelArkEngine
    headers: list[Mapping[str, str]] = field(default_factory=list)


def one_image() -> Scripted:
    return Scripted(200, json.dumps({"data": [{"url": "http://x/1", "size": "1024x1024"}]}))


def stream(*frames: str, chunk: int = 0, hang: bool = False) -> Scripted:
    return Scripted(200, "".join(frames), "text/event-stream", chunk, hang)


@asynccontextmanager
async def answering(script: Scripted) -> AsyncIterator[Fake]:
    seen: list[Mapping[str, str]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        raw = script.body.encode()
        seen.append({name.lower(): value for name, value in request.headers.items()})
        response = web.StreamResponse(status=script.status, headers={"Content-Type": script.media_type})
        if script.status in (204, 304):
            return web.Response(status=script.status)
        await response.prepare(request)
        try:
            for at in range(0, len(raw), script.chunk or max(1, len(raw))):
                await response.write(raw[at : at + (script.chunk or len(raw))])
            if script.hang:
                await asyncio.sleep(5.0)
        except ConnectionResetError:
            pass
        return response

    runner = await _serve(handle)
    port = runner.addresses[0][1]
    engine = engine_for(base_url=f"http://127.0.0.1:{port}/api/v3")
    await engine.open()
    try:
        yield Fake(engine, seen)
    finally:
        await engine.close()
        await runner.cleanup()


async def _serve(handle: Callable[[web.Request], Any]) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def event(kind: str, **more: object) -> str:
    name = f"image_generation.{kind}"
    return f"event: {name}\ndata: {json.dumps({'type': name, 'created': 1, **more})}\n\n"


def image(number: object, url: str | None = None) -> str:
    return event("partial_succeeded", image_index=number, url=url or f"http://x/{number}", size="1024x1024")


def failed(number: int, code: str, message: str = "no") -> str:
    return event("partial_failed", image_index=number, error={"code": code, "message": message})


def completed(generated: int | None) -> str:
    return event("completed", usage={} if generated is None else {"generated_images": generated})


COMPLETED = completed(None)
DONE = "data: [DONE]\n\n"
TOP_ERROR = 'data: {"error": {"code": "InternalServiceError", "message": "x"}}\n\n'
