"""The modelark engine when things go wrong, in terms of money."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator

import pytest
from ark_support import (
    COMPLETED,
    KEY,
    Progress,
    Scripted,
    answering,
    assert_clean,
    buy,
    engine_for,
    failed,
    group_job,
    image,
    job,
    picture,
    refusal,
    stream,
)

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
from aquatint.engines.modelark import ModelArkEngine
from aquatint.engines.remote import Call
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


# Errors in Ark's own words: nothing was billed

TABLE: dict[type[EngineError], tuple[str, ...]] = {
    InputRefused: (
        "MissingParameter",
        "MissingParameter.prompt",
        "InvalidParameter",
        "InvalidParameter.UnsupportedParameter",
        "InvalidParameter.TaskTypeConstraint",
        "InvalidParameter.TaskTypeMismatch",
        "InvalidParameter.TosURLInvalid",
        "InvalidArgumentError.InvalidImageDetail",
        "InvalidImageURL.EmptyURL",
        "InvalidImageURL.InvalidFormat",
        "OutofContextError",
        "RequestBodyTooLarge",
    ),
    ContentRefused: (
        "InputTextSensitiveContentDetected",
        "InputTextSensitiveContentDetected.PolicyViolation",
        "InputImageSensitiveContentDetected",
        "InputImageSensitiveContentDetected.PrivacyInformation",
        "InputVideoSensitiveContentDetected",
        "OutputImageSensitiveContentDetected",
        "OutputImageSensitiveContentDetected.DeepFake",
        "OutputTextSensitiveContentDetected.PolicyViolation",
        "SensitiveContentDetected",
        "SensitiveContentDetected.SevereViolation",
        "SensitiveContentDetected.Violence",
        "InputTextRiskDetection",
        "OutputImageRiskDetection",
    ),
    BalanceExhausted: (
        "AccountOverdueError",
        "OperationDenied.ServiceOverdue",
        "InvalidSubscription",
        "SetLimitExceeded",
        "QuotaExceeded",
        "QuotaExceeded:plan",
    ),
    Misconfigured: (
        "AuthenticationError",
        "InvalidAccountStatus",
        "AccessDenied",
        "OperationDenied.ServiceNotOpen",
        "OperationDenied.PermissionDenied",
        "OperationDenied.InvalidState",
        "InvalidEndpointOrModel.NotFound",
        "InvalidEndpointOrModel.ModelIDAccessDisabled",
        "ModelNotOpen",
        "UnsupportedModel",
        "NotFound.endpoint",
    ),
    EngineRateLimited: (
        "RateLimitExceeded.EndpointRPMExceeded",
        "RateLimitExceeded.EndpointTPMExceeded",
        "ModelAccountRpmRateLimitExceeded",
        "ModelAccountTpmRateLimitExceeded",
        "ModelAccountIpmRateLimitExceeded",
        "APIAccountRpmRateLimitExceeded",
        "AccountRateLimitExceeded",
        "RequestBurstTooFast",
        "ServerOverloaded",
        "InflightBatchsizeExceeded",
        "QuotaExceeded:queue",
    ),
    Unavailable: (
        "ContentSecurityDetectionError",
        "InvalidEndpoint.ClosedEndpoint",
        "InternalServiceError",
        "InternalServerError",
    ),
}


@pytest.mark.parametrize("kind", TABLE)
async def test_every_error_of_the_table(sim: Simulators, engine: ModelArkEngine, kind: type[EngineError]) -> None:
    """Each means the same as a refusal, inside an answer with HTTP 200, and inside a stream; none is billed."""
    for code in TABLE[kind]:
        for prompt in (f"x [[fail:{code}]]", f"x [[fail:200:{code}]]"):
            for wanted in (job(prompt), group_job(prompt)):
                error = await refusal(engine, wanted)
                assert type(error) is kind
                assert error.code == code.partition(":")[0]
                assert error.charged is False
    assert sim.desk.charges() == {}


async def test_every_status_in_arks_own_words(sim: Simulators, engine: ModelArkEngine) -> None:
    """What Ark itself says is not billed, its own 5xx included."""
    kinds: dict[int, type[EngineError]] = {
        400: InputRefused,
        401: Misconfigured,
        403: Misconfigured,
        404: Misconfigured,
        409: Unavailable,
        413: InputRefused,
        429: EngineRateLimited,
        500: Unavailable,
        503: Unavailable,
    }
    for status, kind in kinds.items():
        for wanted in (job(f"x [[http:{status}]]"), group_job(f"x [[http:{status}]]")):
            error = await refusal(engine, wanted)
            assert (status, type(error), error.charged) == (status, kind, False)
    assert sim.desk.charges() == {}


async def test_the_wait_that_ark_asks_for_is_kept(engine: ModelArkEngine) -> None:
    """Retry-After of a 429 and of a 503."""
    for status in (429, 503):
        error = await refusal(engine, job(f"x [[http:{status}]][[retry-after:3]]"))
        assert error.retry_after == 3.0


async def test_a_wrong_key_is_never_the_callers_fault(sim: Simulators) -> None:
    """The operator must act; the key is nowhere in what is said."""
    engine = engine_for(base_url=sim.base_url("modelark"), api_key=f"{KEY}-wrong")
    await engine.open()
    error = await refusal(engine, job())
    await engine.close()
    assert type(error) is Misconfigured
    assert error.code == "AuthenticationError"


async def test_a_model_without_its_date_is_the_operators_fault(engine: ModelArkEngine) -> None:
    """404 InvalidEndpointOrModel.NotFound."""
    error = await refusal(engine, job(model="seedream-4-0"))
    assert type(error) is Misconfigured
    assert error.code == "InvalidEndpointOrModel.NotFound"


async def test_an_invalid_model_parameter_is_the_operators_fault() -> None:
    """A caller cannot mend the model id, whatever the code is."""
    said = {"error": {"code": "InvalidParameter", "message": "no", "param": "model", "type": "BadRequest"}}
    async with answering(Scripted(400, json.dumps(said))) as fake:
        assert type(await refusal(fake.engine, job())) is Misconfigured


async def test_an_unknown_path_is_the_operators_fault(sim: Simulators) -> None:
    """404 with an empty body: base_url is wrong."""
    engine = engine_for(base_url=sim.base_url("modelark") + "/wrong")
    await engine.open()
    error = await refusal(engine, job())
    await engine.close()
    assert type(error) is Misconfigured
    assert error.charged is False


# Money: what was sent and not answered


async def test_a_connection_that_is_never_made_costs_nothing() -> None:
    """Nobody listens: it may be tried again."""
    engine = engine_for(base_url="http://127.0.0.1:9/api/v3")
    await engine.open()
    error = await refusal(engine, job())
    await engine.close()
    assert type(error) is Unavailable
    assert error.charged is False


@pytest.mark.parametrize("fault", ["drop", "cut"])
async def test_a_lost_answer_may_have_been_billed(sim: Simulators, engine: ModelArkEngine, fault: str) -> None:
    """Ark bills dropped calls, so the outcome is unknown; and here it was billed indeed."""
    error = await refusal(engine, job(f"x [[{fault}]]"))
    assert type(error) is OutcomeUnknown
    assert error.charged is True
    assert sim.desk.charges() == {f"x [[{fault}]]": 1}


async def test_a_cut_before_anything_was_billed_is_unknown_too(sim: Simulators, engine: ModelArkEngine) -> None:
    """Nobody can tell it from a lost answer."""
    error = await refusal(engine, job("x [[refuse]]"))
    assert type(error) is OutcomeUnknown
    assert sim.desk.charges() == {}


async def test_an_answer_that_takes_too_long_is_unknown(sim: Simulators) -> None:
    """The time of a call is over while Ark works."""
    engine = engine_for(base_url=sim.base_url("modelark"), call_timeout=0.2)
    await engine.open()
    error = await refusal(engine, job("x [[sleep:0.5]]"))
    await engine.close()
    assert type(error) is OutcomeUnknown
    assert error.charged is True


async def test_a_cancelled_call_stops_at_once(engine: ModelArkEngine) -> None:
    """Cancelling the asyncio task closes the connection."""
    task = asyncio.create_task(engine.send(job("x [[sleep:2]]"), Call((0,)), Progress()))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1.0)


HTML = "<html><head><title>502 Bad Gateway</title></head></html>"
GATEWAY = json.dumps({"error": {"message": "upstream", "type": "new_api_error", "code": "do_request_failed"}})


ANSWERS: list[tuple[int, str, type[EngineError], bool]] = [
    (502, HTML, OutcomeUnknown, True),
    (504, HTML, OutcomeUnknown, True),
    (504, "upstream request timeout", OutcomeUnknown, True),
    (500, "", OutcomeUnknown, True),
    (503, "[]", OutcomeUnknown, True),
    (502, GATEWAY, OutcomeUnknown, True),  # a gateway's words, not Ark's: the call may go on behind it
    (499, "", OutcomeUnknown, True),
    (303, "", OutcomeUnknown, True),
    (308, "", Misconfigured, False),
    (400, HTML, Misconfigured, False),
    (401, HTML, Misconfigured, False),
    (403, HTML, Misconfigured, False),
    (404, "", Misconfigured, False),
    (405, "", Misconfigured, False),
    (408, HTML, Unavailable, False),
    (413, HTML, InputRefused, False),
    (429, HTML, EngineRateLimited, False),
    (402, HTML, BalanceExhausted, False),
    (402, GATEWAY, BalanceExhausted, False),
    (400, GATEWAY, InputRefused, False),
    (429, GATEWAY, EngineRateLimited, False),
    (200, HTML, Broken, True),
    (200, "", Broken, True),
    (200, "[1, 2", Broken, True),
    (200, "[]", Broken, True),
    (200, "{}", Broken, True),
    (200, '{"data": null}', Broken, True),
    (200, '{"data": []}', Broken, True),
    (200, '{"data": [{}]}', Broken, True),
    (200, '{"data": [7]}', Broken, True),
    (200, '{"data": [{"url": ""}], "error": null}', Broken, True),
    (200, '{"data": [{"b64_json": "%%%"}]}', Broken, True),
    (200, '{"data": [], "usage": {"generated_images": 1}}', Broken, True),
    (200, '{"data": [], "usage": {"generated_images": 0}}', Broken, False),
    (204, "", Broken, True),
]


async def test_answers_that_are_not_arks() -> None:
    """A proxy's 5xx hides a call that may go on; a refusal is a refusal; a success that says nothing was paid."""
    script = Scripted(200, "")
    async with answering(script) as fake:
        for script.status, script.body, kind, charged in ANSWERS:
            for wanted in (job(), group_job()):
                if wanted.count > 1 and script.status < 300 and not script.body.startswith("{"):
                    continue  # a stream without a single event is another matter, see below
                error = await refusal(fake.engine, wanted)
                case = f"{script.status} {script.body}"
                assert (case, type(error), error.charged) == (case, kind, charged)


