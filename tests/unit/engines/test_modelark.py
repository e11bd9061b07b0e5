"""The modelark engine: what it is, what it plans and refuses, and what it sends."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator

import httpx
import pytest
from ark_support import (
    FLASH,
    KEY,
    LITE,
    PRO,
    SECTION,
    V3,
    V4,
    V45,
    V55,
    Progress,
    answering,
    buy,
    engine_for,
    group_job,
    job,
    one_image,
    picture,
    reference,
)
from PIL import Image

from aquatint.domain.errors import (
    Broken,
    ConfigurationError,
    InputRefused,
    Misconfigured,
)
from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.modelark import ModelArkEngine, build
from aquatint.engines.modelark.models import FAMILIES, UNKNOWN, family_of, remote_id
from aquatint.engines.remote import Call, RemoteEngine
from aquatint.testing.simulators.app import Simulators
from aquatint.testing.simulators.painter import PlainPainter


@pytest.fixture
async def sim() -> AsyncIterator[Simulators]:
    async with Simulators(PlainPainter(), key=KEY) as running:
        yield running


@pytest.fixture
async def engine(sim: Simulators) -> AsyncIterator[ModelArkEngine]:
    made = engine_for(base_url=sim.base_url("modelark"))
    await made.open()
    yield made
    await made.close()


# What is built


def test_without_a_key_there_is_no_engine() -> None:
    """An empty key means that the operator does not use Ark."""
    assert build(EngineContext(sandbox=None, settings={**SECTION, "api_key": ""}, concurrency=1)) is None  # type: ignore[arg-type]


def test_the_spec_says_what_the_house_must_know() -> None:
    """Limits, account and origin, and no key in any of it."""
    engine = engine_for()
    assert isinstance(engine, RemoteEngine)
    spec = engine.spec
    assert (spec.name, spec.local, spec.exact_size, spec.resend_safe, spec.calls_back) == (
        "modelark",
        False,
        True,
        False,
        False,
    )
    assert spec.concurrency == 4
    assert spec.call_seconds == 20.0
    assert spec.trusted_origins == ("https://ark.ap-southeast.bytepluses.com:443",)
    assert spec.references.max_bytes <= 10_000_000
    assert KEY not in repr(spec)
    assert engine_for(in_flight=0).spec.concurrency == 64


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"api_key": "abc\n"}, "api_key"), ({"api_key": "ключ"}, "api_key"), ({"base_url": "ark.example"}, "base_url")],
)
def test_settings_that_cannot_work_are_told_at_the_start(changes: dict[str, object], word: str) -> None:
    """A key that no header can hold, an address without a scheme; the message does not repeat the key."""
    with pytest.raises(ConfigurationError, match=word) as caught:
        engine_for(**changes)
    assert "ключ" not in str(caught.value)


# Model ids and families


@pytest.mark.parametrize(
    ("model", "volcengine"),
    [
        (V4, "doubao-seedream-4-0-250828"),
        (V45, "doubao-seedream-4-5-251128"),
        (PRO, "doubao-seedream-5-0-pro-260628"),
        ("doubao-seedream-5-0-260128", "doubao-seedream-5-0-260128"),
        ("ep-20260101120000-abcde", "ep-20260101120000-abcde"),
        ("something-else", "something-else"),
    ],
)
def test_ids_are_spelled_for_the_brand_behind_the_address(model: str, volcengine: str) -> None:
    """Volcengine wants `doubao-`; BytePlus, and hosts that only look like Volcengine's, get the id as it is."""
    assert remote_id("https://ark.cn-beijing.volces.com/api/v3", model) == volcengine
    assert remote_id("https://ark.ap-southeast.bytepluses.com/api/v3", model) == model
    assert remote_id("https://evilvolces.com/api/v3", model) == model


