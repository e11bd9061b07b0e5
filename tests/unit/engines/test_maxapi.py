"""The engine `maxapi` against its simulator, and against servers that answer what no simulator would."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest
from aiohttp import web

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
from aquatint.engines.maxapi import build
from aquatint.engines.remote import Accepted, AskAgain, Call, Done, RemoteEngine, RemoteSpec, Working
from aquatint.testing.receiver import WebhookReceiver
from aquatint.testing.simulators.app import Simulators
from aquatint.testing.simulators.maxapi import FAILS, WEBHOOK_SECRET
from aquatint.testing.simulators.painter import PlainPainter
from aquatint.webhooks.signature import Signer
from support.pictures import opened, picture
from support.ports import free_port
from support.server import KEY as SERVER_KEY
from support.server import Server

KEY = "sim-key"
PROMPT = "a quiet harbour at dawn"


def section(base_url: str, **more: object) -> dict[str, object]:
    """The engine's settings."""
    return {
        "api_key": KEY,
        "base_url": base_url,
        "connect_timeout": 2.0,
        "call_timeout": 5.0,
        "in_flight": 500,
        "requests_per_minute": 0,
        "images_per_minute": 0,
        "polls_per_second": 100,
        "callbacks": False,
        "webhook_secret": "",
        "idempotent": False,
        **more,
    }


def built(settings: Mapping[str, object]) -> RemoteEngine | None:
    return build(EngineContext(sandbox=None, settings=settings, concurrency=4))  # type: ignore[arg-type]


def job(prompt: str = PROMPT, **more: Any) -> GenerationJob:
    fields: dict[str, Any] = {
        "model": "seedream-4.5",
        "remote_model": "",
        "mode": "image_to_image" if more.get("references") else "text_to_image",
        "prompt": prompt,
        "references": (),
        "width": 1280,
        "height": 720,
        "ratio": "16:9",
        "resolution": "1k",
        "count": 1,
        "seed": None,
        "time_left": 60.0,
    }
    return GenerationJob(**{**fields, **more})


def call(*images: int, key: str = "", callback_url: str | None = None) -> Call:
    return Call(images or (0,), key, callback_url)


def quiet(fraction: float, stage: str) -> None:
    pass


class Engines:
    """Builds engines, opens them, and closes them at the end of the test."""

    def __init__(self) -> None:
        self._opened: list[RemoteEngine] = []

    async def __call__(self, base_url: str, **settings: object) -> RemoteEngine:
        engine = built(section(base_url, **settings))
        assert engine is not None
        await engine.open()
        self._opened.append(engine)
        return engine

    async def close(self) -> None:
        for engine in self._opened:
            await engine.close()


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    made = Engines()
    yield made
    await made.close()


@pytest.fixture
async def sim() -> AsyncIterator[Simulators]:
    async with Simulators(PlainPainter()) as simulators:
        yield simulators


@pytest.fixture
async def engine(sim: Simulators, engines: Engines) -> RemoteEngine:
    return await engines(sim.base_url("maxapi"))


async def accepted(engine: RemoteEngine, wanted: GenerationJob, bought: Call) -> Accepted:
    taken = await engine.send(wanted, bought, quiet)
    assert isinstance(taken, Accepted)
    return taken


async def finished(engine: RemoteEngine, bought: Call, handle: Mapping[str, str]) -> Done:
    """Ask until the task has ended."""
    async with asyncio.timeout(10):
        while isinstance(seen := await engine.look(bought, handle), Working):
            await asyncio.sleep(0.01)
        return seen


async def run(engine: RemoteEngine, wanted: GenerationJob, bought: Call | None = None) -> Done:
    bought = bought or call()
    return await finished(engine, bought, (await accepted(engine, wanted, bought)).handle)


async def fetched(url: str | None) -> bytes:
    assert url is not None
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(url)
    assert response.status_code == 200
    return response.content


def reference(width: int = 320, height: int = 200) -> ReferenceImage:
    return ReferenceImage(picture(width, height), "image/png", width, height)


