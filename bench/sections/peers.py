"""What people build by hand for the same job, and the one peer that is bought ready-made."""

from __future__ import annotations

from dataclasses import replace

from bench import measures
from bench.stacks import VISIBILITY, CeleryStack, ComfyProxy, PgQueuerStack
from bench.stage import Stage
from bench.subjects import ENGINE_MS, Site


async def run(stage: Stage, index: int) -> None:
    plan, generator, tools = stage.plan, stage.generator, stage.peers
    if tools is None:
        return

    def say(site: Site, measure: str, values: measures.Values) -> None:
        stage.say(index, site.subject.name, measure, values)

    async def submit_64(site: Site) -> None:
        say(site, "submit 64", await measures.submits(generator, site, 64, plan.submit))

    async def end_to_end(_: int, site: Site) -> None:
        say(site, "idle", await measures.idle(site, plan.settle, plan.idle / 2))
        say(site, "low", await measures.pace(generator, site, plan.rate, plan.low / 2))
        values, bodies = await measures.flight(generator, site, plan.flight)
        say(site, "flight", values)
        say(site, "query 32", await measures.queries(generator, site, bodies, 32, plan.query))
        await submit_64(site)  # last, as it leaves a queue behind

    async def slow_engine(_: int, site: Site) -> None:
        say(site, "engine", (await measures.flight(generator, site, plan.flight))[0])
        if index == 0:  # once: what is lost is waited for in vain, and that takes long
            quiet = 2.0 * VISIBILITY + 5 if "durable" in site.subject.name else VISIBILITY
            say(site, "kill", await measures.kill_all(generator, site, plan.kill_tasks, quiet))

    async def submit_and_query(_: int, site: Site) -> None:
        for connections in (16, 64):
            values, bodies = await measures.submits_kept(generator, site, connections, plan.submit)
            say(site, f"submit {connections}", values)
        say(site, "query 32", await measures.queries(generator, site, bodies, 32, plan.query))

    if tools.redis is not None:
        for durable in (False, True):
            stack = CeleryStack(tools.python, tools.redis, durable)
            await stage.on(index, stack, end_to_end)
            await stage.on(index, replace(stack, delay_ms=ENGINE_MS), slow_engine)
    if "pgqueuer" not in tools.without and stage.cluster is not None:
        await stage.on(index, PgQueuerStack(tools.python, stage.cluster), end_to_end)
    if "comfy-api-proxy" not in tools.without:
        await stage.on(index, ComfyProxy(tools.python), submit_and_query, whole=False)
