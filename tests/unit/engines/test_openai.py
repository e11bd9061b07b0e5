"""The OpenAI engine against its simulator: what it says, what it understands, and what it thinks was paid."""

from __future__ import annotations

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
from aquatint.engines.openai import OpenAIEngine, build
from aquatint.engines.remote import Call, Done, RemoteEngine
from aquatint.testing.simulators.app import Simulators
from aquatint.testing.simulators.painter import PlainPainter

KEY = "sim-key"
Odd = Callable[[web.Request], Awaitable[web.StreamResponse]]


def section(base_url: str, **changes: object) -> dict[str, object]:
    common = {"api_key": KEY, "base_url": base_url, "connect_timeout": 2.0, "call_timeout": 8.0, "in_flight": 3}
    rates = dict.fromkeys(("requests_per_minute", "images_per_minute", "polls_per_second"), 0)
    own = {"organization": "", "project": "", "quality": "auto", "moderation": "auto"}
    return {**common, **rates, **own, **changes}


def made(base_url: str, **changes: object) -> OpenAIEngine:
    engine = build(EngineContext(sandbox=None, settings=section(base_url, **changes), concurrency=4))  # type: ignore[arg-type]
    assert engine is not None
    return engine


def picture(width: int = 320, height: int = 200, form: str = "png") -> ReferenceImage:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (40, 90, 160)).save(file, form.upper())
    return ReferenceImage(file.getvalue(), f"image/{form}", width, height)


def job(prompt: str = "a lighthouse", **changes: Any) -> GenerationJob:
    fields: dict[str, Any] = {
        "model": "gpt-image-2/text-to-image",
        "remote_model": "gpt-image-2",
        "mode": "image_to_image" if changes.get("references") else "text_to_image",
        "prompt": prompt,
        "references": (),
        "width": 1024,
        "height": 640,
        "ratio": "16:10",
        "resolution": "1k",
        "count": 1,
        "seed": 7,
        "time_left": 60.0,
    }
    return GenerationJob(**{**fields, **changes})


async def send(engine: OpenAIEngine, wanted: GenerationJob) -> Done:
    return await engine.send(wanted, Call(tuple(range(wanted.count))), lambda fraction, stage: None)


@pytest.fixture
async def sim() -> AsyncIterator[Simulators]:
    async with Simulators(PlainPainter()) as sim:
        yield sim


@pytest.fixture
async def engine(sim: Simulators) -> AsyncIterator[OpenAIEngine]:
    engine = made(sim.base_url("openai"))
    await engine.open()
    yield engine
    await engine.close()


@pytest.fixture
async def odd() -> AsyncIterator[Callable[[Odd], Awaitable[OpenAIEngine]]]:
    """`await odd(handler)`: an engine whose provider answers whatever the handler says."""
    closing: list[Callable[[], Awaitable[None]]] = []

    async def start(handler: Odd) -> OpenAIEngine:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        engine = made(url, organization="org-1", project="proj-2", quality="low", moderation="low")
        await engine.open()
        closing.extend((engine.close, runner.cleanup))
        return engine

    yield start
    for close in closing:
        await close()


def size_of(data: bytes | None) -> tuple[int, int]:
    assert data is not None
    return Image.open(io.BytesIO(data)).size


async def test_it_is_a_remote_engine(engine: OpenAIEngine) -> None:
    """It has the shape of the port, and its account does not show the key."""
    assert isinstance(engine, RemoteEngine)
    assert not engine.spec.local
    assert engine.spec.concurrency == 3
    assert KEY not in repr(engine.spec)
    assert not await engine.cancel({})
    assert await engine.verify({}, b"", 0.0) is None
    with pytest.raises(Broken):
        await engine.look(Call((0,)), {})


def test_no_key_no_engine() -> None:
    """Without a key there is no engine, and settings that OpenAI would refuse are told at the start."""
    context = EngineContext(None, section("http://127.0.0.1:1/v1", api_key=""), 4)  # type: ignore[arg-type]
    assert build(context) is None
    with pytest.raises(ConfigurationError, match=r"openai\.quality"):
        made("http://127.0.0.1:1/v1", quality="superb")


