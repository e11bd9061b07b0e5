"""Latency against offered load: tasks come at a fixed rate, whatever the answers do."""

from __future__ import annotations

from bench import measures
from bench.plan import KEPT_UP
from bench.sections.postgres import shapes
from bench.stage import Stage
from bench.subjects import Aquatint, Site


async def run(stage: Stage, index: int) -> None:
    plan = stage.plan

    async def offered(_: int, site: Site) -> None:
        for rate in plan.offered:
            values = await measures.pace(stage.generator, site, rate, plan.offered_seconds)
            stage.say(index, site.subject.name, f"load {rate}", values)
            if values["per_s"] < rate * KEPT_UP:
                return  # more load shows nothing new

    subjects = [Aquatint()]
    if stage.cluster is not None:
        several = shapes(stage.cluster)
        subjects += [several[0], several[-1]]
    for subject in subjects:
        await stage.on(index, subject, offered)
