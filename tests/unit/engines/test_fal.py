"""The fal engine against its simulator, and against answers that are not fal's."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from PIL import Image

from aquatint.domain.errors import (
    BalanceExhausted,
    Broken,
    ContentRefused,
    EngineError,
    EngineRateLimited,
    InputRefused,
    Misconfigured,
    OutcomeUnknown,
    Unavailable,
)
from aquatint.engines.base import EngineContext, GenerationJob, ReferenceImage
from aquatint.engines.fal import build
from aquatint.engines.fal.engine import FalEngine
from aquatint.engines.remote import Accepted, AskAgain, Call, Done, RemoteEngine, Working
from aquatint.testing.receiver import Answer, WebhookReceiver
from aquatint.testing.simulators.app import Simulators
from aquatint.testing.simulators.painter import PlainPainter

KEY = "sim-key"
V4 = "fal-ai/bytedance/seedream/v4/text-to-image"
V4_EDIT = "fal-ai/bytedance/seedream/v4/edit"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def simulators() -> AsyncIterator[Simulators]:
    async with Simulators(PlainPainter()) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine(simulators: Simulators) -> AsyncIterator[FalEngine]:
    async with opened(simulators.base_url("fal")) as made:
        yield made


@pytest.fixture
def sim(simulators: Simulators) -> Simulators:
    """The simulators, with nothing remembered."""
    simulators.desk.forget()
    return simulators


def section(base_url: str, **other: object) -> dict[str, object]:
    return {
        "api_key": KEY,
        "base_url": base_url,
        "connect_timeout": 2.0,
        "call_timeout": 5.0,
        "in_flight": 500,
        "requests_per_minute": 0,
        "images_per_minute": 0,
        "polls_per_second": 200,
        "callbacks": False,
        "jwks_url": f"{base_url}/.well-known/jwks.json",
        **other,
    }


@asynccontextmanager
async def opened(base_url: str, **other: object) -> AsyncIterator[FalEngine]:
    engine = build(EngineContext(None, section(base_url, **other), 4))  # type: ignore[arg-type]
    assert engine is not None
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


def a_job(prompt: str = "a harbour", count: int = 1, references: int = 0, **other: Any) -> GenerationJob:
    given = GenerationJob(
        model="seedream-4",
        remote_model=V4_EDIT if references else V4,
        mode="image_to_image" if references else "text_to_image",
        prompt=prompt,
        references=(a_reference(),) * references,
        width=1280,
        height=720,
        ratio="16:9",
        resolution="1k",
        count=count,
        seed=None,
        time_left=60.0,
    )
    return replace(given, **other)


def a_reference() -> ReferenceImage:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 120, 40)).save(file, "JPEG")
    return ReferenceImage(file.getvalue(), "image/jpeg", 64, 48)


async def submit(engine: FalEngine, job: GenerationJob, **call: Any) -> tuple[Call, Accepted]:
    asked = Call(engine.plan(job, range(job.count))[0], **call)
    return asked, await engine.send(job, asked, lambda fraction, stage: None)


async def finish(engine: FalEngine, call: Call, taken: Accepted) -> Done:
    """Look until it is done; what the house waits for between looks is its own affair."""
    for _ in range(400):
        seen = await engine.look(call, taken.handle)
        if isinstance(seen, Done):
            return seen
        await asyncio.sleep(0.01)
    raise AssertionError("the job does not end")


@pytest_asyncio.fixture(loop_scope="module")
async def listening(sim: Simulators) -> AsyncIterator[FalEngine]:
    """An engine that knows callbacks."""
    async with opened(sim.base_url("fal"), callbacks=True) as made:
        yield made


async def run(engine: FalEngine, job: GenerationJob) -> Done:
    return await finish(engine, *await submit(engine, job))


async def failure_of(engine: FalEngine, job: GenerationJob) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await run(engine, job)
    told = f"{caught.value} {caught.value.detail} {caught.value.code}"
    assert KEY not in told
    return caught.value


async def picture(url: str) -> Image.Image:
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content))


async def test_no_key_no_engine() -> None:
    """Without a key the engine is left out; with one it says what it is."""
    without = section("https://queue.fal.run", api_key="")
    assert build(EngineContext(None, without, 4)) is None  # type: ignore[arg-type]
    engine = build(EngineContext(None, section("https://queue.fal.run", callbacks=True), 4))  # type: ignore[arg-type]
    assert isinstance(engine, RemoteEngine)
    spec = engine.spec
    assert (spec.name, spec.local, spec.concurrency, spec.calls_back) == ("fal", False, 500, True)
    assert spec.trusted_origins == ("https://queue.fal.run:443",)
    assert KEY not in spec.account


async def test_text_to_image(sim: Simulators, engine: FalEngine) -> None:
    """The body holds what was asked, and the pictures have the asked size."""
    job = a_job(count=2, seed=2**40 + 7)
    done = await run(engine, job)
    assert sim.desk.calls[0].body == {
        "prompt": "a harbour",
        "image_size": {"width": 1280, "height": 720},
        "num_images": 2,
        "seed": 7,
    }
    assert [image.index for image in done.images] == [0, 1]
    assert {image.seed for image in done.images} == {7}
    assert not done.refusals
    assert (await picture(str(done.images[1].url))).size == (1280, 720)
    assert sim.desk.charges("fal") == {"a harbour": 2}


async def test_image_to_image(sim: Simulators, engine: FalEngine) -> None:
    """References ride as data URIs."""
    await run(engine, a_job(references=2))
    body = sim.desk.calls[0].body
    assert [url.partition(",")[0] for url in body["image_urls"]] == ["data:image/jpeg;base64"] * 2


async def test_large_references_arrive(sim: Simulators, engine: FalEngine) -> None:
    """Ten references of the largest size that the spec admits go through in one body."""
    file = io.BytesIO()
    Image.effect_noise((1800, 1800), 90).save(file, "PNG")
    data = file.getvalue()
    assert 2_000_000 < len(data) < engine.spec.references.max_bytes
    large = ReferenceImage(data, "image/png", 1800, 1800)
    await run(engine, replace(a_job(references=1), references=(large,) * 10))


async def test_how_long_it_may_wait(engine: FalEngine, sim: Simulators) -> None:
    """fal is told what is left of the task's time, and a job that waits longer ends."""
    error = await failure_of(engine, a_job("slow [[sleep:20]]", time_left=0.1))
    assert (type(error), error.code, error.charged) == (Unavailable, "request_timeout", False)
    assert not sim.desk.charges("fal")