def spec_of(base_url: str, **settings: object) -> RemoteSpec:
    engine = built(section(base_url, **settings))
    assert engine is not None
    return engine.spec


# --- what it is -----------------------------------------------------------------------------------------------------


def test_without_a_key_there_is_no_engine() -> None:
    """An empty key leaves the engine out."""
    assert built(section("http://127.0.0.1:1", api_key="")) is None


def test_the_spec_says_what_the_settings_say() -> None:
    """Limits, origin, resending and callbacks; the account does not show the key."""
    spec = spec_of("https://images.example.com/api/", idempotent=True, callbacks=True, webhook_secret=WEBHOOK_SECRET)
    assert (spec.name, spec.local, spec.exact_size, spec.concurrency) == ("maxapi", False, True, 500)
    assert spec.resend_safe
    assert spec.calls_back
    assert spec.trusted_origins == ("https://images.example.com:443",)
    assert spec.call_seconds == 5.0
    assert spec.limits.polls_per_second == 100
    assert KEY not in repr(spec)
    plain = spec_of("https://images.example.com", callbacks=True, in_flight=0)
    assert not plain.resend_safe
    assert not plain.calls_back  # nobody could tell a true callback from a false one
    assert plain.concurrency == 64


@pytest.mark.parametrize("secret", ["whsec_???", "whsec_YWJj", "no base64", "whsec_é"])
def test_a_secret_that_cannot_be_read_is_a_mistake_in_the_settings(secret: str) -> None:
    """It is named at start, without its value."""
    with pytest.raises(ConfigurationError) as caught:
        built(section("http://127.0.0.1:1", webhook_secret=secret))
    (problem,) = caught.value.problems
    assert problem.startswith("maxapi.webhook_secret: ")
    assert secret not in problem


async def test_one_call_buys_all_images(engine: RemoteEngine) -> None:
    """`n` is part of the API, so that nothing needs to be split; but with a seed, only neighbours go together."""
    assert engine.plan(job(count=4), [0, 1, 2, 3]) == [(0, 1, 2, 3)]
    assert engine.plan(job(count=4), [1, 3]) == [(1, 3)]
    assert engine.plan(job(), []) == []
    assert engine.plan(job(count=4, seed=0), [0, 1, 2, 3]) == [(0, 1, 2, 3)]
    assert engine.plan(job(count=9, seed=7), [1, 2, 4, 7, 8]) == [(1, 2), (4,), (7, 8)]
    assert engine.plan(job(seed=7), []) == []


# --- what goes out --------------------------------------------------------------------------------------------------


async def test_text_to_image(engine: RemoteEngine, sim: Simulators) -> None:
    """The body holds what was asked and nothing else; the picture has the size of the table."""
    done = await run(engine, job())
    (seen,) = sim.desk.calls
    assert seen.body == {
        "model": "seedream-4.5",
        "input": {"prompt": PROMPT, "ratio": "16:9", "resolution": "1k", "n": 1},
    }
    (image,) = done.images
    assert (image.index, image.data) == (0, None)
    assert opened(await fetched(image.url)).size == (1280, 720)
    assert done.refusals == ()
    assert sim.desk.charges() == {PROMPT: 1}


async def test_every_field(engine: RemoteEngine, sim: Simulators) -> None:
    """Remote model, seed, output format and callback go along when there are any."""
    bought = call(2, 3, callback_url="https://us.example.com/hook?x=1")
    wanted = job(remote_model="seedream-5-lite", seed=7, options={"output_format": "jpeg", "style": "x"}, count=6)
    done = await run(engine, wanted, bought)
    (seen,) = sim.desk.calls
    assert seen.body == {
        "model": "seedream-5-lite",
        "input": {
            "prompt": PROMPT,
            "ratio": "16:9",
            "resolution": "1k",
            "n": 2,
            "seed": 9,
            "output_format": "jpeg",
        },
        "callBackUrl": "https://us.example.com/hook?x=1",
    }
    assert [(image.index, image.seed) for image in done.images] == [(2, 9), (3, 10)]
    for image in done.images:
        assert opened(await fetched(image.url)).format == "JPEG"