@pytest.mark.parametrize(
    ("model", "said", "name"),
    [
        (V3, None, "3.0"),
        (V4, None, "4.0"),
        (V45, None, "4.5"),
        (f"doubao-{V45}", None, "4.5"),
        (LITE, None, "5.0-lite"),
        ("seedream-5-0-lite-260128", None, "5.0-lite"),
        ("doubao-seedream-5.0-lite", None, "5.0-lite"),
        (PRO, None, "5.0-pro"),
        (FLASH, None, "5.0-flash"),
        (V55, None, "5.5"),
        ("ep-20260101120000-4xyz5", None, ""),
        ("ep-4-5", None, ""),
        ("some-model-4-5", None, ""),
        ("seedream-6-0-270101", None, ""),
        ("ep-20260101120000-abcde", "4.5", "4.5"),
        ("ep-20260101120000-abcde", "seedream-5-lite", "5.0-lite"),
        ("ep-20260101120000-abcde", "5.0-pro", "5.0-pro"),
        ("ep-20260101120000-abcde", "seedream-4", "4.0"),
    ],
)
def test_families_are_told_by_the_route_or_by_the_id(model: str, said: object, name: str) -> None:
    """The route's word wins; an endpoint id without one is a model that we do not know."""
    assert family_of(model, said) is FAMILIES.get(name, UNKNOWN)


# What is planned and refused before any money is spent


def test_images_are_single_calls() -> None:
    """Each is paid and fails on its own, whichever are still wanted."""
    engine = engine_for()
    assert engine.plan(job(count=4), [0, 1, 2, 3]) == [(0,), (1,), (2,), (3,)]
    assert engine.plan(job(count=4), [1, 3]) == [(1,), (3,)]


def test_a_group_is_one_call_where_it_is_asked_for_and_can_be() -> None:
    """One image is no group, and 5.0 pro makes none."""
    engine = engine_for()
    assert engine.plan(group_job(), [0, 1, 2, 3]) == [(0, 1, 2, 3)]
    assert engine.plan(group_job(), [1, 3]) == [(1, 3)]
    assert engine.plan(group_job(), [2]) == [(2,)]
    assert engine.plan(group_job(model=PRO), [0, 1]) == [(0,), (1,)]
    assert engine.plan(job(count=2, options={"sequential_image_generation": "disabled"}), [0, 1]) == [(0,), (1,)]


@pytest.mark.parametrize(
    "wanted",
    [
        job(references=(reference(),) * 15),
        job(model=PRO, references=(reference(),) * 11),
        job(model=V3, references=(reference(),)),
        job(model=V45, width=1024, height=1024),
        job(model=PRO, width=4096, height=4096),
        job(width=6400, height=320),
        job(model=V3, seed=2**31),
        group_job(references=(reference(),) * 12),
    ],
)
def test_what_ark_cannot_be_told_is_refused_before_the_call(wanted: GenerationJob) -> None:
    """Too many references, sizes outside the model's window, ratios, seeds, groups of more than fifteen."""
    with pytest.raises(InputRefused):
        engine_for().plan(wanted, range(wanted.count))


@pytest.mark.parametrize("wanted", [job(model=""), job(model="ep-1", route={"family": "9.9"})])
def test_a_route_that_says_nonsense_is_the_operators_fault(wanted: GenerationJob) -> None:
    """No model id, or a family that there is not."""
    with pytest.raises(Misconfigured):
        engine_for().plan(wanted, [0])


# What is sent


async def test_text_to_image(sim: Simulators, engine: ModelArkEngine) -> None:
    """The whole body, no field more; the result is a link to an image of the asked size."""
    (done,) = await buy(engine, job(width=1280, height=720))
    assert sim.desk.calls[0].body == {
        "model": V4,
        "prompt": "a lighthouse",
        "size": "1280x720",
        "response_format": "url",
        "watermark": False,
    }
    assert done.request_id.startswith("02")
    assert done.refusals == ()
    assert done.warnings == ()
    (image,) = done.images
    assert (image.index, image.data, image.seed) == (0, None, None)
    assert image.url is not None
    async with httpx.AsyncClient() as client:
        got = await client.get(image.url)
    assert Image.open(io.BytesIO(got.content)).size == (1280, 720)
    assert sim.desk.charges("modelark") == {"a lighthouse": 1}


async def test_image_to_image(sim: Simulators, engine: ModelArkEngine) -> None:
    """References travel as a list of data URIs."""
    await buy(engine, job(references=(reference(), reference())))
    sent = sim.desk.calls[0].body["image"]
    assert len(sent) == 2
    head, _, data = sent[0].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == picture()


async def test_every_image_of_a_job_keeps_its_index(engine: ModelArkEngine) -> None:
    """The call for the third image gives the third image."""
    done = await buy(engine, job(count=3))
    assert [image.index for answer in done for image in answer.images] == [0, 1, 2]