async def test_plan() -> None:
    """Six images a call for Seedream, one for a generic model unless its route says more."""
    engine = build(EngineContext(None, section("https://queue.fal.run"), 4))  # type: ignore[arg-type]
    assert engine is not None
    assert engine.plan(a_job(count=15), range(15)) == [tuple(range(6)), tuple(range(6, 12)), (12, 13, 14)]
    assert engine.plan(a_job(count=15), [3, 9]) == [(3, 9)]
    generic = a_job(count=3, remote_model="fal-ai/flux-2", route={"schema": "generic"})
    assert engine.plan(generic, range(3)) == [(0,), (1,), (2,)]
    more = replace(generic, route={"schema": "generic", "images_per_call": 4})
    assert engine.plan(more, range(3)) == [(0, 1, 2)]


@pytest.mark.parametrize(
    ("job", "error"),
    [
        (a_job(references=11), InputRefused),
        (a_job(references=1, remote_model=V4), InputRefused),
        (a_job(remote_model=V4_EDIT), Misconfigured),
        (a_job(remote_model="seedream"), Misconfigured),
        (a_job(remote_model="fal-ai/flux-2"), Misconfigured),
        (a_job(remote_model="fal-ai/flux-2", route={"schema": "of tomorrow"}), Misconfigured),
        (a_job(remote_model="a/b", route={"schema": "generic", "images_per_call": "many"}), Misconfigured),
    ],
)
async def test_what_cannot_be_said(job: GenerationJob, error: type[EngineError]) -> None:
    """What fal cannot be told is refused before money is spent; a wrong route is the operator's."""
    engine = build(EngineContext(None, section("https://queue.fal.run"), 4))  # type: ignore[arg-type]
    assert engine is not None
    with pytest.raises(error):
        engine.plan(job, [0])