async def test_fields_that_a_route_omits(engine: RemoteEngine, sim: Simulators) -> None:
    """The catalog can say that a model of the other server refuses a field."""
    await accepted(engine, job(seed=0, route={"omit": ["ratio", "resolution"]}), call())
    await accepted(engine, job("b", route={"omit": "ratio"}), call())
    assert [set(seen.body["input"]) for seen in sim.desk.calls] == [
        {"prompt", "n", "seed"},
        {"prompt", "n", "ratio", "resolution"},
    ]


async def test_image_to_image(engine: RemoteEngine, sim: Simulators) -> None:
    """References go as data URLs; a ratio that the caller left out is left out here, too."""
    references = (reference(320, 200), reference(64, 64))
    done = await run(engine, job(references=references, ratio=None, resolution="2k"))
    (seen,) = sim.desk.calls
    assert set(seen.body["input"]) == {"prompt", "imageUrls", "resolution", "n"}
    head, _, rest = seen.body["input"]["imageUrls"][1].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(rest) == references[1].data
    # 320 x 200 is nearest to 3:2.
    assert opened(await fetched(done.images[0].url)).size == (2496, 1664)


async def test_the_idempotency_key(sim: Simulators, engines: Engines) -> None:
    """It goes along only where the operator says that the server knows it; then a repeated call is billed once."""
    base = sim.base_url("maxapi")
    plain = await engines(base)
    first = await accepted(plain, job("plain"), call(key="k1"))
    second = await accepted(plain, job("plain"), call(key="k1"))
    assert first.remote_id != second.remote_id
    keyed = await engines(base, idempotent=True)
    with pytest.raises(OutcomeUnknown):
        await keyed.send(job("keyed [[drop]]"), call(key="k2"), quiet)
    found = await accepted(keyed, job("keyed [[drop]]"), call(key="k2"))
    assert await accepted(keyed, job("keyed [[drop]]"), call(key="k2")) == found
    assert len((await finished(keyed, call(), found.handle)).images) == 1
    assert sim.desk.charges() == {"plain": 2, "keyed [[drop]]": 1}
    with pytest.raises(Broken) as caught:
        await keyed.send(job("another"), call(key="k2"), quiet)
    # The key is taken, so an earlier sending of this call was.
    assert (caught.value.charged, caught.value.code) == (True, "409")


# --- how a task goes ------------------------------------------------------------------------------------------------


async def test_the_way_of_a_task(engine: RemoteEngine) -> None:
    """Stage and progress are the server's; the handle is plain texts without the key."""
    taken = await accepted(engine, job("slow [[sleep:0.6]]"), call())
    assert taken.handle == {"task_id": taken.remote_id}
    seen = []
    async with asyncio.timeout(10):
        while isinstance(now := await engine.look(call(), taken.handle), Working):
            seen.append(now)
            await asyncio.sleep(0.02)
    assert list(dict.fromkeys(working.stage for working in seen)) == ["pending", "processing", "submitted"]
    progress = [working.progress for working in seen if working.progress is not None]
    assert len(progress) == len(seen)
    assert progress == sorted(progress)
    assert 0 < progress[-1] < 1
    assert await engine.look(call(), taken.handle) == now  # ended tasks stay


@pytest.mark.parametrize(
    ("fail", "kind", "code"),
    [
        ("CONTENT_MODERATION", ContentRefused, "CONTENT_MODERATION"),
        ("INVALID_PARAMETERS", InputRefused, "INVALID_PARAMETERS"),
        ("INSUFFICIENT_POINTS", BalanceExhausted, "INSUFFICIENT_POINTS"),
        ("null", Unavailable, "FAILURE"),
        ("FAILED", Unavailable, "FAILED"),
        ("TIMEOUT", Unavailable, "TIMEOUT"),
        ("CANCELLED", Unavailable, "CANCELLED"),
    ],
)
async def test_tasks_that_fail(
    engine: RemoteEngine, sim: Simulators, fail: str, kind: type[EngineError], code: str
) -> None:
    """Each reason is one of our errors; this API does not bill such tasks."""
    assert fail in FAILS
    with pytest.raises(kind) as caught:
        await run(engine, job(f"no [[fail:{fail}]]"))
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.charged) == (code, False)
    assert "simulator" in caught.value.detail
    assert "simulator" not in caught.value.message
    assert sim.desk.charges() == {}


