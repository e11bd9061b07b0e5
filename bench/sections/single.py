"""One `aquatint serve` on SQLite, and the floors right beside the measure that they are compared with."""

from __future__ import annotations

from bench import measures
from bench.stage import Stage
from bench.subjects import ENGINE_MS, SLOTS, Aquatint, Floor, Site

HOUR_MS = 3_600_000
FLOORS = (
    Floor("starlette + group commit", "starlette", durable=True),
    Floor("bare ASGI + group commit", "asgi", durable=True),
    Floor("bare ASGI, no store", "asgi", durable=False),
)


async def run(stage: Stage, index: int) -> None:
    plan, generator = stage.plan, stage.generator

    def say(site: Site, measure: str, values: measures.Values) -> None:
        stage.say(index, site.subject.name, measure, values)

    async def submits(_: int, site: Site) -> None:
        say(site, "submit 16", await measures.submits(generator, site, 16, plan.submit))
        await submit_64(_, site)

    async def submit_64(_: int, site: Site) -> None:
        say(site, "submit 64", await measures.submits(generator, site, 64, plan.submit))

    async def end_to_end(_: int, site: Site) -> None:
        say(site, "idle", await measures.idle(site, plan.settle, plan.idle))
        say(site, "low", await measures.pace(generator, site, plan.rate, plan.low))
        values, bodies = await measures.flight(generator, site, plan.flight)
        say(site, "flight", values)
        say(site, "query 32", await measures.queries(generator, site, bodies, 32, plan.query))

    async def slow_engine(_: int, site: Site) -> None:
        say(site, "engine", (await measures.flight(generator, site, plan.flight))[0])
        say(site, "kill", await measures.kill_all(generator, site, plan.kill_tasks, plan.quiet))

    await stage.on(index, Aquatint(delay_ms=HOUR_MS), submits, whole=False)
    for floor in FLOORS:
        await stage.on(index, floor, submit_64, whole=False)
    await stage.on(index, Aquatint(), end_to_end)
    await stage.on(index, Aquatint(delay_ms=ENGINE_MS, slots=SLOTS), slow_engine)
