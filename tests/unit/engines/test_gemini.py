"""The Gemini engine against its simulator: what it says, what it understands, and what it thinks was paid."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from aquatint.domain.errors import (
    BalanceExhausted,
    Broken,
    ConfigurationError,
    ContentRefused,
    EngineError,
    EngineRateLimited,
    InputRefused,
    Misconfigured,
    OutcomeUnknown,
    Unavailable,
)
from aquatint.engines.base import EngineContext, GenerationJob, ReferenceImage
from aquatint.engines.gemini import GeminiEngine, build
from aquatint.engines.remote import Call, Done, RemoteEngine
from aquatint.testing.simulators.app import Simulators
from aquatint.testing.simulators.painter import PlainPainter

KEY = "sim-key"
Provider = Callable[..., Awaitable[GeminiEngine]]


def section(base_url: str, **changes: object) -> dict[str, object]:
    common = {"api_key": KEY, "base_url": base_url, "connect_timeout": 2.0, "call_timeout": 8.0, "in_flight": 0}
    rates = dict.fromkeys(("requests_per_minute", "images_per_minute", "polls_per_second"), 0)
    return {**common, **rates, "api_version": "v1beta", **changes}


def made(base_url: str, **changes: object) -> GeminiEngine:
    engine = build(EngineContext(sandbox=None, settings=section(base_url, **changes), concurrency=4))  # type: ignore[arg-type]
    assert engine is not None
    return engine


def picture(width: int = 320, height: int = 200, form: str = "png") -> ReferenceImage:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (40, 90, 160)).save(file, form.upper())
    return ReferenceImage(file.getvalue(), f"image/{form}", width, height)


def job(prompt: str = "a lighthouse", **changes: Any) -> GenerationJob:
    fields: dict[str, Any] = {
        "model": "nano-banana-2",
        "remote_model": "gemini-nano-banana-2.1",
        "mode": "image_to_image" if changes.get("references") else "text_to_image",
        "prompt": prompt,
        "references": (),
        "width": 1376,
        "height": 768,
        "ratio": "16:9",
        "resolution": "1k",
        "count": 1,
        "seed": None,
        "time_left": 60.0,
    }
    return GenerationJob(**{**fields, **changes})


async def send(engine: GeminiEngine, wanted: GenerationJob, index: int = 0) -> Done:
    return await engine.send(wanted, Call((index,)), lambda fraction, stage: None)


@pytest.fixture
async def sim() -> AsyncIterator[Simulators]:
    async with Simulators(PlainPainter()) as sim:
        yield sim


@pytest.fixture
async def engine(sim: Simulators) -> AsyncIterator[GeminiEngine]:
    engine = made(sim.base_url("gemini"))
    await engine.open()
    yield engine
    await engine.close()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """`await provider(answer, status)`: an engine whose provider always answers this object or text."""
    closing: list[Callable[[], Awaitable[None]]] = []

    async def start(answer: object, status: int = 200) -> GeminiEngine:
        async def handler(request: web.Request) -> web.StreamResponse:
            if isinstance(answer, str):
                return web.Response(status=status, text=answer, content_type="text/html")
            return web.json_response(answer, status=status)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        engine = made(f"http://127.0.0.1:{runner.addresses[0][1]}")
        await engine.open()
        closing.extend((engine.close, runner.cleanup))
        return engine

    yield start
    for close in closing:
        await close()


def size_of(data: bytes | None) -> tuple[int, int]:
    assert data is not None
    return Image.open(io.BytesIO(data)).size


async def test_it_is_a_remote_engine(engine: GeminiEngine) -> None:
    """It has the shape of the port, says that it chooses the pixels, and its account does not show the key."""
    assert isinstance(engine, RemoteEngine)
    assert (engine.spec.local, engine.spec.exact_size, engine.spec.concurrency) == (False, False, 64)
    assert KEY not in repr(engine.spec)
    assert not await engine.cancel({})
    assert await engine.verify({}, b"", 0.0) is None
    with pytest.raises(Broken):
        await engine.look(Call((0,)), {})


def test_no_key_no_engine() -> None:
    """Without a key there is no engine, and an API version that does not exist is told at the start."""
    context = EngineContext(None, section("http://127.0.0.1:1", api_key=""), 4)  # type: ignore[arg-type]
    assert build(context) is None
    with pytest.raises(ConfigurationError, match="api_version"):
        made("http://127.0.0.1:1", api_version="v2")


def test_plan(engine: GeminiEngine) -> None:
    """One image a call; too many references are refused before any money is spent."""
    assert engine.plan(job(count=3), [0, 2]) == [(0,), (2,)]
    with pytest.raises(InputRefused):
        engine.plan(job(references=(picture(),) * 15), [0])


async def test_text_to_image(sim: Simulators, engine: GeminiEngine) -> None:
    """Ratio and size go as words, and each image has a seed of its own."""
    done = await send(engine, job(seed=40, resolution="2k"), index=2)
    assert (done.images[0].index, done.images[0].seed) == (2, 42)
    assert size_of(done.images[0].data) == (2752, 1536)
    assert done.request_id
    assert done.warnings == ()
    assert sim.desk.calls[0].body == {
        "model": "gemini-nano-banana-2.1",
        "path": "/gemini/v1beta/models/gemini-nano-banana-2.1:generateContent",
        "request": {
            "contents": [{"role": "user", "parts": [{"text": "a lighthouse"}]}],
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
                "seed": 42,
            },
        },
    }


async def test_image_to_image(sim: Simulators, engine: GeminiEngine) -> None:
    """References come before the text; without a ratio the picture follows the first of them."""
    done = await send(engine, job("at night", references=(picture(), picture(form="jpeg")), ratio=None))
    request = sim.desk.calls[0].body["request"]
    parts = request["contents"][0]["parts"]
    assert [part.get("inlineData", {}).get("mimeType") for part in parts] == ["image/png", "image/jpeg", None]
    assert parts[-1] == {"text": "at night"}
    assert request["generationConfig"]["imageConfig"] == {"imageSize": "1K"}
    assert size_of(done.images[0].data) == (1264, 848)


async def test_a_ratio_is_always_asked_without_references(sim: Simulators, engine: GeminiEngine) -> None:
    """A ratio that was left open, or that Gemini lacks, becomes the nearest one; the caller is told."""
    await send(engine, job(ratio=None, width=1024, height=1536))
    done = await send(engine, job(ratio="2:1", width=2048, height=1024))
    asked = [call.body["request"]["generationConfig"]["imageConfig"]["aspectRatio"] for call in sim.desk.calls]
    assert asked == ["2:3", "16:9"]
    assert len(done.warnings) == 1


async def test_models_of_one_size(sim: Simulators, engine: GeminiEngine) -> None:
    """A model that only knows 1K is not told a size, and the caller is told; seeds stay inside 32 bits."""
    lite = "gemini-3.1-flash-lite-image"
    done = await send(engine, job(remote_model=lite, resolution="4k", seed=(1 << 31) - 1), index=1)
    config = sim.desk.calls[0].body["request"]["generationConfig"]
    assert (config["imageConfig"], config["seed"]) == ({"aspectRatio": "16:9"}, 0)
    assert len(done.warnings) == 1


async def test_thoughts_are_no_pictures(engine: GeminiEngine) -> None:
    """The draft of a thinking model is skipped."""
    done = await send(engine, job(remote_model="gemini-3-pro-image"))
    assert size_of(done.images[0].data) == (1376, 768)


async def test_api_version(sim: Simulators) -> None:
    """The version comes from the settings."""
    engine = made(sim.base_url("gemini"), api_version="v1")
    await engine.open()
    await send(engine, job())
    assert sim.desk.calls[0].body["path"].startswith("/gemini/v1/")
    await engine.close()


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        *((f"block:{word}", ContentRefused) for word in ("SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "OTHER")),
        *((f"block:{word}", ContentRefused) for word in ("IMAGE_SAFETY", "JAILBREAK", "MODEL_ARMOR")),
        ("SAFETY", ContentRefused),
        ("IMAGE_SAFETY", ContentRefused),
        ("PROHIBITED_CONTENT", ContentRefused),
        ("IMAGE_PROHIBITED_CONTENT", ContentRefused),
        ("BLOCKLIST", ContentRefused),
        ("SPII", ContentRefused),
        ("RECITATION", ContentRefused),
        ("IMAGE_RECITATION", ContentRefused),
        ("MODEL_ARMOR", ContentRefused),
        ("LANGUAGE", InputRefused),
        ("PUP_LIMITED_DISABLED", Misconfigured),
        ("NO_IMAGE", Broken),
        ("IMAGE_OTHER", Broken),
        ("OTHER", Broken),
        ("STOP", Broken),
        ("MAX_TOKENS", Broken),
        ("MALFORMED_RESPONSE", Broken),
        ("MISSING_THOUGHT_SIGNATURE", Broken),
        ("ESCALATION", Broken),
        ("CONTINUATION", Broken),
        ("EMPTY", Broken),
    ],
)
async def test_blocks_as_success(sim: Simulators, engine: GeminiEngine, reason: str, kind: type[EngineError]) -> None:
    """HTTP 200 without a picture: the reason decides, and no picture was paid."""
    with pytest.raises(kind) as caught:
        await send(engine, job(f"[[fail:{reason}]]"))
    error = caught.value
    assert type(error) is kind
    assert not error.charged
    assert error.code == ("no_candidates" if reason == "EMPTY" else reason.removeprefix("block:"))
    assert not sim.desk.charges()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("INVALID_ARGUMENT", InputRefused),
        ("API_KEY_INVALID", Misconfigured),
        ("FAILED_PRECONDITION", Misconfigured),
        ("UNAUTHENTICATED", Misconfigured),
        ("PERMISSION_DENIED", Misconfigured),
        ("NOT_FOUND", Misconfigured),
        ("BILLING_DISABLED", BalanceExhausted),
        ("BILLING_NOT_ENABLED", BalanceExhausted),
        ("CREDITS_DEPLETED", BalanceExhausted),
        ("SPENDING_CAP", BalanceExhausted),
        ("RESOURCE_EXHAUSTED", EngineRateLimited),
        ("ABORTED", Unavailable),
        ("CANCELLED", Unavailable),
        ("INTERNAL", Unavailable),
        ("UNAVAILABLE", Unavailable),
        ("DEADLINE_EXCEEDED", Unavailable),
    ],
)
async def test_refusals(sim: Simulators, engine: GeminiEngine, code: str, kind: type[EngineError]) -> None:
    """Every row of Google's errors is one of ours, without its text, and not paid."""
    with pytest.raises(kind) as caught:
        await send(engine, job(f"[[fail:{code}]]"))
    error = caught.value
    assert type(error) is kind
    assert not error.charged
    assert KEY not in f"{error.message} {error.detail}"
    assert not sim.desk.charges()