async def test_fewer_images_than_asked(engine: RemoteEngine, sim: Simulators) -> None:
    """Those that are there come in order, and each missing one is an error of its own."""
    done = await run(engine, job("p [[partial:1,3]]", count=4), call(0, 1, 2, 3))
    assert [image.index for image in done.images] == [0, 1]
    assert [type(refusal) for refusal in done.refusals] == [Unavailable, Unavailable]
    assert "2 of 4" in done.refusals[0].detail
    assert sim.desk.charges() == {"p [[partial:1,3]]": 2}
    with pytest.raises(Unavailable):
        await run(engine, job("p [[partial:1]]"))


async def test_cancelling(engine: RemoteEngine, sim: Simulators) -> None:
    """A running task stops and is not billed; one that has ended, or that nobody knows, is not stopped."""
    taken = await accepted(engine, job("long [[sleep:30]]"), call())
    assert await engine.cancel(taken.handle)
    assert await engine.cancel(taken.handle)
    with pytest.raises(Unavailable):
        await engine.look(call(), taken.handle)
    assert sim.desk.charges() == {}
    short = await accepted(engine, job("short"), call())
    await finished(engine, call(), short.handle)
    assert not await engine.cancel(short.handle)
    assert not await engine.cancel({"task_id": "nobody/../knows?"})


async def test_a_task_that_the_server_does_not_know(engine: RemoteEngine) -> None:
    """It may learn of it in a moment: ask again."""
    with pytest.raises(AskAgain) as caught:
        await engine.look(call(), {"task_id": "00000000-0000-4000-8000-000000000000"})
    assert "404" in caught.value.detail


# --- refusals of a submit -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InputRefused),
        (401, Misconfigured),
        (402, BalanceExhausted),
        (403, Misconfigured),
        (404, Misconfigured),
        (408, Unavailable),
        (409, Broken),
        (413, InputRefused),
        (418, Broken),
        (422, InputRefused),
        (429, EngineRateLimited),
        (500, Unavailable),
        (502, Unavailable),
        (503, Unavailable),
    ],
)
async def test_refusals_by_status(
    engine: RemoteEngine, sim: Simulators, status: int, kind: type[EngineError]
) -> None:
    """In the API's own shape, none of them was billed."""
    with pytest.raises(kind) as caught:
        await engine.send(job(f"x [[http:{status}]] [[retry-after:7]]"), call(), quiet)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.charged) == (str(status), False)
    waits = kind in (EngineRateLimited, Unavailable)
    assert caught.value.retry_after == (7.0 if waits else None)
    assert sim.desk.charges() == {}


async def test_moderation_at_the_door(engine: RemoteEngine, sim: Simulators) -> None:
    """A 400 with the fixed text is about the content; the categories are for the operator."""
    with pytest.raises(ContentRefused) as caught:
        await engine.send(job("x [[fail:moderation]]"), call(), quiet)
    assert "(violence)" in caught.value.detail
    assert "violence" not in caught.value.message
    assert sim.desk.charges() == {}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"remote_model": "seedream-9"}, "seedream-9"),
        ({"ratio": "5:1"}, "input.ratio"),
        ({"resolution": "16k"}, "input.resolution"),
        ({"options": {"output_format": "tiff"}}, "input.output_format"),
        ({"seed": -1}, "input.seed"),
        ({"prompt": "x [[nonsense]]"}, "input.prompt"),
        ({"prompt": "x [[fail:WHAT]]"}, "input.prompt"),
    ],
)
async def test_inputs_that_the_server_refuses(
    engine: RemoteEngine, sim: Simulators, more: dict[str, Any], words: str
) -> None:
    """The path of the mistake is in the detail."""
    with pytest.raises(InputRefused) as caught:
        await engine.send(job(**more), call(), quiet)
    assert words in caught.value.detail
    assert sim.desk.charges() == {}


