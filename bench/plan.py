"""What is measured in which order and for how long; rounds are interleaved so that a slow minute hits all sides."""

from __future__ import annotations

import gc
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench import measures
from bench.lanes import now
from bench.measures import Generator, Values
from bench.peer_env import PeerTools
from bench.subjects import ENGINE_MS, SLOTS, VISIBILITY, Aquatint, CeleryStack, Floor, Site, Subject, running

HOUR_MS = 3_600_000
FLOORS = (
    Floor("starlette + group commit", "starlette", durable=True),
    Floor("bare ASGI + group commit", "asgi", durable=True),
    Floor("bare ASGI, no store", "asgi", durable=False),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Durations in seconds."""

    rounds: int
    submit: float
    query: float
    low: float
    flight: float
    idle: float
    settle: float
    kill_tasks: int
    rate: float = 20.0
    limit: float = 480.0  # no further round begins that would end after this
    quiet: float = 15.0  # without any callback, then what is missing is lost


FULL = Plan(rounds=3, submit=3.0, query=2.5, low=7.0, flight=4.0, idle=3.0, settle=1.5, kill_tasks=480)
QUICK = Plan(rounds=1, submit=1.5, query=1.0, low=3.0, flight=2.0, idle=1.5, settle=1.0, kill_tasks=240)


@dataclass(frozen=True, slots=True)
class Sample:
    """One measure of one subject in one round; `failed` says why there are no values."""

    round: int
    subject: str
    measure: str
    values: Values
    failed: str = ""
    log: str = ""  # the end of the server's log when it failed


Work = Callable[[int, Site], Awaitable[None]]
Emit = Callable[[Sample], None]


class Runner:
    """Runs the plan and hands every sample on as soon as it is there."""

    def __init__(self, plan: Plan, generator: Generator, scratch: Path, emit: Emit) -> None:
        self._plan = plan
        self._generator = generator
        self._scratch = scratch
        self._emit = emit
        self._starts = 0

    async def run(self, peers: PeerTools | None) -> None:
        start = now()
        for index in range(self._plan.rounds):
            if index and (now() - start) * (index + 1) / index > self._plan.limit:
                break
            await self._aquatint(index)
            if peers is not None:
                for durable in (False, True):
                    stack = CeleryStack(peers.python, peers.redis, durable)
                    await self._peer(index, stack)

    async def _aquatint(self, index: int) -> None:
        """Ours, and the floors right beside the measure that they are compared with."""
        await self._on(index, Aquatint(delay_ms=HOUR_MS), self._submits, whole=False)
        for floor in FLOORS:
            await self._on(index, floor, self._submit_64, whole=False)
        await self._on(index, Aquatint(), self._end_to_end)
        await self._on(index, Aquatint(delay_ms=ENGINE_MS, slots=SLOTS), self._slow_engine)

    async def _submits(self, index: int, site: Site) -> None:
        self._say(index, site, "submit 16", await measures.submits(self._generator, site, 16, self._plan.submit))
        await self._submit_64(index, site)

    async def _submit_64(self, index: int, site: Site) -> None:
        self._say(index, site, "submit 64", await measures.submits(self._generator, site, 64, self._plan.submit))

    async def _end_to_end(self, index: int, site: Site) -> None:
        plan, generator = self._plan, self._generator
        self._say(index, site, "idle", await measures.idle(site, plan.settle, plan.idle))
        self._say(index, site, "low", await measures.low(generator, site, plan.rate, plan.low))
        values, bodies = await measures.flight(generator, site, plan.flight)
        self._say(index, site, "flight", values)
        self._say(index, site, "query 32", await measures.queries(generator, site, bodies, 32, plan.query))

    async def _slow_engine(self, index: int, site: Site) -> None:
        plan, generator = self._plan, self._generator
        self._say(index, site, "engine", (await measures.flight(generator, site, plan.flight))[0])
        self._say(index, site, "kill", await measures.kill_all(generator, site, plan.kill_tasks, plan.quiet))

    async def _peer(self, index: int, stack: CeleryStack) -> None:
        await self._on(index, stack, self._peer_end_to_end)
        await self._on(index, replace(stack, delay_ms=ENGINE_MS), self._peer_slow_engine)

    async def _peer_end_to_end(self, index: int, site: Site) -> None:
        plan, generator = self._plan, self._generator
        self._say(index, site, "idle", await measures.idle(site, plan.settle, plan.idle / 2))
        self._say(index, site, "low", await measures.low(generator, site, plan.rate, plan.low / 2))
        self._say(index, site, "flight", (await measures.flight(generator, site, plan.flight))[0])
        await self._submit_64(index, site)  # last, as it leaves a queue behind

    async def _peer_slow_engine(self, index: int, site: Site) -> None:
        plan, generator = self._plan, self._generator
        self._say(index, site, "engine", (await measures.flight(generator, site, plan.flight))[0])
        if index == 0:  # once: what is lost is waited for in vain, and that takes long
            quiet = 2.0 * VISIBILITY + 5 if "durable" in site.subject.name else VISIBILITY
            self._say(index, site, "kill", await measures.kill_all(generator, site, plan.kill_tasks, quiet))

    async def _on(self, index: int, subject: Subject, work: Work, *, whole: bool = True) -> None:
        """Do the work on a warm server; one that does not run is a result too."""
        self._starts += 1
        folder = self._scratch / str(self._starts)
        log = ""
        try:
            async with running(subject, folder) as site:
                try:
                    await measures.probe(self._generator, site, whole=whole)
                    gc.collect()
                    await work(index, site)
                except Exception:  # the log is gone once the server is stopped; keep its end, then go on failing
                    log = site.log_tail()
                    raise
        except Exception as error:  # a subject that does not run is a result, too, and the others go on
            why = f"{type(error).__name__}: {error}"
            self._emit(Sample(index, subject.name, work.__name__.strip("_"), {}, why, log))

    def _say(self, index: int, site: Site, measure: str, values: Values) -> None:
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        self._emit(Sample(index, site.subject.name, measure, known))
