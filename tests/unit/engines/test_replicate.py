"""The replicate engine against its simulator, and against answers that are not Replicate's."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

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
from aquatint.engines.remote import Accepted, AskAgain, Call, Done, RemoteEngine, Working
from aquatint.engines.replicate import build
from aquatint.engines.replicate.engine import ReplicateEngine
from aquatint.testing.receiver import Answer, WebhookReceiver
from aquatint.testing.simulators.app import Simulators
from aquatint.testing.simulators.painter import PlainPainter
from aquatint.testing.simulators.replicate.models import MODELS

KEY = "sim-key"
V4 = "bytedance/seedream-4"
V45 = "bytedance/seedream-4.5"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def simulators() -> AsyncIterator[Simulators]:
    async with Simulators(PlainPainter()) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine(simulators: Simulators) -> AsyncIterator[ReplicateEngine]:
    async with opened(simulators.base_url("replicate")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def proxy() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver() as made:
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
        "requests_per_minute": 600,
        "images_per_minute": 0,
        "polls_per_second": 45,
        "callbacks": True,
        **other,
    }


@asynccontextmanager
async def opened(base_url: str, **other: object) -> AsyncIterator[ReplicateEngine]:
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
        remote_model=V4,
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
    Image.new("RGB", (60, 80), (200, 120, 40)).save(file, "JPEG")
    return ReferenceImage(file.getvalue(), "image/jpeg", 60, 80)


async def submit(engine: ReplicateEngine, job: GenerationJob, **call: Any) -> tuple[Call, Accepted]:
    asked = Call(engine.plan(job, range(job.count))[0], **call)
    return asked, await engine.send(job, asked, lambda fraction, stage: None)


async def finish(engine: ReplicateEngine, call: Call, taken: Accepted) -> Done:
    """Look until it is done; what the house waits for between looks is its own affair."""
    for _ in range(400):
        seen = await engine.look(call, taken.handle)
        if isinstance(seen, Done):
            return seen
        await asyncio.sleep(0.01)
    raise AssertionError("the prediction does not end")


async def run(engine: ReplicateEngine, job: GenerationJob) -> Done:
    return await finish(engine, *await submit(engine, job))


async def failure_of(engine: ReplicateEngine, job: GenerationJob) -> EngineError:
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
    without = section("https://api.replicate.com", api_key="")
    assert build(EngineContext(None, without, 4)) is None  # type: ignore[arg-type]
    engine = build(EngineContext(None, section("https://api.replicate.com"), 4))  # type: ignore[arg-type]
    assert isinstance(engine, RemoteEngine)
    spec = engine.spec
    assert (spec.name, spec.local, spec.exact_size, spec.calls_back) == ("replicate", False, False, True)
    assert spec.trusted_origins == ("https://api.replicate.com:443",)
    assert spec.limits.requests_per_minute == 600
    assert KEY not in spec.account


async def test_text_to_image(sim: Simulators, engine: ReplicateEngine) -> None:
    """The body holds ratio and size word, and nothing that the model does not know."""
    done = await run(engine, a_job(seed=3))
    assert sim.desk.calls[0].body == {"input": {"prompt": "a harbour", "size": "1K", "aspect_ratio": "16:9"}}
    (image,) = done.images
    assert (image.index, image.seed) == (0, None)
    width, height = (await picture(str(image.url))).size
    assert abs(width / height - 16 / 9) < 0.05
    assert sim.desk.charges("replicate") == {"a harbour": 1}


async def test_image_to_image(sim: Simulators, engine: ReplicateEngine) -> None:
    """References ride as data URIs; without a ratio the output follows the first of them."""
    done = await run(engine, a_job(references=2, ratio=None))
    given = sim.desk.calls[0].body["input"]
    assert given["aspect_ratio"] == "match_input_image"
    assert [url.partition(",")[0] for url in given["image_input"]] == ["data:image/jpeg;base64"] * 2
    width, height = (await picture(str(done.images[0].url))).size
    assert abs(width / height - 60 / 80) < 0.05


async def test_ratio_from_the_pixels(sim: Simulators, engine: ReplicateEngine) -> None:
    """Without references or with a ratio that Seedream does not know, the pixels decide."""
    await run(engine, a_job(ratio=None))
    await run(engine, a_job(ratio="5:4", width=1152, height=864))
    assert [call.body["input"]["aspect_ratio"] for call in sim.desk.calls] == ["16:9", "4:3"]


async def test_many_references(sim: Simulators, engine: ReplicateEngine) -> None:
    """Version 4.5 takes fourteen; 1 MB each goes through in one body."""
    file = io.BytesIO()
    Image.effect_noise((1000, 1000), 90).save(file, "PNG")
    data = file.getvalue()
    assert 600_000 < len(data) < engine.spec.references.max_bytes
    large = ReferenceImage(data, "image/png", 1000, 1000)
    job = replace(a_job(references=1, remote_model=V45, resolution="2k"), references=(large,) * 14)
    assert len((await run(engine, job)).images) == 1


async def test_version(sim: Simulators, engine: ReplicateEngine) -> None:
    """A version goes to the other route; an unknown one is the operator's trouble."""
    version = MODELS[V4].version
    done = await run(engine, a_job(remote_model=f"{V4}:{version}"))
    assert len(done.images) == 1
    assert sim.desk.calls[0].body["version"] == version
    found = await failure_of(engine, a_job(remote_model=f"{V4}:0000"))
    assert (type(found), found.code) == (Misconfigured, "http_422")