async def test_a_wrong_key(sim: Simulators, engines: Engines) -> None:
    """The operator must act; a task that was taken before stays bought."""
    right = await engines(sim.base_url("maxapi"))
    taken = await accepted(right, job(), call())
    wrong = await engines(sim.base_url("maxapi"), api_key="another-key")
    with pytest.raises(Misconfigured) as caught:
        await wrong.send(job(), call(), quiet)
    assert not caught.value.charged
    with pytest.raises(Misconfigured) as caught:
        await wrong.look(call(), taken.handle)
    assert caught.value.charged
    assert not await wrong.cancel(taken.handle)
    assert wrong.spec.account != right.spec.account


# --- money, when the network breaks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("switch", "billed"), [("drop", 1), ("cut", 1), ("refuse", 0)])
async def test_answers_that_are_lost(engine: RemoteEngine, sim: Simulators, switch: str, billed: int) -> None:
    """Nobody can tell these apart from here, so none of them is ever sent again."""
    with pytest.raises(OutcomeUnknown) as caught:
        await engine.send(job(f"x [[{switch}]]"), call(), quiet)
    assert caught.value.charged
    assert not caught.value.retryable
    await asyncio.sleep(0.2)
    assert sum(sim.desk.charges().values()) == billed


async def test_a_server_that_is_not_there(engines: Engines) -> None:
    """Nothing left this machine, so nothing was billed."""
    engine = await engines(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable) as caught:
        await engine.send(job(), call(), quiet)
    assert not caught.value.charged
    with pytest.raises(Unavailable):
        await engine.look(call(), {"task_id": "x"})
    with pytest.raises(Unavailable):
        await engine.cancel({"task_id": "x"})


async def test_a_server_that_is_too_slow(engines: Engines) -> None:
    """It has the request; what it makes of it is unknown."""

    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(10)
        return web.Response()

    async with Fake(slow) as fake:
        engine = await engines(fake.origin, call_timeout=0.2)
        with pytest.raises(OutcomeUnknown):
            await engine.send(job(), call(), quiet)


# --- servers that answer something else -----------------------------------------------------------------------------

Handle = Callable[[web.Request], Any]


class Fake:
    """A server on a free port that answers everything by one function."""

    def __init__(self, handle: Handle) -> None:
        self._runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
        self.origin = ""

    async def __aenter__(self) -> Fake:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


def saying(body: object, status: int = 200, **headers: str) -> Handle:
    text = body if isinstance(body, str) else json.dumps(body)

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=text, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handle


HTML = f"<html><h1>502 Bad Gateway</h1>{KEY}</html>"