@pytest.mark.parametrize(
    "model",
    [
        "fal-ai/bytedance/seedream/v4.5/text-to-image",
        "fal-ai/bytedance/seedream/v5/lite/text-to-image",
        "bytedance/seedream/v5/lite/text-to-image",
    ],
)
async def test_models_of_two_megapixels(sim: Simulators, engine: FalEngine, model: str) -> None:
    """Version 4.5 and 5 lite take what the engine says, and refuse 1k."""
    done = await run(engine, a_job(remote_model=model, width=2560, height=1440))
    assert len(done.images) == 1
    error = await failure_of(engine, a_job("small", remote_model=model))
    assert isinstance(error, InputRefused)
    assert error.code == "greater_than_equal"
    assert sim.desk.charges("fal") == {"a harbour": 1}


@pytest.mark.parametrize("model", ["v5/pro", "v5/flash", "v5.5"])
async def test_models_of_one_megapixel(engine: FalEngine, model: str) -> None:
    """5 pro, flash and 5.5 take 1k and refuse 4k."""
    path = f"bytedance/seedream/{model}/text-to-image"
    assert len((await run(engine, a_job(remote_model=path))).images) == 1
    error = await failure_of(engine, a_job("large", remote_model=path, width=4096, height=4096))
    assert (type(error), error.code) == (InputRefused, "less_than_equal")


async def test_generic_model(sim: Simulators, engine: FalEngine) -> None:
    """A model that the engine does not know gets the common fields."""
    route = {"schema": "generic", "images_per_call": 4}
    job = a_job(count=2, seed=5, remote_model="fal-ai/flux-2", route=route)
    assert len((await run(engine, job)).images) == 2
    assert set(sim.desk.calls[0].body) == {"prompt", "image_size", "num_images", "seed"}
    edit = a_job(references=1, remote_model="fal-ai/flux-2/edit", route=route)
    assert len((await run(engine, edit)).images) == 1


async def test_seeds_of_a_second_call(sim: Simulators, engine: FalEngine) -> None:
    """The seventh image has another seed than the first."""
    job = a_job(count=7, seed=1)
    first, second = engine.plan(job, range(7))
    await engine.send(job, Call(first), lambda fraction, stage: None)
    await engine.send(job, Call(second), lambda fraction, stage: None)
    assert [call.body["seed"] for call in sim.desk.calls] == [1, 7]


async def test_handle_and_stages(sim: Simulators, engine: FalEngine) -> None:
    """The handle is fal's own URLs; the job is queued, then made, then done."""
    call, taken = await submit(engine, a_job("a slow harbour [[sleep:0.4]]"))
    base = f"{sim.base_url('fal')}/fal-ai/bytedance/requests/{taken.remote_id}"
    assert taken.handle == {
        "request_id": taken.remote_id,
        "status_url": f"{base}/status",
        "response_url": base,
        "cancel_url": f"{base}/cancel",
    }
    seen = []
    while isinstance(stage := await engine.look(call, taken.handle), Working):
        seen.append(stage)
        await asyncio.sleep(0.02)
    assert list(dict.fromkeys(seen)) == [Working("queued", 0.0), Working("generating")]
    assert (await finish(engine, call, taken)).request_id == taken.remote_id


MODEL_ERRORS: list[tuple[str, type[EngineError]]] = [
    ("content_policy_violation", ContentRefused),
    ("no_media_generated", Unavailable),
    ("image_too_small", InputRefused),
    ("image_too_large", InputRefused),
    ("image_load_error", InputRefused),
    ("file_download_error", InputRefused),
    ("face_detection_error", InputRefused),
    ("file_too_large", InputRefused),
    ("greater_than", InputRefused),
    ("greater_than_equal", InputRefused),
    ("less_than", InputRefused),
    ("less_than_equal", InputRefused),
    ("multiple_of", InputRefused),
    ("sequence_too_short", InputRefused),
    ("sequence_too_long", InputRefused),
    ("one_of", InputRefused),
    ("feature_not_supported", InputRefused),
    ("unsupported_image_format", InputRefused),
    ("missing", InputRefused),
    ("value_error", InputRefused),
    ("internal_server_error", Unavailable),
    ("generation_timeout", Unavailable),
    ("downstream_service_error", Unavailable),
    ("downstream_service_unavailable", Unavailable),
    ("request_timeout", Unavailable),
    ("startup_timeout", Unavailable),
    ("runner_disconnected", Unavailable),
    ("runner_scheduling_failure", Unavailable),
    ("runner_server_error", Unavailable),
    ("internal_error", Unavailable),
]