async def test_text_to_image(sim: Simulators, engine: OpenAIEngine) -> None:
    """One call buys several images of the asked size; neither seed nor response_format is sent."""
    done = await send(engine, job(count=2))
    assert [image.index for image in done.images] == [0, 1]
    assert [size_of(image.data) for image in done.images] == [(1024, 640)] * 2
    assert done.request_id.startswith("req_")
    assert (done.refusals, done.warnings) == ((), ())
    assert sim.desk.calls[0].body == {
        "model": "gpt-image-2",
        "prompt": "a lighthouse",
        "n": 2,
        "size": "1024x640",
        "output_format": "png",
    }


async def test_image_to_image(sim: Simulators, engine: OpenAIEngine) -> None:
    """References go as multipart image[]; without a ratio the size is left to the model."""
    references = (picture(), picture(form="jpeg"), picture(form="webp"))
    done = await send(engine, job("at night", references=references, ratio=None, options={"output_format": "jpeg"}))
    body = sim.desk.calls[0].body
    assert [line.partition(",")[0] for line in body["image[]"]] == [
        "image-1.png image/png",
        "image-2.jpeg image/jpeg",
        "image-3.webp image/webp",
    ]
    assert (body["size"], body["n"], body["output_format"], body["prompt"]) == ("auto", "1", "jpeg", "at night")
    width, height = size_of(done.images[0].data)
    assert abs(width / height - 1.6) < 0.05


async def test_a_ratio_with_references_is_a_size(sim: Simulators, engine: OpenAIEngine) -> None:
    """A caller's ratio holds for edits too."""
    await send(engine, job(references=(picture(),), ratio="16:10"))
    assert sim.desk.calls[0].body["size"] == "1024x640"


async def test_quality(sim: Simulators, engine: OpenAIEngine) -> None:
    """The caller's quality goes along if it is a word of OpenAI's, and is lowered for models that lack it."""
    assert (await send(engine, job("one", options={"quality": "Low"}))).warnings == ()
    unknown = await send(engine, job("two", options={"quality": "superb"}))
    too_new = await send(engine, job("three", options={"quality": "max"}))
    await send(engine, job("four", options={"quality": "max"}, remote_model="gpt-image-2.5-flare"))
    assert [call.body.get("quality") for call in sim.desk.calls] == ["low", None, "high", "max"]
    assert len(unknown.warnings) == len(too_new.warnings) == 1


async def test_old_models_have_three_sizes(sim: Simulators, engine: OpenAIEngine) -> None:
    """Models before gpt-image-2 get the nearest of their sizes, and the caller is told."""
    for name, size in (("gpt-image-1.5", (2048, 1360)), ("gpt-image-1-mini", (720, 1280))):
        done = await send(engine, job(name, remote_model=name, width=size[0], height=size[1]))
        assert len(done.warnings) == 1
    assert [call.body["size"] for call in sim.desk.calls] == ["1536x1024", "1024x1536"]


@pytest.mark.parametrize(
    ("asked", "got"),
    [((1512, 648), "1536x656"), ((6240, 2656), "3840x1632"), ((4096, 4096), "2880x2880"), ((300, 300), "816x816")],
)
async def test_illegal_sizes_are_fitted(
    sim: Simulators, engine: OpenAIEngine, asked: tuple[int, int], got: str
) -> None:
    """A size of another model is brought inside OpenAI's bounds, and the caller is told."""
    done = await send(engine, job(width=asked[0], height=asked[1]))
    assert sim.desk.calls[0].body["size"] == got
    assert len(done.warnings) == 1