async def test_slow_down(engine: GeminiEngine) -> None:
    """RetryInfo is honoured; the usual text about plan and billing is a rate limit, not an empty account."""
    with pytest.raises(EngineRateLimited) as caught:
        await send(engine, job("[[http:429]][[retry-after:2.5]]"))
    assert caught.value.retry_after == 2.5
    with pytest.raises(Unavailable) as passing:
        await send(engine, job("[[http:503]][[retry-after:4]]"))
    assert passing.value.retry_after == 4.0


@pytest.mark.parametrize(("delay", "expected"), [("21599.96s", 3600.0), ("0s", 0.0), ("soon", None), (None, None)])
async def test_retry_delays(provider: Provider, delay: str | None, expected: float | None) -> None:
    """A delay that is absurd is cut or ignored."""
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}, "?"]
    error = {
        "code": 429,
        "message": "Resource has been exhausted",
        "status": "RESOURCE_EXHAUSTED",
        "details": details,
    }
    engine = await provider([{"error": error}], 429)
    with pytest.raises(EngineRateLimited) as caught:
        await send(engine, job())
    assert caught.value.retry_after == expected


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InputRefused),
        (401, Misconfigured),
        (403, Misconfigured),
        (404, Misconfigured),
        (408, Unavailable),
        (429, EngineRateLimited),
        (500, Unavailable),
        (502, Unavailable),
        (504, Unavailable),
    ],
)
async def test_statuses(engine: GeminiEngine, status: int, kind: type[EngineError]) -> None:
    """A status in Google's own shape is a refusal: nothing was billed."""
    with pytest.raises(kind) as caught:
        await send(engine, job(f"[[http:{status}]]"))
    assert type(caught.value) is kind
    assert not caught.value.charged


