"""What every remote engine must do besides: say exactly what may have been billed, and keep its key to itself."""

from __future__ import annotations

import json
import socket
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from aiohttp import web

from aquatint.domain.errors import (
    BalanceExhausted,
    ContentRefused,
    EngineError,
    EngineRateLimited,
    InputRefused,
    Misconfigured,
    OutcomeUnknown,
    Unavailable,
)
from aquatint.engines.base import GenerationJob
from aquatint.engines.remote import Accepted, Call, Done, RemoteEngine
from aquatint.services.tools import new_id
from aquatint.testing import remote
from aquatint.testing.subjects import PROMPT, Fake, Subject

STOP_WITHIN = 5.0  # seconds until a job that the provider stops has ended
WRONG_KEY = "a-key-that-nobody-gave-out"
Said = Callable[[web.Request], web.Response]  # a provider of a check's own


async def check_plan(subject: Subject) -> None:
    """Every wanted image is bought by exactly one call, also where only some of them are still missing."""
    engine, _ = _parts(subject)
    job = replace(subject.plain, count=4)
    for wanted in ((0,), (1, 3), (0, 1, 2, 3)):
        calls = engine.plan(job, wanted)
        bought = sorted(image for images in calls for image in images)
        assert bought == sorted(wanted), f"{wanted} is bought as {calls}"
        assert engine.plan(job, wanted) == calls, "the same images are planned otherwise the second time"


async def check_money(subject: Subject) -> None:
    """A lost answer may have been billed, and whatever surely was not is said not to be."""
    engine, fake = _parts(subject)
    await _check_calls(subject, engine, fake)
    for words in (fake.prompts.drop, fake.prompts.cut):
        await _check_lost(subject, engine, fake, words)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # it is kept, so that nobody else comes to listen there, but refuses all
        async with _opened(fake, base_url=f"http://127.0.0.1:{deaf.getsockname()[1]}") as nowhere:
            error = await _error(nowhere, subject.plain)
    assert error.kind == "Unavailable", f"a refused connection is Unavailable, not {error.kind}"
    assert not error.charged, "nothing left this machine, so nothing was billed"
    for status, what in ((502, "a proxy's error page"), (200, "a success that cannot be read")):
        async with _answering(partial(_page, status)) as url, _opened(fake, base_url=url) as odd:
            error = await _error(odd, subject.plain)
            assert error.charged, f"{what} leaves open whether it was billed"
            assert status == 200 or isinstance(error, OutcomeUnknown), f"{what} is OutcomeUnknown, not {error.kind}"


async def check_errors(subject: Subject) -> None:
    """What the provider says becomes the error that callers and retries are built on, and is not billed."""
    engine, fake = _parts(subject)
    prompts = fake.prompts
    table: tuple[tuple[str, type[EngineError]], ...] = (
        (prompts.content, ContentRefused),
        (prompts.input, InputRefused),
        (prompts.balance, BalanceExhausted),
        (prompts.key, Misconfigured),
        (prompts.passing, Unavailable),
        (prompts.slow_down, EngineRateLimited),
    )
    before = fake.billed()
    for words, kind in table:
        error = await _error(engine, _with(subject, words))
        assert isinstance(error, kind), f"{words} is {kind.__name__}, not {error.kind} ({error.detail})"
        assert not error.charged, f"{words} was not billed"
        assert error.message, f"{words} has no words for the caller"
        assert not error.detail or error.detail not in error.message, f"{words}: the caller reads the provider's text"
        if kind is EngineRateLimited:
            assert error.retry_after == prompts.slow_down_seconds, f"it asked for {prompts.slow_down_seconds} s"
    async with _opened(fake, api_key=WRONG_KEY) as unknown:
        error = await _error(unknown, subject.plain)
        assert isinstance(error, Misconfigured), f"a wrong key is Misconfigured, not {error.kind}"
        assert not error.charged, "a wrong key buys nothing"
    assert fake.billed() == before, "the provider billed a refusal"


async def check_handles(subject: Subject) -> None:
    """A job is found again by its stored handle alone, as after a crash; without jobs, looking is an error."""
    engine, fake = _parts(subject)
    call = _call(engine, subject.plain)
    taken = await engine.send(subject.plain, call, _quiet)
    if isinstance(taken, Done):
        try:
            await engine.look(call, {})
        except EngineError:
            return
        raise AssertionError("there are no jobs, and yet one was found")
    assert taken.remote_id, "the job has no name: its callbacks could not be recognised"
    handle = remote.stored(taken)
    assert handle == dict(taken.handle), "the handle does not survive being stored as JSON"
    assert all(isinstance(value, str) for value in handle.values()), "a handle holds texts"
    async with _opened(fake) as other:
        try:
            done = await remote.finish(other, call, handle)
        except (EngineError, KeyError) as error:
            raise AssertionError(f"the handle alone does not lead back to the job: {error!r}") from error
        assert [image.index for image in done.images] == list(call.images), "other images came than were bought"
    await _check_stop(subject, engine)


async def check_callbacks(subject: Subject) -> None:
    """A callback that the provider did not sign is not believed, and never an accident."""
    engine, _ = _parts(subject)
    now = time.time()
    letters: tuple[tuple[dict[str, str], bytes], ...] = (
        ({}, b""),
        ({}, b'{"request_id": "x", "id": "x", "data": {"taskId": "x"}}'),
        (dict.fromkeys(("webhook-id", "webhook-timestamp", "webhook-signature"), "v1,AAAA"), b"{"),
    )
    for headers, body in letters:
        assert await engine.verify(headers, body, now) is None, f"{body!r} was believed"