def test_plan(engine: OpenAIEngine) -> None:
    """Ten images a call; what cannot be said is refused before any money is spent."""
    assert engine.plan(job(), range(3)) == [(0, 1, 2)]
    assert engine.plan(job(), [0, *range(5, 16)]) == [(0, 5, 6, 7, 8, 9, 10, 11, 12, 13), (14, 15)]
    for bad in (
        job(references=(picture(),) * 17),
        job("a" * 32_001),
        job(options={"output_format": "gif"}),
    ):
        with pytest.raises(InputRefused):
            engine.plan(bad, [0])


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("moderation_blocked", ContentRefused),
        ("content_policy_violation", ContentRefused),
        ("image_content_policy_violation", ContentRefused),
        ("invalid_image", InputRefused),
        ("image_too_large", InputRefused),
        ("unsupported_image_media_type", InputRefused),
        ("unknown_parameter", InputRefused),
        ("request_too_large", InputRefused),
        ("unprocessable_entity", InputRefused),
        ("billing_hard_limit_reached", BalanceExhausted),
        ("insufficient_quota", BalanceExhausted),
        ("invalid_api_key", Misconfigured),
        ("organization_not_verified", Misconfigured),
        ("unsupported_country_region_territory", Misconfigured),
        ("model_not_found", Misconfigured),
        ("rate_limit_exceeded", EngineRateLimited),
        ("conflict", Unavailable),
        ("server_error", Unavailable),
        ("overloaded", Unavailable),
    ],
)
async def test_refusals(sim: Simulators, engine: OpenAIEngine, code: str, kind: type[EngineError]) -> None:
    """Every row of OpenAI's errors is one of ours, with its code, without its text, and not paid."""
    with pytest.raises(kind) as caught:
        await send(engine, job(f"[[fail:{code}]]"))
    error = caught.value
    assert type(error) is kind
    assert (error.code, error.charged) == (code, False)
    assert "req_" in error.detail
    assert KEY not in f"{error.message} {error.detail}"
    assert not sim.desk.charges()


async def test_slow_down(engine: OpenAIEngine) -> None:
    """Retry-After is honoured, in milliseconds where OpenAI says them."""
    with pytest.raises(EngineRateLimited) as caught:
        await send(engine, job("[[http:429]][[retry-after:2.5]]"))
    assert caught.value.retry_after == 2.5


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InputRefused),
        (401, Misconfigured),
        (403, Misconfigured),
        (404, Misconfigured),
        (408, Unavailable),
        (409, Unavailable),
        (413, InputRefused),
        (422, InputRefused),
        (429, EngineRateLimited),
        (500, Unavailable),
        (502, Unavailable),
    ],
)
async def test_statuses(engine: OpenAIEngine, status: int, kind: type[EngineError]) -> None:
    """A status in OpenAI's own shape is a refusal: nothing was billed."""
    with pytest.raises(kind) as caught:
        await send(engine, job(f"[[http:{status}]]"))
    assert type(caught.value) is kind
    assert not caught.value.charged


@pytest.mark.parametrize(("switch", "billed"), [("drop", 1), ("cut", 1), ("refuse", 0)])
async def test_lost_answers(sim: Simulators, engine: OpenAIEngine, switch: str, billed: int) -> None:
    """A call whose answer is lost may have been billed, even where it was not."""
    with pytest.raises(OutcomeUnknown) as caught:
        await send(engine, job(f"[[{switch}]]"))
    assert caught.value.charged
    assert sim.desk.charges().total() == billed


async def test_nobody_there() -> None:
    """A call that never left is surely not billed."""
    engine = made("http://127.0.0.1:9/v1")
    await engine.open()
    with pytest.raises(Unavailable) as caught:
        await send(engine, job())
    assert not caught.value.charged
    await engine.close()


async def test_some_images_are_missing(sim: Simulators, engine: OpenAIEngine) -> None:
    """What came is kept; each image that did not come has an error of its own."""
    done = await engine.send(job("[[partial:2]]", count=3), Call((4, 6, 9)), lambda fraction, stage: None)
    assert [image.index for image in done.images] == [4, 6]
    assert [(type(error), error.charged) for error in done.refusals] == [(Broken, False)]
    assert sim.desk.charges().total() == 2
    with pytest.raises(Broken) as caught:
        await send(engine, job("[[partial:1]]"))
    assert caught.value.charged