@pytest.mark.parametrize(
    ("answer", "status", "kind", "charged"),
    [
        (HTML, 502, OutcomeUnknown, True),
        ("", 504, OutcomeUnknown, True),
        ({"message": "upstream timed out"}, 504, OutcomeUnknown, True),
        ({"code": "502", "msg": "no number"}, 502, OutcomeUnknown, True),
        ({"code": True, "msg": "no number"}, 500, OutcomeUnknown, True),
        ([1], 500, OutcomeUnknown, True),
        ({"code": 503, "msg": "the store is full"}, 503, Unavailable, False),
        (HTML, 200, Broken, True),
        ("", 200, Broken, True),
        ("[]", 200, Broken, True),
        ({"data": {"taskId": "x"}}, 200, Broken, True),
        ({"code": 0, "msg": "ok"}, 200, Broken, True),
        ({"code": 0, "msg": "ok", "data": {"taskId": ""}}, 200, Broken, True),
        ({"code": 0, "msg": "ok", "data": {"taskId": 7}}, 200, Broken, True),
        ({"code": 400, "msg": "input.prompt: is required"}, 200, InputRefused, False),
        ({"code": 400, "msg": "Content rejected by moderation"}, 200, ContentRefused, False),
        ({"code": 401, "msg": "unauthorized"}, 200, Misconfigured, False),
        ({"code": 402, "msg": "top up"}, 200, BalanceExhausted, False),
        ({"code": 429, "msg": "slow"}, 200, EngineRateLimited, False),
        ({"code": 500, "msg": "oops"}, 200, Unavailable, False),
        ({"code": 10001, "msg": "a code of its own"}, 200, Broken, False),
        ({"code": 200, "msg": "another dialect", "data": {"taskId": "x"}}, 200, Broken, True),
        (HTML, 400, InputRefused, False),
        ("", 401, Misconfigured, False),
        (HTML, 403, Misconfigured, False),
        (HTML, 404, Misconfigured, False),
        ("", 405, Misconfigured, False),
        (HTML, 413, InputRefused, False),
        (HTML, 429, EngineRateLimited, False),
        ("", 301, Misconfigured, False),
        ("", 307, Misconfigured, False),
    ],
)
async def test_other_answers_to_a_submit(
    engines: Engines, answer: object, status: int, kind: type[EngineError], charged: bool
) -> None:
    """What is not in the API's shape may come from a proxy; only then is the outcome unknown."""
    async with Fake(saying(answer, status, Location="http://127.0.0.1:1/")) as fake:
        engine = await engines(fake.origin)
        with pytest.raises(kind) as caught:
            await engine.send(job(), call(), quiet)
    assert type(caught.value) is kind
    assert caught.value.charged is charged
    for text in (caught.value.message, caught.value.detail, caught.value.code, str(caught.value)):
        assert KEY not in text
    assert len(caught.value.detail) <= 500


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (HTML, 502, AskAgain),
        (HTML, 200, AskAgain),
        ("", 200, AskAgain),
        ({"code": 0, "msg": "ok", "data": None}, 200, AskAgain),
        ({"code": 404, "msg": "task not found"}, 200, AskAgain),
        ({"code": 429, "msg": "slow"}, 200, AskAgain),
        ("", 429, AskAgain),
        ("", 400, AskAgain),
        ("", 302, AskAgain),
        ({"code": 401, "msg": f"unauthorized {KEY}"}, 401, Misconfigured),
    ],
)
async def test_other_answers_to_a_query(
    engines: Engines, answer: object, status: int, kind: type[EngineError]
) -> None:
    """A query costs nothing, so that nearly everything is worth another one."""
    async with Fake(saying(answer, status, Retry_After="3")) as fake:
        engine = await engines(fake.origin)
        with pytest.raises(kind) as caught:
            await engine.look(call(), {"task_id": "x"})
        assert not await engine.cancel({"task_id": "x"})
    assert type(caught.value) is kind
    assert KEY not in caught.value.detail + caught.value.message
    if kind is not Misconfigured:
        assert caught.value.retryable
        assert caught.value.retry_after == 3.0


def task(**fields: object) -> dict[str, object]:
    return {"code": 0, "msg": "ok", "data": {"taskId": "x", "status": "SUCCESS", **fields}}


@pytest.mark.parametrize(
    "fields",
    [
        {"result": None},
        {"result": {"type": "image", "urls": []}},
        {"result": {"type": "image", "urls": None}},
        {"result": {"type": "image", "urls": ["", None, 7]}},
        {"result": "x"},
        {},
    ],
)
async def test_a_success_without_pictures(engines: Engines, fields: dict[str, object]) -> None:
    """It was billed and there is nothing: that makes no sense, and is not bought again."""
    async with Fake(saying(task(**fields))) as fake:
        engine = await engines(fake.origin)
        with pytest.raises(Broken) as caught:
            await engine.look(call(), {"task_id": "x"})
    assert caught.value.charged