@pytest.mark.parametrize(("switch", "billed"), [("drop", 1), ("cut", 1), ("refuse", 0)])
async def test_lost_answers(sim: Simulators, engine: GeminiEngine, switch: str, billed: int) -> None:
    """A call whose answer is lost may have been billed, even where it was not."""
    with pytest.raises(OutcomeUnknown) as caught:
        await send(engine, job(f"[[{switch}]]"))
    assert caught.value.charged
    assert sim.desk.charges().total() == billed


async def test_nobody_there() -> None:
    """A call that never left is surely not billed."""
    engine = made("http://127.0.0.1:9")
    await engine.open()
    with pytest.raises(Unavailable) as caught:
        await send(engine, job())
    assert not caught.value.charged
    await engine.close()


async def test_some_images_are_missing(sim: Simulators, engine: GeminiEngine) -> None:
    """`[[partial:2]]` counts the calls for one prompt."""
    assert (await send(engine, job("[[partial:2]]"))).images
    with pytest.raises(Broken) as caught:
        await send(engine, job("[[partial:2]]"), index=1)
    assert (caught.value.code, caught.value.charged) == ("NO_IMAGE", False)
    assert (await send(engine, job("[[partial:2]]"), index=2)).images
    assert sim.desk.charges().total() == 2


@pytest.mark.parametrize(
    ("status", "kind", "charged"),
    [
        (502, OutcomeUnknown, True),
        (504, OutcomeUnknown, True),
        (400, InputRefused, False),
        (404, Misconfigured, False),
        (429, EngineRateLimited, False),
        (308, Misconfigured, False),
        (200, Broken, True),
    ],
)
async def test_a_proxy_answers(provider: Provider, status: int, kind: type[EngineError], charged: bool) -> None:
    """What is not Google's shape says nothing about a call that may go on, unless it is a refusal."""
    engine = await provider(f"<html>{status} from nginx, {KEY}</html>", status)
    with pytest.raises(kind) as caught:
        await send(engine, job())
    assert type(caught.value) is kind
    assert caught.value.charged is charged
    assert KEY not in f"{caught.value.message} {caught.value.detail} {caught.value.code}"