async def test_the_key_is_hidden_when_an_answer_repeats_it() -> None:
    """Whoever answers may quote the request; the operator's log must not hold the key."""
    echo = json.dumps({"error": {"code": "AuthenticationError", "message": f"the key {KEY} does not exist"}})
    async with answering(Scripted(401, echo)) as fake:
        error = await refusal(fake.engine, job())
        assert "***" in error.detail
    async with answering(Scripted(502, f"Authorization: Bearer {KEY}")) as fake:
        await refusal(fake.engine, job())
    frames = [image(0), failed(1, "Foo", f"your key {KEY}"), COMPLETED]
    async with answering(stream(*frames)) as fake:
        (done,) = await buy(fake.engine, group_job(count=2))
        assert_clean(done.refusals[0])


async def test_an_image_that_comes_as_base64_is_taken() -> None:
    """Not what we ask for, but what some resellers send."""
    data = base64.b64encode(picture()).decode()
    async with answering(Scripted(200, json.dumps({"data": [{"b64_json": data}]}))) as fake:
        (done,) = await buy(fake.engine, job())
        assert done.images[0].data == picture()


async def test_an_error_of_the_single_image(sim: Simulators, engine: ModelArkEngine) -> None:
    """`data[].error` in an HTTP 200: refused, not billed."""
    error = await refusal(engine, job("x [[partial:1]]"))
    assert type(error) is ContentRefused
    assert error.charged is False
    assert sim.desk.charges() == {}


async def test_an_image_beside_a_top_level_error_counts() -> None:
    """What was delivered was delivered."""
    body = {"data": [{"url": "http://x/1"}], "error": {"code": "InternalServiceError", "message": "late"}}
    async with answering(Scripted(200, json.dumps(body))) as fake:
        (done,) = await buy(fake.engine, job())
        assert [made.url for made in done.images] == ["http://x/1"]
        assert done.refusals == ()