@pytest.mark.parametrize(("code", "error"), MODEL_ERRORS)
async def test_job_that_fails(sim: Simulators, engine: FalEngine, code: str, error: type[EngineError]) -> None:
    """COMPLETED does not mean success: the result tells, by its type, and nothing is billed."""
    found = await failure_of(engine, a_job(f"a harbour [[fail:{code}]]"))
    assert type(found) is error
    assert (found.code, found.charged) == (code, False)
    assert not sim.desk.charges("fal")


SUBMIT_ERRORS: list[tuple[str, type[EngineError]]] = [
    ("[[fail:exhausted_balance]]", BalanceExhausted),
    ("[[fail:forbidden]]", Misconfigured),
    ("[[fail:unauthorized]]", Misconfigured),
    ("[[http:400]]", InputRefused),
    ("[[http:402]]", BalanceExhausted),
    ("[[http:404]]", Misconfigured),
    ("[[http:408]]", Unavailable),
    ("[[http:413]]", InputRefused),
    ("[[http:422]]", InputRefused),
    ("[[http:429]]", EngineRateLimited),
    ("[[http:500]]", Unavailable),
    ("[[http:503]]", Unavailable),
    ("[[http:504]]", Unavailable),
]


@pytest.mark.parametrize(("switch", "error"), SUBMIT_ERRORS)
async def test_submit_that_fal_refuses(
    sim: Simulators, engine: FalEngine, switch: str, error: type[EngineError]
) -> None:
    """A refusal in fal's own shape is not billed."""
    found = await failure_of(engine, a_job(f"a harbour {switch}"))
    assert type(found) is error
    assert not found.charged
    assert not sim.desk.charges("fal")


async def test_wrong_key(sim: Simulators) -> None:
    """A wrong key is the operator's trouble."""
    async with opened(sim.base_url("fal"), api_key="wrong") as engine:
        assert isinstance(await failure_of(engine, a_job()), Misconfigured)


async def test_unknown_model(engine: FalEngine) -> None:
    """A model that fal does not have is the operator's trouble."""
    found = await failure_of(engine, a_job(remote_model="fal-ai/nothing", route={"schema": "generic"}))
    assert (type(found), found.code) == (Misconfigured, "http_404")


async def test_retry_after(engine: FalEngine) -> None:
    """How long fal wants to be left alone is handed on."""
    found = await failure_of(engine, a_job("a harbour [[http:429]] [[retry-after:3]]"))
    assert found.retry_after == 3.0


@pytest.mark.parametrize(
    ("switch", "error", "charges"),
    [("[[refuse]]", OutcomeUnknown, 0), ("[[drop]]", OutcomeUnknown, 1), ("[[cut]]", OutcomeUnknown, 1)],
)
async def test_lost_answers(
    sim: Simulators, engine: FalEngine, switch: str, error: type[EngineError], charges: int
) -> None:
    """A request that left and got no answer may have been billed, whatever fal did."""
    found = await failure_of(engine, a_job(f"a harbour {switch}"))
    assert type(found) is error
    assert found.charged
    assert sum(sim.desk.charges("fal").values()) == charges


async def test_nobody_there() -> None:
    """A provider that cannot be reached was surely not paid."""
    async with opened("http://127.0.0.1:9") as engine:
        found = await failure_of(engine, a_job())
    assert (type(found), found.charged) == (Unavailable, False)


async def test_fewer_images(sim: Simulators, engine: FalEngine) -> None:
    """Missing images are errors of their own; the others are kept."""
    done = await run(engine, a_job("three harbours [[partial:2]]", count=3))
    assert [image.index for image in done.images] == [0, 1]
    assert [type(error) for error in done.refusals] == [Unavailable]
    assert sum(sim.desk.charges("fal").values()) == 2
    assert (await failure_of(engine, a_job("no harbour [[partial:1]]"))).code == "no_media_generated"