async def test_plan(engine: ReplicateEngine) -> None:
    """One image a prediction."""
    assert engine.plan(a_job(count=3), range(3)) == [(0,), (1,), (2,)]
    assert engine.plan(a_job(count=9), [2, 7]) == [(2,), (7,)]


@pytest.mark.parametrize(
    ("job", "error"),
    [
        (a_job(references=11), InputRefused),
        (a_job(references=15, remote_model=V45), InputRefused),
        (a_job("x" * 4001), InputRefused),
        (a_job(remote_model="seedream-4"), Misconfigured),
        (a_job(remote_model="a/b/c"), Misconfigured),
        (a_job(remote_model="../v1/account"), Misconfigured),
    ],
)
async def test_what_cannot_be_said(engine: ReplicateEngine, job: GenerationJob, error: type[EngineError]) -> None:
    """What Replicate cannot be told is refused before money is spent; a wrong route is the operator's."""
    with pytest.raises(error):
        engine.plan(job, [0])


async def test_bad_size_word(engine: ReplicateEngine) -> None:
    """A word that the model does not offer is refused by Replicate, and not billed."""
    found = await failure_of(engine, a_job(remote_model=V45))
    assert (type(found), found.code, found.charged) == (InputRefused, "http_422", False)
    assert "input.size" in found.detail


async def test_handle_and_stages(sim: Simulators, engine: ReplicateEngine) -> None:
    """The handle is Replicate's own URLs; the prediction starts, is processed, and is done."""
    call, taken = await submit(engine, a_job("a slow harbour [[sleep:0.4]]"))
    base = f"{sim.base_url('replicate')}/v1/predictions/{taken.remote_id}"
    expected = {"id": taken.remote_id, "get_url": base, "cancel_url": f"{base}/cancel", "official": "yes"}
    assert taken.handle == expected
    seen = []
    while isinstance(stage := await engine.look(call, taken.handle), Working):
        seen.append(stage)
        await asyncio.sleep(0.02)
    assert list(dict.fromkeys(seen)) == [Working("queued"), Working("generating")]
    assert (await finish(engine, call, taken)).request_id == taken.remote_id


@pytest.mark.parametrize(
    ("code", "error", "told", "free"),
    [
        ("E005", ContentRefused, "E005", True),
        ("NSFW", ContentRefused, "failed", True),
        ("content_policy", ContentRefused, "failed", True),
        ("input", InputRefused, "input_validation", True),
        ("E6716", Unavailable, "E6716", True),
        ("anything", Unavailable, "failed", True),
        ("canceled", Unavailable, "canceled", False),
        ("aborted", Unavailable, "aborted", True),
    ],
)
async def test_prediction_that_fails(
    sim: Simulators, engine: ReplicateEngine, code: str, error: type[EngineError], told: str, free: bool
) -> None:
    """An official model's failures are free, but not a run that was stopped; a version's were paid by the second."""
    found = await failure_of(engine, a_job(f"a harbour [[fail:{code}]]"))
    assert (type(found), found.code, found.charged) == (error, told, not free)
    job = a_job(f"a harbour [[fail:{code}]]", remote_model=f"{V4}:{MODELS[V4].version}")
    assert (await failure_of(engine, job)).charged == (code != "aborted")


