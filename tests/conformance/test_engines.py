"""Every installed engine keeps the promises of its port; the remote ones against their providers' fakes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
import pytest_asyncio

from aquatint.bootstrap.parts import PROVIDERS, engine_section
from aquatint.catalog.load import load as load_catalog
from aquatint.domain.errors import InputRefused, OutcomeUnknown, Unavailable
from aquatint.engines import registry
from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.remote import Accepted, Call, Done, Notify, RemoteEngine, Working
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from aquatint.settings import load
from aquatint.testing import conformance, remote_conformance
from aquatint.testing.simulators.app import Simulators
from aquatint.testing.simulators.maxapi import WEBHOOK_SECRET
from aquatint.testing.simulators.painter import PlainPainter
from aquatint.testing.subjects import Fake, Prompts, Subject

KEY = "conformance-key-5b1c7e"
PAINTERS = sorted(set(registry.installed()) - {"null", *PROVIDERS})
CATALOG = load_catalog("", {}, "")
MODELS = {"gemini": ("nano-banana-2",)}  # Google has switched off the model behind its first one
CALLED_BACK: dict[str, dict[str, object]] = {  # settings by which a provider may call us
    "fal": {"callbacks": True},
    "replicate": {"callbacks": True},
    "maxapi": {"callbacks": True, "webhook_secret": WEBHOOK_SECRET},
}
PROMPTS = {
    "modelark": Prompts(
        content="[[fail:InputTextSensitiveContentDetected]]",
        input="[[fail:InvalidParameter]]",
        balance="[[fail:AccountOverdueError]]",
        key="[[fail:AuthenticationError]]",
    ),
    "openai": Prompts(
        content="[[fail:moderation_blocked]]",
        input="[[http:400]]",
        balance="[[fail:insufficient_quota]]",
        key="[[fail:invalid_api_key]]",
    ),
    "gemini": Prompts(
        content="[[fail:IMAGE_SAFETY]]",
        input="[[fail:INVALID_ARGUMENT]]",
        balance="[[fail:CREDITS_DEPLETED]]",
        key="[[fail:API_KEY_INVALID]]",
    ),
    "fal": Prompts(
        content="[[fail:content_policy_violation]]",
        input="[[fail:image_load_error]]",
        balance="[[fail:exhausted_balance]]",
        key="[[fail:unauthorized]]",
    ),
    "replicate": Prompts(content="[[fail:E005]]", input="[[http:422]]", balance="[[http:402]]", key="[[http:401]]"),
    "maxapi": Prompts(
        content="[[fail:CONTENT_MODERATION]]",
        input="[[fail:INVALID_PARAMETERS]]",
        balance="[[fail:INSUFFICIENT_POINTS]]",
        key="[[http:401]]",
    ),
}
EVERY = [
    conformance.check_spec,
    conformance.check_modes,
    conformance.check_sizes,
    conformance.check_count,
    conformance.check_progress,
    conformance.check_cancel,
    conformance.check_refusals,
]


@pytest_asyncio.fixture(params=PAINTERS, loop_scope="module", scope="module")
async def painter(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    """An engine of this machine, open, with a sandbox of its own."""
    name: str = request.param
    sandbox = Sandbox(2, Limits())
    await sandbox.open()
    engine = registry.build_local(name, EngineContext(sandbox, {}, 2))
    await engine.open()
    yield Subject.local(engine)
    await engine.close()
    await sandbox.close()


@asynccontextmanager
async def buying(name: str, **settings: object) -> AsyncIterator[Subject]:
    """A remote engine with the settings that turn it to its provider's fake."""
    async with Simulators(PlainPainter(), key=KEY) as sim:
        section = {**engine_section(load(sim.environment(name)), name), **CALLED_BACK.get(name, {})}

        def build(**changes: object) -> RemoteEngine:
            context = EngineContext(Sandbox(1, Limits()), {**section, **settings, **changes}, 4)
            return cast(RemoteEngine, registry.build(frozenset({name}), lambda _: context, allow_testing=False)[name])

        fake = Fake(
            key=KEY,
            build=build,
            calls=lambda: sum(call.provider == name for call in sim.desk.calls),
            billed=lambda: sim.desk.charges(name).total(),
            prompts=PROMPTS[name],
        )
        engine = build()
        await engine.open()
        try:
            yield Subject.routed(engine, CATALOG, *MODELS.get(name, ()), fake=fake)
        finally:
            await engine.close()


def test_no_engine_is_left_out() -> None:
    """Whatever is installed runs through this suite, except the one that paints nothing."""
    assert {*PAINTERS, *PROMPTS, "null"} == set(registry.installed())
    assert set(PROMPTS) == set(PROVIDERS)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("check", [*EVERY, conformance.check_seed], ids=lambda check: check.__name__)
async def test_promise_of_a_painter(painter: Subject, check: conformance.Check) -> None:
    """One promise of the port, tried for real."""
    assert check in conformance.checks(painter)
    await check(painter)


