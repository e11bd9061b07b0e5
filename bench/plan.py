"""What is measured in which order and for how long; rounds are interleaved so that a slow minute hits all sides."""

from __future__ import annotations

import gc
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import measures
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


FULL = Plan(rounds=3, submit=3.5, query=3.0, low=8.0, flight=4.0, idle=4.0, settle=2.0, kill_tasks=480)
QUICK = Plan(rounds=1, submit=1.5, query=1.0, low=3.0, flight=2.0, idle=1.5, settle=1.0, kill_tasks=240)


@dataclass(frozen=True, slots=True)
class Sample:
    """One measure of one subject in one round; `failed` says why there are no values."""

    round: int
    subject: str
    measure: str
    values: Values
    failed: str = ""


class Runner:
    """Runs the plan and hands every sample on as soon as it is there."""

    def __init__(self, plan: Plan, generator: Generator, scratch: Path, emit: Callable[[Sample], None]) -> None:
        self._plan = plan
        self._generator = generator
        self._scratch = scratch
        self._emit = emit
        self._starts = 0

    async def run(self, peers: PeerTools | None) -> None:
        for index in range(self._plan.rounds):
            await self._aquatint(index)
            if peers is not None:
                for durable in (False, True):
                    stack = CeleryStack(peers.python, peers.redis, durable)
                    await self._peer(index, stack)

    async def _aquatint(self, index: int) -> None:
        """Ours, and the floors right beside the measure that they are compared with."""
        plan, generator = self._plan, self._generator
        async with self._started(index, Aquatint(delay_ms=HOUR_MS), "submit", whole=False) as site:
            for connections in (16, 64):
                got = await measures.submits(generator, site, connections, plan.submit)
                self._say(index, site, f"submit {connections}", got)
        for floor in FLOORS:
            async with self._started(index, floor, "submit 64", whole=False) as site:
                self._say(index, site, "submit 64", await measures.submits(generator, site, 64, plan.submit))
        async with self._started(index, Aquatint(), "idle, low, flight, query") as site:
            self._say(index, site, "idle", await measures.idle(site, plan.settle, plan.idle))
            self._say(index, site, "low", await measures.low(generator, site, plan.rate, plan.low))
            values, bodies = await measures.flight(generator, site, plan.flight)
            self._say(index, site, "flight", values)
            self._say(index, site, "query 32", await measures.queries(generator, site, bodies, 32, plan.query))
        slow = Aquatint(delay_ms=ENGINE_MS, slots=SLOTS)
        async with self._started(index, slow, "engine, kill") as site:
            self._say(index, site, "engine", (await measures.flight(generator, site, plan.flight))[0])
            self._say(index, site, "kill", await measures.kill_all(generator, site, plan.kill_tasks, 15.0))

    async def _peer(self, index: int, stack: CeleryStack) -> None:
        plan, generator = self._plan, self._generator
        async with self._started(index, stack, "idle, low, flight, submit") as site:
            self._say(index, site, "idle", await measures.idle(site, plan.settle, plan.idle / 2))
            self._say(index, site, "low", await measures.low(generator, site, plan.rate, plan.low / 2))
            self._say(index, site, "flight", (await measures.flight(generator, site, plan.flight))[0])
            # Last, as it leaves a queue behind.
            self._say(index, site, "submit 64", await measures.submits(generator, site, 64, plan.submit))
        async with self._started(index, replace(stack, delay_ms=ENGINE_MS), "engine, kill") as site:
            self._say(index, site, "engine", (await measures.flight(generator, site, plan.flight))[0])
            if index == 0:  # once: what is lost is waited for in vain, and that takes long
                quiet = 2.0 * VISIBILITY + 5
                self._say(index, site, "kill", await measures.kill_all(generator, site, plan.kill_tasks, quiet))

    @asynccontextmanager
    async def _started(
        self, index: int, subject: Subject, what: str, *, whole: bool = True
    ) -> AsyncIterator[Site]:
        """A warm server for the block; a server that does not run is a result too."""
        self._starts += 1
        folder = self._scratch / str(self._starts)
        tail = ""
        try:
            async with running(subject, folder) as site:
                try:
                    await measures.probe(self._generator, site, whole=whole)
                    gc.collect()
                    yield site
                except Exception:
                    tail = site.log_tail()
                    raise
        except Exception as error:
            why = f"{type(error).__name__}: {error}\n{tail}"
            self._emit(Sample(index, subject.name, what, {}, why))

    def _say(self, index: int, site: Site, measure: str, values: Values) -> None:
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        self._emit(Sample(index, site.subject.name, measure, known))