@pytest.mark.parametrize(
    ("switch", "error"),
    [
        ("[[fail:402]]", BalanceExhausted),
        ("[[http:400]]", InputRefused),
        ("[[http:401]]", Misconfigured),
        ("[[http:402]]", BalanceExhausted),
        ("[[http:403]]", Misconfigured),
        ("[[http:404]]", Misconfigured),
        ("[[http:409]]", Unavailable),
        ("[[http:422]]", InputRefused),
        ("[[http:429]]", EngineRateLimited),
        ("[[http:500]]", Unavailable),
        ("[[http:503]]", Unavailable),
    ],
)
async def test_create_that_replicate_refuses(
    sim: Simulators, engine: ReplicateEngine, switch: str, error: type[EngineError]
) -> None:
    """A refusal in Replicate's own shape is not billed."""
    found = await failure_of(engine, a_job(f"a harbour {switch}"))
    assert type(found) is error
    assert not found.charged
    assert not sim.desk.charges("replicate")


async def test_wrong_key_and_model(sim: Simulators, engine: ReplicateEngine) -> None:
    """A wrong key or model is the operator's trouble."""
    async with opened(sim.base_url("replicate"), api_key="wrong") as other:
        assert isinstance(await failure_of(other, a_job()), Misconfigured)
    assert isinstance(await failure_of(engine, a_job(remote_model="bytedance/nothing")), Misconfigured)


async def test_retry_after(engine: ReplicateEngine, proxy: WebhookReceiver) -> None:
    """How long Replicate wants to be left alone stands in a header or in the text."""
    assert (await failure_of(engine, a_job("a harbour [[http:429]] [[retry-after:3]]"))).retry_after == 3.0
    assert (await failure_of(engine, a_job("a harbour [[http:429]]"))).retry_after == 10.0
    proxy.answer = lambda _: says(429, {"detail": "Your rate limit resets in 30s.", "status": 429})
    async with opened(proxy.origin) as other:
        assert (await failure_of(other, a_job())).retry_after == 30.0
        proxy.answer = lambda _: says(429, {"detail": "Slow down."})
        assert (await failure_of(other, a_job())).retry_after is None


@pytest.mark.parametrize(
    ("switch", "error", "charges"),
    [("[[refuse]]", OutcomeUnknown, 0), ("[[drop]]", OutcomeUnknown, 1), ("[[cut]]", OutcomeUnknown, 1)],
)
async def test_lost_answers(
    sim: Simulators, engine: ReplicateEngine, switch: str, error: type[EngineError], charges: int
) -> None:
    """A request that left and got no answer may have been billed, whatever Replicate did."""
    found = await failure_of(engine, a_job(f"a harbour {switch}"))
    assert type(found) is error
    assert found.charged
    assert sum(sim.desk.charges("replicate").values()) == charges


async def test_nobody_there() -> None:
    """A provider that cannot be reached was surely not paid."""
    async with opened("http://127.0.0.1:9") as engine:
        found = await failure_of(engine, a_job())
    assert (type(found), found.charged) == (Unavailable, False)


async def test_partial(sim: Simulators, engine: ReplicateEngine) -> None:
    """Of three predictions the second fails, alone."""
    job = a_job("three harbours [[partial:2]]", count=3)
    ended = []
    for images in engine.plan(job, range(3)):
        call = Call(images)
        taken = await engine.send(job, call, lambda fraction, stage: None)
        try:
            ended.append([image.index for image in (await finish(engine, call, taken)).images])
        except Unavailable:
            ended.append([])
    assert ended == [[0], [], [2]]
    assert sum(sim.desk.charges("replicate").values()) == 2


async def test_cancel(sim: Simulators, engine: ReplicateEngine) -> None:
    """A prediction is stopped, and free where it had not started; one that is done, or unknown, is not stopped."""
    call, taken = await submit(engine, a_job("a slow harbour [[sleep:30]]"))
    assert await engine.cancel(taken.handle)
    with pytest.raises(Unavailable) as stopped:
        await engine.look(call, taken.handle)
    assert not stopped.value.charged
    assert not sim.desk.charges("replicate")
    call, taken = await submit(engine, a_job("a harbour [[sleep:1]]"))
    await asyncio.sleep(0.4)
    assert await engine.cancel(taken.handle)
    with pytest.raises(Unavailable) as stopped:
        await engine.look(call, taken.handle)
    assert stopped.value.charged
    call, taken = await submit(engine, a_job())
    await finish(engine, call, taken)
    assert not await engine.cancel(taken.handle)
    assert not await engine.cancel({**taken.handle, "cancel_url": f"{taken.handle['get_url']}0/cancel"})