@pytest.mark.parametrize("check", [*EVERY, *remote_conformance.CHECKS], ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", PROVIDERS)
async def test_promise_of_a_buyer(name: str, check: conformance.Check) -> None:
    """One promise of the port, tried for real against the provider's fake."""
    async with buying(name) as subject:
        assert check in conformance.checks(subject)
        await check(subject)


async def test_a_call_that_may_be_sent_again_is_billed_once() -> None:
    """Where the other server knows the call's key, the same promise holds for sending it twice."""
    async with buying("maxapi", idempotent=True) as subject:
        await remote_conformance.check_money(subject)


async def test_the_checks_catch_a_fake() -> None:
    """An engine that ignores the size, repeats itself and swallows broken references passes none of them."""
    null = registry.build(frozenset({"null"}), _no_sandbox, allow_testing=True)["null"]
    subject = Subject.local(null)
    for check in (conformance.check_modes, conformance.check_count, conformance.check_refusals):
        with pytest.raises(AssertionError):
            await check(subject)


class Sloppy:
    """A remote engine that does all as another one does, except for what a test replaces."""

    def __init__(self, engine: RemoteEngine, **replaced: object) -> None:
        self._engine = engine
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(self._engine, name)


def resending(engine: RemoteEngine) -> Sloppy:
    """Sends what was lost a second time by itself."""

    async def send(job: GenerationJob, call: Call, notify: Notify) -> Done | Accepted:
        try:
            return await engine.send(job, call, notify)
        except OutcomeUnknown:
            return await engine.send(job, call, notify)

    return Sloppy(engine, send=send)


def hopeful(engine: RemoteEngine) -> Sloppy:
    """Takes a lost answer for a request that never left."""

    async def send(job: GenerationJob, call: Call, notify: Notify) -> Done | Accepted:
        try:
            return await engine.send(job, call, notify)
        except OutcomeUnknown as error:
            raise Unavailable("try again") from error

    return Sloppy(engine, send=send)


def forgetful(engine: RemoteEngine) -> Sloppy:
    """Keeps the job's address to itself, so that no other process can look it up."""
    known: dict[str, Accepted] = {}

    async def send(job: GenerationJob, call: Call, notify: Notify) -> Done | Accepted:
        taken = await engine.send(job, call, notify)
        assert isinstance(taken, Accepted)
        known[taken.remote_id] = taken
        return replace(taken, handle={"id": taken.remote_id})

    async def look(call: Call, handle: Mapping[str, str]) -> Done | Working:
        return await engine.look(call, known[handle["id"]].handle)

    return Sloppy(engine, send=send, look=look)


def talkative(engine: RemoteEngine) -> Sloppy:
    """Writes its key into the handle."""

    async def send(job: GenerationJob, call: Call, notify: Notify) -> Done | Accepted:
        taken = await engine.send(job, call, notify)
        assert isinstance(taken, Accepted)
        return replace(taken, handle={**taken.handle, "authorization": f"Bearer {KEY}"})

    return Sloppy(engine, send=send)


def gullible(engine: RemoteEngine) -> Sloppy:
    """Believes every callback."""

    async def verify(headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        return "x"

    return Sloppy(engine, verify=verify)


def harsh(engine: RemoteEngine) -> Sloppy:
    """Takes a passing trouble for the caller's mistake."""

    async def send(job: GenerationJob, call: Call, notify: Notify) -> Done | Accepted:
        try:
            return await engine.send(job, call, notify)
        except Unavailable as error:
            raise InputRefused("mend it") from error

    return Sloppy(engine, send=send)


def greedy(engine: RemoteEngine) -> Sloppy:
    """Buys every image, whichever are missing."""

    def plan(job: GenerationJob, images: Sequence[int]) -> list[tuple[int, ...]]:
        return engine.plan(job, range(job.count))

    return Sloppy(engine, plan=plan)


@pytest.mark.parametrize(
    ("spoil", "check", "complaint"),
    [
        (resending, remote_conformance.check_money, "the engine itself has sent the call again"),
        (hopeful, remote_conformance.check_money, "leaves it open what became of it, Unavailable does not"),
        (forgetful, remote_conformance.check_handles, "does not lead back"),
        (talkative, remote_conformance.check_secrets, "the key is in"),
        (gullible, remote_conformance.check_callbacks, "was believed"),
        (harsh, remote_conformance.check_errors, "is Unavailable, not InputRefused"),
        (greedy, remote_conformance.check_plan, "is bought as"),
    ],
    ids=["resending", "hopeful", "forgetful", "talkative", "gullible", "harsh", "greedy"],
)
async def test_the_checks_catch_a_sloppy_engine(
    spoil: Callable[[RemoteEngine], Sloppy], check: conformance.Check, complaint: str
) -> None:
    """Each promise that an engine may break is broken once, and the check for it says so."""
    async with buying("maxapi") as subject:
        spoilt = replace(subject, engine=cast(RemoteEngine, spoil(cast(RemoteEngine, subject.engine))))
        with pytest.raises(AssertionError, match=complaint):
            await check(spoilt)


def _no_sandbox(name: str) -> EngineContext:
    return EngineContext(Sandbox(1, Limits()), {}, 1)
