"""Callbacks at scale: how many a second, how soon after a task's end, and what dead receivers do to the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

from bench import database, measures
from bench.lanes import now
from bench.load import QUIET, Submitter, opened, settled
from bench.plan import Values
from bench.receivers import Dead, dead_receivers
from bench.stage import Stage
from bench.subjects import POSTGRES, Aquatint, Site

UPDATED = b'"updated_at":"'
LATER = {"AQUATINT_WEBHOOKS__FIRST_DELAY": "1h"}
UNENDED = "SELECT count(*) FROM task WHERE phase < 2"
DUE_NOW = "UPDATE delivery SET next_at = 0 WHERE state = 'pending'"
TO_DEAD = 0.5  # of the load that goes to living receivers goes to dead ones, too


def subjects(stage: Stage, **more: object) -> list[Aquatint]:
    """Both databases, one process each."""
    found = [Aquatint(**more)]  # type: ignore[arg-type]
    if stage.cluster is not None:
        found.append(Aquatint(name=POSTGRES, cluster=stage.cluster, **more))  # type: ignore[arg-type]
    return found


async def run(stage: Stage, index: int) -> None:
    async def rate(_: int, site: Site) -> None:
        stage.say(index, site.subject.name, "webhook rate", await _rate(stage, site))

    async def lag(_: int, site: Site) -> None:
        stage.say(index, site.subject.name, "webhook lag", await _lag(stage, site))
        async with dead_receivers(stage.plan.dead) as dead:
            stage.say(index, site.subject.name, "webhook lag, dead", await _beside_dead(stage, site, dead))

    for subject in subjects(stage, settings=LATER):
        await stage.on(index, subject, rate, whole=False)
    for subject in subjects(stage):
        await stage.on(index, subject, lag)


async def _rate(stage: Stage, site: Site) -> Values:
    """First attempts a second when many are due: callbacks that lie far ahead are made due while nobody runs."""
    generator, plan, receiver = stage.generator, stage.plan, stage.generator.receiver
    receiver.forget()
    submitter = Submitter(site.ports, generator.messages(site), generator.block(), 64)
    async with opened(submitter.lanes):
        await submitter.burst(plan.backlog)
    while await database.number(site, UNENDED):
        await asyncio.sleep(0.2)
    site.kill()
    await database.write(site, DUE_NOW)
    await site.restart()
    meter = measures.Meter(site.weighed())
    missing = await settled(lambda: len(submitter.sent.keys() - receiver.arrived.keys()))
    arrived = sorted(receiver.arrived.values())
    seconds = max(1e-9, arrived[-1] - arrived[0]) if arrived else 1e-9
    return {"per_s": len(arrived) / seconds, "missing": missing, **measures.cost(meter.read())}


async def _lag(stage: Stage, site: Site, quiet: float = QUIET) -> Values:
    """From the end of a task, as its callback names it, to the arrival of the callback."""
    lags: list[float] = []

    def read(n: int, body: bytes) -> None:
        at = body.find(UPDATED) + len(UPDATED)
        ended = datetime.fromisoformat(body[at : at + 27].decode().replace("Z", "+00:00"))
        lags.append(time.time() - ended.timestamp())

    plan = stage.plan
    stage.generator.receiver.reader = read
    try:
        values = await measures.pace(stage.generator, site, plan.hook_rate, plan.hook_seconds, quiet)
    finally:
        stage.generator.receiver.reader = None
    lags += [quiet] * int(values["missing"])  # at least so late
    return {**measures.latency("lag", lags), **values}


async def _beside_dead(stage: Stage, site: Site, dead: Sequence[Dead]) -> Values:
    """The same while others never get their callbacks: some are due already, and more keep coming."""
    plan, generator = stage.plan, stage.generator
    submitters = [
        Submitter(site.ports, generator.messages_to(site, one.host, one.port), generator.block(), 1) for one in dead
    ]
    lanes = [lane for submitter in submitters for lane in submitter.lanes]
    async with opened(lanes):
        await asyncio.gather(*(submitter.burst(plan.dead_each) for submitter in submitters))
        await asyncio.sleep(1.0)
        more = asyncio.create_task(_keep_coming(submitters, plan.hook_rate * TO_DEAD))
        try:
            values = await _lag(stage, site, plan.dead_quiet)
        finally:
            more.cancel()
    return {**values, "dead": len(dead)}


async def _keep_coming(submitters: Sequence[Submitter], rate: float) -> None:
    begin = now()
    index = 0
    while True:
        submitters[index % len(submitters)].due(now())
        index += 1
        await asyncio.sleep(max(0.0, begin + index / rate - now()))