async def test_late_result(engine: FalEngine) -> None:
    """A result that is not there yet although the job is COMPLETED is asked for again."""
    call, taken = await submit(engine, a_job("a late harbour [[late:0.4]]"))
    with pytest.raises(AskAgain):
        await finish(engine, call, taken)
    await asyncio.sleep(0.4)
    assert len((await finish(engine, call, taken)).images) == 1


async def test_cancel(sim: Simulators, engine: FalEngine) -> None:
    """A queued job is stopped and not billed; one that is done, or unknown, is not stopped."""
    call, taken = await submit(engine, a_job("a slow harbour [[sleep:30]]"))
    assert await engine.cancel(taken.handle)
    with pytest.raises(Unavailable) as stopped:
        await engine.look(call, taken.handle)
    assert stopped.value.code == "client_cancelled"
    assert not sim.desk.charges("fal")
    call, taken = await submit(engine, a_job())
    await finish(engine, call, taken)
    assert not await engine.cancel(taken.handle)
    assert not await engine.cancel(
        {**taken.handle, "cancel_url": taken.handle["cancel_url"].replace("requests/", "requests/0")}
    )


# What is not fal's own: a proxy in between, or an address that fal has no business with.


@pytest_asyncio.fixture(loop_scope="module")
async def proxy() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver() as made:
        yield made


def says(status: int, body: object, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers, data)


HTML = b"<html><h1>Bad Gateway</h1><p>nginx</p></html>"


@pytest.mark.parametrize(
    ("answer", "error", "charged"),
    [
        (says(502, HTML), OutcomeUnknown, True),
        (says(504, b""), OutcomeUnknown, True),
        (says(500, {"message": "not fal's shape"}), OutcomeUnknown, True),
        (says(302, b"", Location="https://elsewhere.example"), OutcomeUnknown, True),
        (says(403, HTML), Misconfigured, False),
        (says(413, HTML), InputRefused, False),
        (says(429, HTML), EngineRateLimited, False),
        (says(200, HTML), Broken, True),
        (says(200, {"status": "IN_QUEUE"}), Broken, True),
        (says(200, ["request_id"]), Broken, True),
        (says(503, {"detail": "Down", "error_type": "internal_error"}), Unavailable, False),
    ],
)
async def test_submit_answers(
    proxy: WebhookReceiver, answer: Answer, error: type[EngineError], charged: bool
) -> None:
    """Who answered decides whether money may have been spent."""
    proxy.answer = lambda _: answer
    async with opened(proxy.origin) as engine:
        found = await failure_of(engine, a_job())
    assert (type(found), found.charged) == (error, charged)


@pytest.mark.parametrize(
    ("status", "result", "error", "charged"),
    [
        (says(502, HTML), None, AskAgain, False),
        (says(200, HTML), None, AskAgain, False),
        (says(200, {"status": 7}), None, AskAgain, False),
        (says(404, {"detail": "Not found"}), None, AskAgain, False),
        (says(401, {"detail": "No user"}), None, AskAgain, False),
        (says(403, {"detail": "User is locked. Reason: Exhausted balance."}), None, AskAgain, False),
        (says(401, HTML), None, AskAgain, False),
        (says(429, HTML), None, AskAgain, False),
        (says(200, {"status": "COMPLETED"}), says(502, HTML), AskAgain, False),
        (says(200, {"status": "COMPLETED"}), says(429, {"detail": "slow"}), AskAgain, False),
        (says(200, {"status": "COMPLETED"}), says(200, HTML), Broken, True),
        (says(200, {"status": "COMPLETED"}), says(200, {"images": []}), Broken, True),
        (says(200, {"status": "COMPLETED"}), says(200, {"images": [{"url": None}, 3]}), Broken, True),
        (says(200, {"status": "COMPLETED"}), says(200, {"error": "it broke"}), Unavailable, False),
        (
            says(200, {"status": "COMPLETED", "error": "gone", "error_type": "runner_disconnected"}),
            says(404, {"detail": "Not found"}),
            Unavailable,
            False,
        ),
        (
            says(200, {"status": "COMPLETED", "error": "slow", "error_type": "request_timeout"}),
            says(500, HTML),
            Unavailable,
            False,
        ),
        (
            says(200, {"status": "COMPLETED"}),
            says(422, {"detail": [{"type": "value_error", "loc": ["body"]}]}, **{"x-fal-billable-units": "1"}),
            InputRefused,
            True,
        ),
    ],
)
async def test_look_answers(
    proxy: WebhookReceiver, status: Answer, result: Answer | None, error: type[EngineError], charged: bool
) -> None:
    """Only fal's own word ends a job; anything else is asked again."""
    proxy.answer = lambda letter: status if letter.path.endswith("/status") or result is None else result
    async with opened(proxy.origin) as engine:
        handle = {"request_id": "1", "status_url": f"{proxy.origin}/a/b/requests/1/status"}
        handle["response_url"] = f"{proxy.origin}/a/b/requests/1"
        with pytest.raises(EngineError) as caught:
            await engine.look(Call((0,)), handle)
    assert (type(caught.value), caught.value.charged) == (error, charged)