@pytest.mark.parametrize(
    ("status", "kind", "charged"),
    [
        (502, OutcomeUnknown, True),
        (504, OutcomeUnknown, True),
        (400, InputRefused, False),
        (404, Misconfigured, False),
        (429, EngineRateLimited, False),
        (307, Misconfigured, False),
        (200, Broken, True),
    ],
)
async def test_a_proxy_answers(
    odd: Callable[[Odd], Awaitable[OpenAIEngine]], status: int, kind: type[EngineError], charged: bool
) -> None:
    """What is not OpenAI's shape says nothing about a call that may go on, unless it is a refusal."""

    async def proxy(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=f"<html>{status} from nginx, {KEY}</html>", content_type="text/html")

    engine = await odd(proxy)
    with pytest.raises(kind) as caught:
        await send(engine, job())
    assert type(caught.value) is kind
    assert caught.value.charged is charged
    assert KEY not in f"{caught.value.message} {caught.value.detail} {caught.value.code}"


@pytest.mark.parametrize(
    "answer",
    [
        {"data": []},
        {"data": [{"b64_json": "%%%"}]},
        {"data": [{}]},
        {"data": "none"},
        ["?"],
    ],
)
async def test_a_success_that_makes_no_sense(odd: Callable[[Odd], Awaitable[OpenAIEngine]], answer: Any) -> None:
    """It was paid, and nobody buys it again."""

    async def provider(request: web.Request) -> web.StreamResponse:
        return web.json_response(answer)

    engine = await odd(provider)
    with pytest.raises(Broken) as caught:
        await send(engine, job())
    assert caught.value.charged


async def test_headers_settings_and_urls(odd: Callable[[Odd], Awaitable[OpenAIEngine]]) -> None:
    """Organization, project, quality and moderation come from the settings; a compatible server may give URLs."""
    seen: list[tuple[dict[str, str], Any]] = []

    async def provider(request: web.Request) -> web.StreamResponse:
        seen.append((dict(request.headers), await request.json()))
        return web.json_response({"data": [{"url": "https://cdn.example.com/1.png"}]})

    engine = await odd(provider)
    done = await send(engine, job())
    assert done.images[0].url == "https://cdn.example.com/1.png"
    headers, body = seen[0]
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert (headers["OpenAI-Organization"], headers["OpenAI-Project"]) == ("org-1", "proj-2")
    assert (body["quality"], body["moderation"]) == ("low", "low")


async def test_an_answer_larger_than_it_can_be(odd: Callable[[Odd], Awaitable[OpenAIEngine]]) -> None:
    """It is not read to its end; it was sent, so it may have been billed."""

    async def provider(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(45):
            await response.write(b"x" * 1_000_000)
        return response

    engine = await odd(provider)
    with pytest.raises(OutcomeUnknown):
        await send(engine, job())


async def test_a_wrong_model_is_not_the_callers_fault(odd: Callable[[Odd], Awaitable[OpenAIEngine]]) -> None:
    """A 400 about the model is a matter of the operator."""

    async def provider(request: web.Request) -> web.StreamResponse:
        error = {"message": "Invalid value: 'x'.", "type": "invalid_request_error", "param": "model", "code": "x"}
        return web.json_response({"error": error}, status=400)

    with pytest.raises(Misconfigured):
        await send(await odd(provider), job())


async def test_a_wrong_key(sim: Simulators) -> None:
    """OpenAI quotes a part of the key; we quote nothing of it."""
    engine = made(sim.base_url("openai"), api_key="sk-wrong-0123456789abcdef")
    await engine.open()
    with pytest.raises(Misconfigured) as caught:
        await send(engine, job())
    assert "cdef" not in f"{caught.value.message} {caught.value.detail}"
    await engine.close()