async def test_a_success_of_the_hosted_server(engines: Engines) -> None:
    """No additive fields, more URLs than asked, holes among them: what can be used is used."""
    urls = ["https://cdn.example.com/1.png", None, "https://cdn.example.com/3.png", "https://cdn.example.com/4.png"]
    async with Fake(saying(task(result={"type": "image", "urls": urls}))) as fake:
        engine = await engines(fake.origin)
        done = await engine.look(call(4, 5, 6), {"task_id": "x"})
    assert isinstance(done, Done)
    assert [(image.index, image.url, image.seed) for image in done.images] == [(4, urls[0], None), (6, urls[2], None)]
    assert len(done.refusals) == 1
    assert done.warnings == ()


async def test_additive_fields_of_an_aquatint(engines: Engines) -> None:
    """Seeds are taken over; that there were warnings is said, their text is not passed on."""
    urls = ["https://a.example.com/1.png", "https://a.example.com/2.png"]
    more = {
        "result": {"type": "image", "urls": urls},
        "images": [{"seed": 5}, {"seed": "x"}],
        "warnings": ["some words of theirs"],
    }
    async with Fake(saying(task(**more))) as fake:
        engine = await engines(fake.origin)
        done = await engine.look(call(0, 1), {"task_id": "x"})
    assert isinstance(done, Done)
    assert [image.seed for image in done.images] == [5, None]
    (warning,) = done.warnings
    assert "(1)" in warning
    assert "theirs" not in warning


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "PENDING"}, Working("pending", None)),
        ({"status": "submitted", "progress": 0.25}, Working("submitted", 0.25)),
        ({"status": "PROCESSING", "progress": 1}, Working("processing", 1.0)),
        ({"status": "PROCESSING", "progress": 75}, Working("processing", None)),
        ({"status": "PROCESSING", "progress": True}, Working("processing", None)),
        ({"status": "PROCESSING", "progress": "0.5"}, Working("processing", None)),
        ({"status": "ARCHIVING"}, Working("", None)),
        ({"status": None}, Working("", None)),
    ],
)
async def test_tasks_that_are_not_done(engines: Engines, fields: dict[str, object], expected: Working) -> None:
    """Progress is believed only as a fraction; a status that nobody knows is no end."""
    async with Fake(saying(task(**fields))) as fake:
        engine = await engines(fake.origin)
        assert await engine.look(call(), {"task_id": "x"}) == expected


async def test_failures_that_are_new(engines: Engines) -> None:
    """A reason of a later version passes, as the API says of null; its name is kept."""
    async with Fake(saying(task(status="FAILURE", failure_reason="NEW_REASON", failure_message=KEY))) as fake:
        engine = await engines(fake.origin)
        with pytest.raises(Unavailable) as caught:
            await engine.look(call(), {"task_id": "x"})
    assert caught.value.code == "NEW_REASON"
    assert KEY not in caught.value.detail


async def test_ids_are_no_paths(engines: Engines) -> None:
    """Whatever a server calls its task, the key goes to the query route alone."""
    paths = []

    async def note(request: web.Request) -> web.Response:
        paths.append(request.raw_path if isinstance(request, web.Request) else str(request.rel_url))
        return web.json_response(task(status="PENDING"))

    async with Fake(note) as fake:
        engine = await engines(fake.origin)
        await engine.look(call(), {"task_id": "../../admin?x=#y/海"})
    (path,) = paths
    assert path.startswith("/api/v1/task/")
    assert path.count("/") == 4


# --- callbacks ------------------------------------------------------------------------------------------------------


async def test_callbacks_of_the_simulator(sim: Simulators, engines: Engines) -> None:
    """A true one names its task; a forged one does not; none, or two, come when asked for."""
    engine = await engines(sim.base_url("maxapi"), callbacks=True, webhook_secret=WEBHOOK_SECRET)
    async with WebhookReceiver() as receiver:
        bought = call(callback_url=receiver.url)
        prompts = ("a", "b [[twice]]", "c [[forged]]", "d [[silent]]", "e [[fail:null]]")
        taken = [await accepted(engine, job(prompt), bought) for prompt in prompts]
        letters = await receiver.wait_for(5)
        await asyncio.sleep(0.2)
        assert len(receiver.letters) == 5
    told = [await engine.verify(letter.headers, letter.body, time.time()) for letter in letters]
    ids = [one.remote_id for one in taken]
    assert sorted(told, key=str) == sorted([ids[0], ids[1], ids[1], None, ids[4]], key=str)