async def test_files_die(sim: Simulators, engine: ReplicateEngine) -> None:
    """After an hour files and output are gone; what is then looked at was paid for nothing."""
    call, taken = await submit(engine, a_job())
    done = await finish(engine, call, taken)
    async with httpx.AsyncClient() as client:
        url = str(done.images[0].url)
        assert (await client.get(url)).status_code == 200
        sim.desk.link_seconds = 0.0
        try:
            with pytest.raises(Broken) as gone:
                await engine.look(call, taken.handle)
        finally:
            sim.desk.link_seconds = 3600.0
    assert gone.value.charged


# What is not Replicate's own: a proxy in between, or an address that Replicate has no business with.


def says(status: int, body: object, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers, data)


HTML = b"<html><h1>Bad Gateway</h1><p>nginx</p></html>"


@pytest.mark.parametrize(
    ("answer", "error", "charged"),
    [
        (says(502, HTML), OutcomeUnknown, True),
        (says(504, b""), OutcomeUnknown, True),
        (says(500, {"message": "not Replicate's shape"}), OutcomeUnknown, True),
        (says(302, b"", Location="https://elsewhere.example"), OutcomeUnknown, True),
        (says(403, HTML), Misconfigured, False),
        (says(413, HTML), InputRefused, False),
        (says(429, HTML), EngineRateLimited, False),
        (says(201, HTML), Broken, True),
        (says(202, {"status": "starting"}), Broken, True),
        (says(201, ["id"]), Broken, True),
        (says(503, {"title": "Down", "status": 503}), Unavailable, False),
    ],
)
async def test_create_answers(
    proxy: WebhookReceiver, answer: Answer, error: type[EngineError], charged: bool
) -> None:
    """Who answered decides whether money may have been spent."""
    proxy.answer = lambda _: answer
    async with opened(proxy.origin) as engine:
        found = await failure_of(engine, a_job())
    assert (type(found), found.charged) == (error, charged)


@pytest.mark.parametrize(
    ("answer", "error", "charged"),
    [
        (says(502, HTML), AskAgain, False),
        (says(200, HTML), AskAgain, False),
        (says(200, {"status": None}), AskAgain, False),
        (says(404, {"detail": "Not found"}), AskAgain, False),
        (says(401, {"title": "Unauthenticated"}), AskAgain, False),
        (says(401, HTML), AskAgain, False),
        (says(429, HTML), AskAgain, False),
        (says(200, {"status": "succeeded"}), Broken, True),
        (says(200, {"status": "succeeded", "output": []}), Broken, True),
        (says(200, {"status": "succeeded", "output": [None]}), Broken, True),
        (says(200, {"status": "succeeded", "output": {"url": "x"}}), Broken, True),
        (says(200, {"status": "failed"}), Unavailable, False),
        (says(200, {"status": "failed", "error": {"odd": 1}}), Unavailable, False),
    ],
)
async def test_look_answers(proxy: WebhookReceiver, answer: Answer, error: type[EngineError], charged: bool) -> None:
    """Only Replicate's own word ends a prediction; anything else is asked again."""
    proxy.answer = lambda _: answer
    async with opened(proxy.origin) as engine:
        with pytest.raises(EngineError) as caught:
            await engine.look(Call((0,)), {"id": "1", "get_url": proxy.url, "official": "yes"})
    assert (type(caught.value), caught.value.charged) == (error, charged)


@pytest.mark.parametrize("output", ["https://replicate.delivery/a.png", ["https://replicate.delivery/a.png", "b"]])
async def test_outputs(proxy: WebhookReceiver, output: object) -> None:
    """Output is a URL or a list of them; one image was bought."""
    proxy.answer = lambda _: says(200, {"status": "succeeded", "output": output})
    async with opened(proxy.origin) as engine:
        done = await engine.look(Call((4,)), {"id": "1", "get_url": proxy.url})
    assert isinstance(done, Done)
    assert [(image.index, image.url) for image in done.images] == [(4, "https://replicate.delivery/a.png")]