def answered(*parts: object, **more: object) -> dict[str, object]:
    return {"candidates": [{"content": {"parts": list(parts)}, "finishReason": "STOP"}], **more}


@pytest.mark.parametrize(
    ("answer", "charged"),
    [
        ({"ok": True}, True),
        (["?"], True),
        (answered({"inlineData": {"mimeType": "image/png", "data": "%%%"}}), True),
        (answered({"inlineData": {"data": "aGk="}, "thought": True}), False),
        ({"candidates": ["?"], "promptFeedback": None}, False),
        ({"candidates": [{"content": None}]}, False),
        (answered(usageMetadata={"candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}]}), True),
        (answered(usageMetadata={"candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 12}]}), False),
    ],
)
async def test_a_success_that_makes_no_sense(provider: Provider, answer: object, charged: bool) -> None:
    """What holds no picture was paid when it is not Gemini's, or when its bill names a picture."""
    engine = await provider(answer)
    with pytest.raises(Broken) as caught:
        await send(engine, job())
    assert caught.value.charged is charged


async def test_a_picture_beside_words(provider: Provider) -> None:
    """Text and drafts around a picture do not matter, nor does the spelling."""
    data = base64.b64encode(picture().data).decode()
    engine = await provider(
        answered(
            {"text": "Here:"}, {"thought": True, "inlineData": {"data": "aGk="}}, {"inline_data": {"data": data}}
        )
    )
    assert size_of((await send(engine, job())).images[0].data) == (320, 200)


@pytest.mark.parametrize(
    "text",
    [
        "API key expired. Please renew the API key.",
        "Model does not support the requested response modalities: image",
        "* GenerateContentRequest.model: unexpected model name format",
    ],
)
async def test_a_wrong_model_is_not_the_callers_fault(provider: Provider, text: str) -> None:
    """A 400 about the key or the model is a matter of the operator."""
    error = {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}
    with pytest.raises(Misconfigured):
        await send(await provider({"error": error}, 400), job())


async def test_a_suspended_key_is_not_quoted(provider: Provider) -> None:
    """Google quotes the whole key of a suspended project; we do not."""
    text = f"Permission denied: Consumer 'api_key:{KEY}' has been suspended."
    engine = await provider({"error": {"code": 403, "message": text, "status": "PERMISSION_DENIED"}}, 403)
    with pytest.raises(Misconfigured) as caught:
        await send(engine, job())
    assert "suspended" in caught.value.detail
    assert KEY not in caught.value.detail