async def test_single_image_output(proxy: WebhookReceiver) -> None:
    """Some models answer one `image` instead of a list."""
    proxy.answer = lambda _: says(200, {"status": "COMPLETED", "image": {"url": "https://v3.fal.media/a.png"}})
    async with opened(proxy.origin) as engine:
        done = await engine.look(Call((4,)), {"request_id": "1", "status_url": proxy.url, "response_url": proxy.url})
    assert isinstance(done, Done)
    assert [(image.index, image.url, image.seed) for image in done.images] == [
        (4, "https://v3.fal.media/a.png", None)
    ]


async def test_foreign_urls_are_not_trusted(proxy: WebhookReceiver) -> None:
    """URLs that lead away from fal would carry the key there: the engine makes its own."""
    taken = {
        "request_id": "a/b",
        "status_url": "https://evil.example/status",
        "response_url": proxy.origin.replace("127.0.0.1", "localhost") + "/x",
        "cancel_url": f"{proxy.origin}/as/given/cancel",
    }
    proxy.answer = lambda _: says(200, taken)
    async with opened(f"{proxy.origin}/base") as engine:
        _, accepted = await submit(engine, a_job())
        moved = replace(a_job(), remote_model="workflows/owner/app/path", route={"schema": "generic"})
        _, namespaced = await submit(engine, moved)
        with pytest.raises(AskAgain):
            await engine.look(Call((0,)), {**accepted.handle, "status_url": "https://evil.example/status"})
    assert accepted.handle == {
        "request_id": "a/b",
        "status_url": f"{proxy.origin}/base/fal-ai/bytedance/requests/a%2Fb/status",
        "response_url": f"{proxy.origin}/base/fal-ai/bytedance/requests/a%2Fb",
        "cancel_url": f"{proxy.origin}/as/given/cancel",
    }
    assert namespaced.handle["status_url"] == f"{proxy.origin}/base/workflows/owner/app/requests/a%2Fb/status"
    assert KEY not in json.dumps(accepted.handle)


async def test_what_a_submit_carries(proxy: WebhookReceiver) -> None:
    """The key in fal's own form, the patience, and where to call back."""
    proxy.answer = lambda _: says(200, {"request_id": "1"})
    async with opened(proxy.origin) as engine:
        await submit(engine, a_job(time_left=12.34), callback_url="https://here.example/hook?a=1&b=2")
    letter = proxy.letters[0]
    assert letter.headers["authorization"] == f"Key {KEY}"
    assert letter.headers["x-fal-request-timeout"] == "12.3"
    assert urlsplit(letter.path).path == f"/{V4}"
    assert parse_qs(urlsplit(letter.path).query) == {"fal_webhook": ["https://here.example/hook?a=1&b=2"]}


# Callbacks


async def called_back(engine: FalEngine, prompt: str, count: int = 1) -> tuple[str, list[Any]]:
    async with WebhookReceiver() as receiver:
        _, taken = await submit(engine, a_job(prompt), callback_url=receiver.url)
        return taken.remote_id, await receiver.wait_for(count)


