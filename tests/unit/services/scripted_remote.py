"""A provider that does what a test says and counts what it bills, and a shop that buys from it with real parts."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image

from aquatint.assets.disk import DiskAssets
from aquatint.domain.call import CallState, PaidCall
from aquatint.domain.errors import EngineError
from aquatint.domain.provider import CircuitRules, ProviderLimits
from aquatint.domain.task import ClaimedTask, Status
from aquatint.engines.base import GenerationJob
from aquatint.engines.remote import Accepted, Call, Done, Notify, RemoteImage, RemoteSpec, Working
from aquatint.net.guard import GuardPolicy
from aquatint.net.http import DoorLimits, HttpDoor
from aquatint.net.results import ResultDoor
from aquatint.sandbox.pool import Sandbox
from aquatint.sandbox.results import ResultWish
from aquatint.services.buy import BuyService
from aquatint.services.job import Made, Run
from aquatint.services.keep import KeepRules, KeepService
from aquatint.services.purchase import Order, Tools
from aquatint.services.tools import SECOND, Clock
from aquatint.services.track import Tracker
from aquatint.store.sqlite.store import SqliteStore
from aquatint.telemetry import logger
from support.rows import new_task, settlement

NAME, ACCOUNT, MODEL = "scripted", "scripted:1", "m-1"
HOUR = 3600 * SECOND


def picture(shade: int = 0, size: tuple[int, int] = (16, 16), kind: str = "PNG", mode: str = "RGB") -> bytes:
    """A small picture, another one for every shade."""
    out = io.BytesIO()
    Image.new("RGB", size, (shade % 256, 80, 120)).convert(mode).save(out, kind)
    return out.getvalue()


class ScriptedRemote:
    """A remote engine and the provider behind it in one.

    `answer(call)` says how a call is answered: an EngineError is raised, the rest returned. `sends` holds every
    request that reached the provider; `bills` how often each image was billed, a key that is known already for free.
    """

    def __init__(self, **spec: Any) -> None:
        fields = {"name": NAME, "account": ACCOUNT, "title": "does what a test says", "version": "1"}
        self.spec = RemoteSpec(**{**fields, "local": False, "concurrency": 64, "call_seconds": 30.0, **spec})
        self.sends: list[Call] = []
        self.looks: list[float] = []
        self.stopped: list[Mapping[str, str]] = []
        self.bills: Counter[int] = Counter()
        self._known: set[str] = set()
        self.answer: Callable[[Call], Done | Accepted | EngineError] = bytes_at_once
        self.found: Callable[[Call], Done | Working | EngineError] = bytes_at_once
        self.before_send: Callable[[Call], Awaitable[None]] = nothing  # the request has not left yet
        self.after_send: Callable[[Call], Awaitable[None]] = nothing  # it was taken, and the answer is on its way
        self.before_look: Callable[[Call], Awaitable[None]] = nothing
        self.planned: Callable[[Sequence[int]], list[tuple[int, ...]]] = lambda images: [(i,) for i in images]

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def plan(self, job: GenerationJob, images: Sequence[int]) -> list[tuple[int, ...]]:
        return self.planned(images)

    async def send(self, job: GenerationJob, call: Call, notify: Notify) -> Done | Accepted:
        await self.before_send(call)
        self.sends.append(call)
        answer = self.answer(call)
        billed = not isinstance(answer, EngineError) or answer.charged
        if billed and not (self.spec.resend_safe and call.key in self._known):
            self.bills.update(call.images)
        self._known.add(call.key)
        await self.after_send(call)
        if isinstance(answer, EngineError):
            raise answer
        return answer

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done | Working:
        self.looks.append(asyncio.get_running_loop().time())
        await self.before_look(call)
        found = self.found(call)
        if isinstance(found, EngineError):
            raise found
        return found

    async def cancel(self, handle: Mapping[str, str]) -> bool:
        self.stopped.append(handle)
        return True

    async def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        return None


async def nothing(call: Call) -> None:
    pass


def bytes_at_once(call: Call) -> Done:
    return Done(tuple(RemoteImage(i, data=picture(i), seed=i) for i in call.images), request_id="r-1")


def a_job(call: Call) -> Accepted:
    return Accepted(f"job-{call.key}", {"id": f"job-{call.key}"}, "r-2")


def links(server: FileServer) -> Callable[[Call], Done]:
    """Results that lie with the provider."""

    def answer(call: Call) -> Done:
        return Done(tuple(RemoteImage(i, url=server.url(f"{i}.png"), seed=i) for i in call.images))

    return answer


class FileServer:
    """Files over HTTP on the loopback. `answers[name]` are (status, body) in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        self.hits: Counter[str] = Counter()
        self.before: Callable[[str], Awaitable[None]] | None = None
        self.origin = ""

    def url(self, name: str) -> str:
        return f"{self.origin}/{name}"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.hits[name] += 1
        if self.before is not None:
            await self.before(name)
        known = self.answers.get(name, [(404, b"")])
        status, body = known[min(self.hits[name], len(known)) - 1]
        return web.Response(status=status, body=body)

    @classmethod
    @asynccontextmanager
    async def serving(cls) -> AsyncIterator[FileServer]:
        made = cls()
        app = web.Application()
        app.router.add_get("/{name}", made._serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield made
        finally:
            await runner.cleanup()


class HaltingStore:
    """A store whose world stops at one point: before or after one of its methods, as when a process dies there."""

    def __init__(self, store: SqliteStore, method: str, when: str) -> None:
        self._store = store
        self._method = method
        self._when = when
        self.reached = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        if name != self._method:
            return real

        async def halting(*args: Any, **kwargs: Any) -> None:
            if self._when == "after":
                await real(*args, **kwargs)
            self.reached.set()
            await asyncio.Event().wait()

        return halting


async def for_ever(reached: asyncio.Event) -> None:
    reached.set()
    await asyncio.Event().wait()


@dataclass
class Shop:
    """Everything that buys, with one task in it. `store` is the real one, whatever the tools are given."""

    store: SqliteStore
    assets: DiskAssets
    keep: KeepService
    engine: ScriptedRemote
    tools: Tools
    buy: BuyService
    prepared: list[int] = field(default_factory=list)
    prepare_raises: EngineError | None = None

    async def task(self, n: int = 1) -> ClaimedTask:
        """A task of n images, claimed."""
        now = self.tools.clock.now()
        await self.store.submit(new_task(at=now, deadline=now + HOUR, n=n, lane=NAME), 1000)
        return await self.claim()

    async def claim(self) -> ClaimedTask:
        now = self.tools.clock.now()
        (claimed,) = await self.store.claim("w", NAME, 1, now, now + HOUR)
        return claimed

    async def after_crash(self) -> ClaimedTask:
        """The task in the hands of a fresh process, which knows only what the disk knows."""
        fresh = shop_of(self.store, self.assets, self.keep, self.engine)
        self.tools, self.buy = fresh.tools, fresh.buy
        await self.store.release_foreign("another process", self.tools.clock.now())
        return await self.claim()

    async def attempt(self, claimed: ClaimedTask, **order: Any) -> Made:
        """One run of the claimed task."""
        return await self.buy(self.order(claimed, **order))

    def order(self, claimed: ClaimedTask, **more: Any) -> Order:
        run = Run(claimed, self.tools.clock.now())
        run.remote_model = MODEL

        async def prepare() -> GenerationJob:
            self.prepared.append(claimed.attempt)
            if self.prepare_raises is not None:
                raise self.prepare_raises
            return GenerationJob(
                *("seedream-4", MODEL, "text_to_image", "x", (), 16, 16, "1:1", "2k", claimed.input.n, None, 60.0)
            )

        async def wish() -> ResultWish:
            return ResultWish()

        fields = {"resend_ambiguous": False, "elsewhere": False, "progress": lambda fraction, stage: None, **more}
        return Order(run=run, engine=self.engine, prepare=prepare, wish=wish, **fields)

    async def calls(self, claimed: ClaimedTask) -> list[PaidCall]:
        return await self.store.calls(claimed.no)

    async def only_call(self, claimed: ClaimedTask) -> PaidCall:
        (call,) = await self.calls(claimed)
        return call

    async def end(self, claimed: ClaimedTask, status: Status = Status.CANCELLED) -> None:
        """The task ends, by its owner's wish or otherwise."""
        assert await self.store.settle(settlement(claimed.no, claimed.attempt, status, at=self.tools.clock.now()))


def shop_of(store: SqliteStore, assets: DiskAssets, keep: KeepService, engine: ScriptedRemote) -> Shop:
    tracker = Tracker(logger())
    rules = CircuitRules(failures=3, rest=2 * SECOND)
    tools = Tools(store, keep, tracker, Clock(), rules, lambda name: None, logger())
    return Shop(store, assets, keep, engine, tools, BuyService(tools, {engine.spec.name: engine}))


def keep_of(assets: DiskAssets, door: HttpDoor, sandbox: Sandbox, attempts: int = 2) -> KeepService:
    return KeepService(assets, ResultDoor(door, connect_seconds=1.0), sandbox, KeepRules(attempts, 2.0))


@asynccontextmanager
async def open_door(*allowed: str) -> AsyncIterator[HttpDoor]:
    """A door that may reach these networks besides the public ones."""
    door = HttpDoor(GuardPolicy.from_cidrs(allowed), limits=DoorLimits(silent_seconds=1.0, connect_seconds=1.0))
    await door.open()
    try:
        yield door
    finally:
        await door.close()


def in_flight(most: int) -> ProviderLimits:
    return ProviderLimits(in_flight=most)


def states(calls: Sequence[PaidCall]) -> list[tuple[CallState, str]]:
    return [(call.state, call.outcome) for call in calls]


async def until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.005)


async def opened_store(folder: Path) -> SqliteStore:
    store = SqliteStore(folder / "aquatint.db")
    await store.open()
    return store