async def check_secrets(subject: Subject) -> None:
    """The key is in nothing that is stored, logged or shown, also when a provider repeats it in what it answers."""
    engine, fake = _parts(subject)
    prompts = fake.prompts
    shown = [repr(engine), repr(engine.spec), engine.spec.account]
    call = _call(engine, subject.plain)
    taken = await engine.send(subject.plain, call, _quiet)
    shown += [repr(replace(taken, images=())) if isinstance(taken, Done) else repr(taken)]
    for words in (prompts.content, prompts.input, prompts.balance, prompts.key, prompts.passing, prompts.drop):
        shown += _texts(await _error(engine, _with(subject, words)))
    for status in (200, 400, 401, 403, 429, 500):
        async with _answering(partial(_parrot, status)) as url, _opened(fake, base_url=url) as parrot:
            shown += _texts(await _error(parrot, subject.plain))
    for text in shown:
        assert fake.key not in text, f"the key is in: {text.replace(fake.key, '(the key)')}"


CHECKS: tuple[Callable[[Subject], Awaitable[None]], ...] = (
    check_plan,
    check_money,
    check_errors,
    check_handles,
    check_callbacks,
    check_secrets,
)


async def _check_calls(subject: Subject, engine: RemoteEngine, fake: Fake) -> None:
    """The provider sees as many paid requests as were planned, and bills the images that came."""
    job = replace(subject.plain, count=3)
    calls, billed = fake.calls(), fake.billed()
    made = await remote.generate(engine, job, _quiet)
    assert fake.calls() - calls == len(engine.plan(job, range(3))), "other calls were made than were planned"
    assert fake.billed() - billed == len(made.images) == 3, "other images were billed than came"


async def _check_lost(subject: Subject, engine: RemoteEngine, fake: Fake, words: str) -> None:
    """The provider has billed the call and its answer is lost; only where it knows the call's key may it be sent
    again.
    """
    job = _with(subject, words)
    call = _call(engine, job)
    calls, billed = fake.calls(), fake.billed()
    error = await _error_of(engine.send(job, call, _quiet))
    assert isinstance(error, OutcomeUnknown), f"{words} leaves it open what became of it, {error.kind} does not"
    assert error.charged, f"{words} may have been billed"
    assert fake.calls() - calls == 1, f"{words}: the engine itself has sent the call again"
    if engine.spec.resend_safe:
        assert isinstance(await engine.send(job, call, _quiet), Accepted | Done), "its key does not bring it back"
    assert fake.billed() - billed == len(call.images), f"{words} was billed {fake.billed() - billed} times"


async def _check_stop(subject: Subject, engine: RemoteEngine) -> None:
    """A job that the provider says it will stop ends soon."""
    call = _call(engine, subject.slow)
    taken = await engine.send(subject.slow, call, _quiet)
    assert isinstance(taken, Accepted), "a slow job was answered at once"
    handle = remote.stored(taken)
    if not await engine.cancel(handle):
        return  # the provider cannot, and says so
    error = await _error_of(remote.finish(engine, call, handle, seconds=STOP_WITHIN))
    assert error.kind != "TimedOut", "a job that was to be stopped goes on"


def _parts(subject: Subject) -> tuple[RemoteEngine, Fake]:
    if not isinstance(subject.engine, RemoteEngine) or subject.fake is None:
        raise TypeError("this check is for a remote engine and its provider's fake")
    return subject.engine, subject.fake


def _with(subject: Subject, words: str) -> GenerationJob:
    return replace(subject.plain, prompt=f"{PROMPT} {words}")


def _call(engine: RemoteEngine, job: GenerationJob) -> Call:
    return Call(engine.plan(job, range(job.count))[0], new_id())


def _quiet(fraction: float, stage: str) -> None:
    pass


async def _error(engine: RemoteEngine, job: GenerationJob) -> EngineError:
    return await _error_of(remote.generate(engine, job, _quiet))


async def _error_of(work: Awaitable[object]) -> EngineError:
    """What the work raises. Whatever is no EngineError passes through, as a bug of the engine."""
    try:
        await work
    except EngineError as error:
        return error
    raise AssertionError("it should have failed, and did not")


def _texts(error: EngineError) -> list[str]:
    """Everything of an error that somebody may read some day."""
    return [error.message, error.detail, error.code, *traceback.format_exception(error)]


@asynccontextmanager
async def _opened(fake: Fake, **changes: object) -> AsyncIterator[RemoteEngine]:
    engine = fake.build(**changes)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def _answering(say: Said) -> AsyncIterator[str]:
    """A provider that answers every request so; its address."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return say(request)

    app = web.Application(client_max_size=256 << 20)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _page(status: int, request: web.Request) -> web.Response:
    """What something between us and the provider may answer."""
    return web.Response(status=status, text="<html><h1>Bad Gateway</h1></html>", content_type="text/html")


def _parrot(status: int, request: web.Request) -> web.Response:
    """An error, in every shape at once, that repeats the request's head."""
    text = json.dumps(dict(request.headers))
    inner = {"code": text, "type": text, "status": text, "message": text}
    outer = {"error": inner, "error_type": text, "detail": text, "title": text, "code": status, "msg": text}
    return web.json_response(outer, status=status)
