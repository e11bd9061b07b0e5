"""One run of one task: whatever the engine does, it ends in a row of the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from aquatint.assets.disk import DiskAssets
from aquatint.catalog.load import load
from aquatint.domain.errors import (
    BalanceExhausted,
    Broken,
    ContentRefused,
    EngineRateLimited,
    InputRefused,
    Misconfigured,
    StoreUnavailable,
    TimedOut,
    Unavailable,
)
from aquatint.domain.provider import CircuitRules
from aquatint.domain.task import Status, Task
from aquatint.engines.base import EngineSpec, GeneratedImage, Generation, GenerationJob, Progress
from aquatint.engines.null import PIXEL
from aquatint.engines.registry import AnyEngine
from aquatint.net.guard import GuardPolicy
from aquatint.net.http import HttpDoor
from aquatint.net.results import ResultDoor
from aquatint.sandbox.images import IntakeLimits
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from aquatint.services import verdict
from aquatint.services.accepted import Accepted
from aquatint.services.buy import BuyService
from aquatint.services.keep import KeepRules, KeepService
from aquatint.services.paint import PaintService
from aquatint.services.prepare import PrepareService
from aquatint.services.purchase import Tools
from aquatint.services.references import FetchRules, ReferenceService
from aquatint.services.route import RouteRules, RouteService
from aquatint.services.run import RunRules, RunService
from aquatint.services.settle import SettleService
from aquatint.services.signals import Signals
from aquatint.services.tools import SECOND, Clock, PublicUrls
from aquatint.services.track import Tracker
from aquatint.store.sqlite.store import SqliteStore
from aquatint.telemetry import logger
from support.rows import LANE, new_task

Work = Callable[[GenerationJob, Progress], Generation]
RunOnce = Callable[..., Awaitable[Task]]


class ScriptedEngine:
    """An engine that does what the test says."""

    def __init__(self, work: Work) -> None:
        self._work = work

    @property
    def spec(self) -> EngineSpec:
        return EngineSpec("scripted", "does what a test says", "1", local=True, concurrency=1)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def generate(self, job: GenerationJob, progress: Progress) -> Generation:
        await asyncio.sleep(0)
        return self._work(job, progress)


def images(count: int, media_type: str = "image/png") -> Generation:
    return Generation(tuple(GeneratedImage(PIXEL, media_type, 1, 1) for _ in range(count)))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "aquatint.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def run_once(store: SqliteStore, tmp_path: Path) -> RunOnce:
    """`await run_once(work)`: the life of one task with an engine that does `work`."""

    async def live(work: Work, *, max_attempts: int = 1, runs: int = 1, seconds: float = 3600.0) -> Task:
        clock, urls = Clock(), PublicUrls("http://here")
        assets = DiskAssets(tmp_path / "assets")
        door, sandbox = HttpDoor(GuardPolicy()), Sandbox(1, Limits())  # never opened: the task has no references
        references = ReferenceService(
            door, assets, store, sandbox, IntakeLimits(), urls, clock, FetchRules(1000, 1.0, 1)
        )
        signals = Signals()
        engines: dict[str, AnyEngine] = {"scripted": ScriptedEngine(work)}
        keep = KeepService(assets, ResultDoor(door, connect_seconds=1.0), sandbox, KeepRules(1, 1.0))
        rules = CircuitRules(5, 30 * SECOND)
        tools = Tools(store, keep, Tracker(logger()), clock, rules, lambda engine: None, logger())
        run = RunService(
            store=store,
            catalog=load("", {}, "scripted"),
            engines=engines,
            prepare=PrepareService(references, clock, signals),
            route=RouteService(engines, RouteRules(False, False)),
            paint=PaintService(keep),
            buy=BuyService(tools, engines),
            settle=SettleService(store, urls, signals, clock, Accepted(clock, 0.0), 0.0),
            clock=clock,
            rules=RunRules(max_attempts, 0.0, 3600.0),
            log=logger(),
            signals=signals,
        )
        now = clock.now()
        submitted = await store.submit(new_task(at=now, deadline=now + int(seconds * SECOND)), 10)
        for _ in range(runs):
            for claimed in await store.claim("w", LANE, 1, clock.now(), clock.now() + 60 * SECOND):
                await run(claimed)
        await store.revoke_key("nobody", 0)  # a durable write: what was posted before it can be read now
        task = await store.task(submitted.task_id)
        assert task is not None
        return task

    return live


async def test_success(run_once: RunOnce) -> None:
    """Images are stored before SUCCESS is said, in order, with their seeds' place."""
    task = await run_once(lambda job, progress: images(3))
    assert task.status is Status.SUCCESS
    assert task.engine == "scripted/1"
    assert task.result is not None
    assert [image.name for image in task.result.images] == ["1.png", "2.png", "3.png"]
    assert task.progress == 1.0