async def test_foreign_urls_are_not_trusted(proxy: WebhookReceiver) -> None:
    """URLs that lead away from Replicate would carry the key there: the engine makes its own."""
    urls = {"get": "https://evil.example/1", "cancel": f"{proxy.origin}/as/given/cancel"}
    proxy.answer = lambda _: says(201, {"id": "a/b", "urls": urls})
    async with opened(f"{proxy.origin}/base") as engine:
        _, accepted = await submit(engine, a_job())
        proxy.answer = lambda _: says(201, {"id": "c", "urls": "none"})
        _, bare = await submit(engine, a_job())
        with pytest.raises(AskAgain):
            await engine.look(Call((0,)), {**accepted.handle, "get_url": "https://evil.example/1"})
    assert accepted.handle["get_url"] == f"{proxy.origin}/base/v1/predictions/a%2Fb"
    assert accepted.handle["cancel_url"] == f"{proxy.origin}/as/given/cancel"
    assert bare.handle["cancel_url"] == f"{proxy.origin}/base/v1/predictions/c/cancel"
    assert KEY not in json.dumps(accepted.handle)


async def test_what_a_create_carries(proxy: WebhookReceiver) -> None:
    """The key as a bearer, where to call back, and no wish to wait."""
    proxy.answer = lambda _: says(201, {"id": "1"})
    async with opened(proxy.origin) as engine:
        await submit(engine, a_job(), callback_url="https://here.example/hook?a=1")
    letter = proxy.letters[0]
    assert letter.path == f"/v1/models/{V4}/predictions"
    assert letter.headers["authorization"] == f"Bearer {KEY}"
    assert "prefer" not in letter.headers
    body = json.loads(letter.body)
    assert (body["webhook"], body["webhook_events_filter"]) == ("https://here.example/hook?a=1", ["completed"])


# Callbacks


async def called_back(engine: ReplicateEngine, prompt: str, count: int = 1) -> tuple[str, list[Any]]:
    async with WebhookReceiver() as receiver:
        _, taken = await submit(engine, a_job(prompt), callback_url=receiver.url)
        return taken.remote_id, await receiver.wait_for(count)


async def test_true_callback(sim: Simulators, engine: ReplicateEngine) -> None:
    """A signed webhook names its prediction."""
    prediction_id, letters = await called_back(engine, "a harbour [[twice]]", 2)
    for letter in letters:
        assert await engine.verify(letter.headers, letter.body, time.time()) == prediction_id
    assert [letter.json()["status"] for letter in letters] == ["succeeded"] * 2
    prediction_id, (letter,) = await called_back(engine, "a harbour [[fail:E005]]")
    assert await engine.verify(letter.headers, letter.body, time.time()) == prediction_id


async def test_false_callbacks(sim: Simulators, engine: ReplicateEngine) -> None:
    """Another secret, another body, another time or half of the headers: nobody is believed."""
    _, (forged,) = await called_back(engine, "a harbour [[forged]]")
    now = time.time()
    assert await engine.verify(forged.headers, forged.body, now) is None
    prediction_id, (true,) = await called_back(engine, "a harbour")
    assert await engine.verify(true.headers, true.body, now) == prediction_id
    several = {**true.headers, "webhook-signature": f"v1,zzzz {true.headers['webhook-signature']} v2,ü"}
    assert await engine.verify(several, true.body, now) == prediction_id
    assert await engine.verify(true.headers, true.body + b" ", now) is None
    assert await engine.verify(true.headers, true.body, now + 302) is None
    assert await engine.verify(true.headers, true.body, now - 302) is None
    for name in ("id", "timestamp", "signature"):
        for value in ("", "1", "zz", "٣"):
            assert await engine.verify({**true.headers, f"webhook-{name}": value}, true.body, now) is None
    assert await engine.verify({}, b"", now) is None


async def test_secret_is_fetched_once(sim: Simulators, engine: ReplicateEngine, proxy: WebhookReceiver) -> None:
    """One look-up of the secret; one that failed is repeated at most once a minute."""
    prediction_id, (true,) = await called_back(engine, "a harbour")
    secret = (await engine._door.ask("GET", "/v1/webhooks/default/secret")).body
    stamp = int(true.headers["webhook-timestamp"])
    bad = [Answer(503), says(200, []), says(200, {"key": "whsec_%"}), says(200, {"key": ""})]
    async with opened(proxy.origin) as other:
        for number, answer in enumerate(bad):
            proxy.answer = lambda _, answer=answer: answer  # type: ignore[misc]
            for _ in range(2):
                assert await other.verify(true.headers, true.body, stamp - 290 + 61 * number) is None
        assert len(proxy.letters) == len(bad)
        proxy.answer = lambda _: Answer(200, {}, secret)
        for _ in range(3):
            assert await other.verify(true.headers, true.body, stamp) == prediction_id
        assert len(proxy.letters) == len(bad) + 1