@pytest.mark.parametrize("model", [V3, V4, V45, LITE, PRO, FLASH, V55])
async def test_every_model_takes_what_is_sent_to_it(sim: Simulators, engine: ModelArkEngine, model: str) -> None:
    """With everything that a caller can ask for, the strict simulator refuses nothing."""
    wanted = job(
        model=model,
        count=2,
        seed=7,
        options={"output_format": "png", "sequential_image_generation": "auto", "guidance_scale": 3},
        references=() if model == V3 else (reference(),),
    )
    done = await buy(engine, wanted)
    assert sum(len(answer.images) for answer in done) == 2
    body = sim.desk.calls[0].body
    assert ("output_format" in body) == (model in (LITE, PRO, FLASH, V55))
    assert ("seed" in body) == (model == V3)
    assert ("stream" in body) == ("sequential_image_generation" in body) == (model in (V4, V45, LITE))
    assert "guidance_scale" not in body


@pytest.mark.parametrize(
    ("wanted", "sent"), [("png", "png"), ("jpeg", "jpeg"), ("jpg", "jpeg"), ("webp", None), (3, None), (None, None)]
)
async def test_the_format_is_said_only_when_ark_knows_it(
    sim: Simulators, engine: ModelArkEngine, wanted: object, sent: str | None
) -> None:
    """Anything else is the house's work."""
    await buy(engine, job(model=LITE, options={"output_format": wanted}))
    assert sim.desk.calls[0].body.get("output_format") == sent


async def test_images_of_one_seed_differ(sim: Simulators, engine: ModelArkEngine) -> None:
    """3.0 takes seeds: each image has its own, and reports it; the highest wraps around."""
    done = await buy(engine, job(model=V3, count=2, seed=2**31 - 1))
    assert [call.body["seed"] for call in sim.desk.calls] == [2**31 - 1, 0]
    assert [image.seed for answer in done for image in answer.images] == [2**31 - 1, 0]


async def test_what_was_not_told_is_said(engine: ModelArkEngine) -> None:
    """A seed that the model does not take, a group that it does not make."""
    (done,) = await buy(engine, job(seed=5))
    assert len(done.warnings) == 1
    assert "seed" in done.warnings[0]
    done = (await buy(engine, group_job(count=2, model=PRO)))[0]
    assert "no groups" in done.warnings[0]


async def test_the_watermark_is_the_operators_choice(sim: Simulators) -> None:
    """It is always said, since Ark's own default is to paint it."""
    engine = engine_for(base_url=sim.base_url("modelark"), watermark=True)
    await engine.open()
    await buy(engine, job())
    await engine.close()
    assert sim.desk.calls[0].body["watermark"] is True


async def test_endpoints_are_served_by_their_family(sim: Simulators, engine: ModelArkEngine) -> None:
    """An `ep-` id with a family gets what the family takes; without one it gets the bare minimum."""
    endpoint = f"ep-{LITE}"
    options = {"output_format": "png"}
    await buy(engine, job(model=endpoint, width=2048, height=2048, options=options, route={"family": "5.0-lite"}))
    await buy(engine, job(model=endpoint, width=2048, height=2048, options=options))
    assert [call.body.get("output_format") for call in sim.desk.calls] == ["png", None]
    assert [call.body["model"] for call in sim.desk.calls] == [endpoint, endpoint]


async def test_the_call_has_a_name_that_support_can_find(engine: ModelArkEngine) -> None:
    """X-Client-Request-Id is the call's key, when it has one."""
    async with answering(one_image()) as fake:
        await buy(fake.engine, job())
        assert fake.headers[0]["x-client-request-id"] == "call-0"
        assert fake.headers[0]["authorization"] == f"Bearer {KEY}"
        await fake.engine.send(job(), Call((0,)), Progress())
        assert "x-client-request-id" not in fake.headers[1]


# What a synchronous provider has not


async def test_there_are_no_jobs_to_ask_after() -> None:
    """Nothing to look for, to cancel, or to verify."""
    engine = engine_for()
    with pytest.raises(Broken):
        await engine.look(Call((0,)), {})
    assert await engine.cancel({}) is False
    assert await engine.verify({}, b"", 0.0) is None