async def test_callbacks_are_believed_only_when_signed(engines: Engines) -> None:
    """Wrong key, wrong body, too old, no signature, no secret: nothing; one of several signatures is enough."""
    engine = await engines("http://127.0.0.1:1", webhook_secret=WEBHOOK_SECRET)
    body, now = b'{"code": 0, "data": {"taskId": "t1"}}', 1_800_000_000.0
    headers = Signer([WEBHOOK_SECRET]).headers("letter", int(now), body)
    assert await engine.verify(headers, body, now + 200) == "t1"
    other = Signer(["whsec_" + base64.b64encode(bytes(32)).decode(), WEBHOOK_SECRET]).headers("m", int(now), body)
    assert await engine.verify(other, body, now) == "t1"
    unsigned = {name: value for name, value in headers.items() if name != "webhook-signature"}
    wrong: list[tuple[dict[str, str], bytes, float]] = [
        (headers, body + b" ", now),
        (headers, body, now + 301),
        (headers, body, now - 301),
        (unsigned, body, now),
        ({}, body, now),
        ({**headers, "webhook-id": "another"}, body, now),
        ({**headers, "webhook-timestamp": "x"}, body, now),
        ({**headers, "webhook-timestamp": "9" * 5000}, body, now),
        ({**headers, "webhook-timestamp": "１８０"}, body, now),
        ({**headers, "webhook-signature": "v1,é v2,x"}, body, now),
    ]
    for given, sent, when in wrong:
        assert await engine.verify(given, sent, when) is None
    for sent in (b"", b"[]", b'{"data": {}}', b'{"data": {"taskId": 7}}', b"\xff", b"null"):
        assert await engine.verify(Signer([WEBHOOK_SECRET]).headers("m", int(now), sent), sent, now) is None
    careless = await engines("http://127.0.0.1:1")
    nothing = base64.b64encode(hmac.digest(b"", b"letter.1800000000." + body, "sha256")).decode()
    assert await careless.verify({**headers, "webhook-signature": f"v1,{nothing}"}, body, now) is None


async def test_an_engine_serves_many_at_once(engine: RemoteEngine, sim: Simulators) -> None:
    """Nothing is shared between calls."""
    prompts = [f"picture {number}" for number in range(20)]
    results = await asyncio.gather(*(run(engine, job(prompt)) for prompt in prompts))
    assert all(len(done.images) == 1 for done in results)
    assert sim.desk.charges() == dict.fromkeys(prompts, 1)


# --- a real Aquatint as the other server ----------------------------------------------------------------------------


async def test_an_aquatint_behind_an_aquatint(null_server: Server, engines: Engines) -> None:
    """What the simulator promises holds for the product: pictures, seeds, replays, refusals and cancelling."""
    engine = await engines(null_server.base_url, api_key=SERVER_KEY, idempotent=True)
    wanted = job("chained", count=2, references=(reference(),), ratio=None, seed=3, options={"output_format": "png"})
    bought = call(0, 1, key="chained-1")
    taken = await accepted(engine, wanted, bought)
    assert (await accepted(engine, wanted, bought)).handle == taken.handle
    done = await finished(engine, bought, taken.handle)
    assert [image.index for image in done.images] == [0, 1]
    assert opened(await fetched(done.images[0].url)).format == "PNG"
    assert not await engine.cancel(taken.handle)
    for more, kind in (({"ratio": "9:1"}, InputRefused), ({"model": "no-such-model"}, InputRefused)):
        with pytest.raises(kind):
            await engine.send(job(**more), call(), quiet)
    stranger = await engines(null_server.base_url, api_key="nobody's key")
    with pytest.raises(Misconfigured):
        await stranger.send(job(), call(), quiet)
