"""Aquatint on PostgreSQL: all in one process, and servers and workers as processes of their own."""

from __future__ import annotations

from dataclasses import replace

from bench import measures
from bench.postgres import Cluster
from bench.sections.single import HOUR_MS
from bench.stage import Stage
from bench.subjects import POSTGRES, Aquatint, Site


def shapes(cluster: Cluster) -> tuple[Aquatint, ...]:
    """How many processes there are; load goes to the servers in turn."""
    return (
        Aquatint(name=POSTGRES, cluster=cluster),
        Aquatint(name=f"{POSTGRES} 1+1", cluster=cluster, doors=1, workers=1),
        Aquatint(name=f"{POSTGRES} 2+2", cluster=cluster, doors=2, workers=2),
    )


async def run(stage: Stage, index: int) -> None:
    plan, generator = stage.plan, stage.generator

    async def submit_64(_: int, site: Site) -> None:
        values = await measures.submits(generator, site, 64, plan.apart)
        stage.say(index, site.subject.name, "submit 64", values)

    async def end_to_end(_: int, site: Site) -> None:
        name = site.subject.name
        stage.say(index, name, "low", await measures.pace(generator, site, plan.rate, plan.apart))
        values, bodies = await measures.flight(generator, site, plan.apart)
        stage.say(index, name, "flight", values)
        stage.say(index, name, "query 32", await measures.queries(generator, site, bodies, 32, plan.apart))

    if stage.cluster is None:
        return
    for shape in shapes(stage.cluster):
        await stage.on(index, replace(shape, delay_ms=HOUR_MS), submit_64, whole=False)
        await stage.on(index, shape, end_to_end)