async def test_true_callback(listening: FalEngine) -> None:
    """A signed callback names its request; the keys are fetched once."""
    request_id, letters = await called_back(listening, "a harbour [[twice]]", 2)
    for letter in letters:
        assert await listening.verify(letter.headers, letter.body, time.time()) == request_id
    assert letters[0].json()["status"] == "OK"


async def test_callback_of_a_failure(listening: FalEngine) -> None:
    """Failures are called back too."""
    request_id, (letter,) = await called_back(listening, "a harbour [[fail:content_policy_violation]]")
    assert await listening.verify(letter.headers, letter.body, time.time()) == request_id
    assert letter.json()["status"] == "ERROR"


async def test_false_callbacks(listening: FalEngine) -> None:
    """Another key, another body, another time or half of the headers: nobody is believed."""
    _, (forged,) = await called_back(listening, "a harbour [[forged]]")
    now = time.time()
    assert await listening.verify(forged.headers, forged.body, now) is None
    request_id, (true,) = await called_back(listening, "a harbour")
    assert await listening.verify(true.headers, true.body, now) == request_id
    assert await listening.verify(true.headers, true.body + b" ", now) is None
    assert await listening.verify(true.headers, true.body, now + 302) is None
    assert await listening.verify(true.headers, true.body, now - 302) is None
    for name in ("request-id", "user-id", "timestamp", "signature"):
        for value in ("", "1", "zz", "٣"):
            other: Mapping[str, str] = {**true.headers, f"x-fal-webhook-{name}": value}
            assert await listening.verify(other, true.body, now) is None
    assert await listening.verify({}, b"", now) is None


async def test_keys_are_cached(sim: Simulators, listening: FalEngine, proxy: WebhookReceiver) -> None:
    """Keys live a day, and a stranger's signature makes us fetch them at most once a minute."""
    request_id, (true,) = await called_back(listening, "a harbour")
    _, (forged,) = await called_back(listening, "a harbour [[forged]]")
    async with httpx.AsyncClient() as client:
        document = (await client.get(f"{sim.base_url('fal')}/.well-known/jwks.json")).content
    strange = json.dumps({"keys": [{"kty": "RSA"}, 1, {"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}).encode()
    proxy.answer = lambda _: Answer(200, {}, strange)
    async with opened(sim.base_url("fal"), callbacks=True, jwks_url=f"{proxy.origin}/keys") as other:
        stamp = int(true.headers["x-fal-webhook-timestamp"])
        assert await other.verify(true.headers, true.body, stamp - 200) is None
        proxy.answer = lambda _: Answer(200, {}, document)
        assert await other.verify(true.headers, true.body, stamp - 150) is None  # asked less than a minute ago
        assert len(proxy.letters) == 1
        assert await other.verify(true.headers, true.body, stamp - 139) == request_id
        proxy.answer = lambda _: Answer(503)
        for later in (-138, -100, -80):
            assert await other.verify(forged.headers, forged.body, stamp + later) is None
        assert len(proxy.letters) == 2  # 59 seconds are no minute
        assert await other.verify(forged.headers, forged.body, stamp) is None
        assert len(proxy.letters) == 3
        assert await other.verify(true.headers, true.body, stamp + 2) == request_id  # the known keys go on
    assert all("authorization" not in letter.headers for letter in proxy.letters)


async def test_keys_die(sim: Simulators, listening: FalEngine, proxy: WebhookReceiver) -> None:
    """After a day, keys that cannot be fetched again are no longer believed; without callbacks nobody is."""
    request_id, (true,) = await called_back(listening, "a harbour")
    old = int(true.headers["x-fal-webhook-timestamp"])
    assert await listening.verify(true.headers, true.body, old) == request_id
    listening._signatures._fetched_at = old - 86_401  # type: ignore[union-attr]
    listening._signatures._tried_at = old  # type: ignore[union-attr]
    assert await listening.verify(true.headers, true.body, old + 1) is None
    async with opened(sim.base_url("fal")) as deaf:
        assert await deaf.verify(true.headers, true.body, old) is None