@pytest.mark.parametrize("made", [1, 2])
async def test_survivors_are_a_success(run_once: RunOnce, made: int) -> None:
    """Fewer images than asked for are SUCCESS with those (contract decision 17)."""
    task = await run_once(lambda job, progress: images(made))
    assert task.result is not None
    assert len(task.result.images) == made


async def test_no_image_is_a_failure(run_once: RunOnce) -> None:
    """Zero images are FAILURE, never SUCCESS without urls (contract decision 17)."""
    task = await run_once(lambda job, progress: images(0))
    assert (task.status, task.failure_reason) == (Status.FAILURE, None)


async def test_something_else_than_an_image(run_once: RunOnce) -> None:
    """A media type that is no picture's is the engine's failure."""
    assert (await run_once(lambda job, progress: images(1, "text/html"))).status is Status.FAILURE


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InputRefused("no"), "INVALID_PARAMETERS"),
        (ContentRefused("no"), "CONTENT_MODERATION"),
        (BalanceExhausted("no"), "INSUFFICIENT_POINTS"),
        (Misconfigured("no"), None),
    ],
)
async def test_final_errors(run_once: RunOnce, error: Exception, reason: str | None) -> None:
    """Errors that another run cannot mend end the task at once with their reason (contract decisions 4, 12)."""
    calls: list[int] = []
    task = await run_once(_raising(error, calls), max_attempts=3, runs=3)
    assert (task.status, task.failure_reason, task.failure_message) == (Status.FAILURE, reason, "no")
    assert len(calls) == 1


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("later"),
        EngineRateLimited("later", retry_after=0.0),
        TimedOut("later"),
        Broken("later"),
        ZeroDivisionError("a bug"),
        TimeoutError("an engine's own"),
        OSError("disk"),
        MemoryError(),
        RecursionError(),
        KeyError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_passing_errors(run_once: RunOnce, error: Exception) -> None:
    """Passing errors and bugs are tried again `max_attempts` times, then FAILURE without a reason (decision 28)."""
    calls: list[int] = []
    task = await run_once(_raising(error, calls), max_attempts=3, runs=5)
    assert (task.status, task.failure_reason) == (Status.FAILURE, None)
    assert task.failure_message
    assert len(calls) == 3


async def test_second_run_may_succeed(run_once: RunOnce) -> None:
    """One passing failure leaves no trace in the outcome."""
    calls: list[int] = []

    def work(job: GenerationJob, progress: Progress) -> Generation:
        calls.append(1)
        if len(calls) == 1:
            raise Broken("once")
        return images(1)

    task = await run_once(work, max_attempts=3, runs=3)
    assert (task.status, task.failure_message) == (Status.SUCCESS, None)


async def test_a_store_that_is_away_costs_no_run(run_once: RunOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the store refuses in the middle of a run: it is no failure of the task."""
    monkeypatch.setattr(verdict, "WAIT", 0.0)
    calls: list[int] = []

    def work(job: GenerationJob, progress: Progress) -> Generation:
        calls.append(1)
        if len(calls) < 5:
            raise StoreUnavailable("away")
        return images(1)

    task = await run_once(work, max_attempts=1, runs=5)
    assert (task.status, task.failure_message) == (Status.SUCCESS, None)


async def test_deadline_that_has_passed(run_once: RunOnce) -> None:
    """A task claimed after its deadline is TIMEOUT and no engine sees it (contract decision 28)."""
    calls: list[int] = []
    task = await run_once(_raising(Broken("never"), calls), seconds=-1.0)
    assert task.status is Status.TIMEOUT


async def test_progress_stays_in_bounds(run_once: RunOnce) -> None:
    """An engine's wild progress neither goes back nor says that all is done before it is."""

    def work(job: GenerationJob, progress: Progress) -> Generation:
        for fraction in (0.5, 0.1, 7.0, -1.0, float("nan")):
            progress(fraction, "stage")
        raise InputRefused("stop here")

    task = await run_once(work)
    assert 0.5 <= task.progress < 1.0


def _raising(error: BaseException, calls: list[int]) -> Work:
    def work(job: GenerationJob, progress: Progress) -> Generation:
        calls.append(1)
        raise error

    return work
