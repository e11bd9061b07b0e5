"""Where the server's time goes: cProfile around `aquatint serve` under submits and tasks end to end."""

from __future__ import annotations

import io
import pstats
from contextlib import AsyncExitStack
from pathlib import Path

from bench import measures
from bench.lanes import Receiver
from bench.measures import Generator
from bench.postgres import cluster
from bench.sections.single import HOUR_MS
from bench.subjects import Aquatint, running

SECONDS = 5.0
LINES = 40


async def profile(folder: Path, postgres: bool) -> str:
    """The functions of the event loop's thread with the most time of their own; the profiler slows all down."""
    parts = []
    async with AsyncExitStack() as stack:
        receiver = await Receiver().open()
        stack.push_async_callback(receiver.close)
        database = await stack.enter_async_context(cluster(folder)) if postgres else None
        generator = Generator(receiver, "profile")
        for name, delay in (("submit", HOUR_MS), ("flight", 0)):
            subject = Aquatint(profile=True, cluster=database, delay_ms=delay)
            async with running(subject, folder / name) as site:
                await measures.probe(generator, site, whole=not delay)
                if delay:
                    await measures.submits(generator, site, 64, SECONDS)
                else:
                    await measures.flight(generator, site, SECONDS)
                site.procs[0].stop()
            parts += [f"== {name}, 64 connections", table(folder / name / "profile", "tottime")]
            parts.append(table(folder / name / "profile", "cumulative"))
    return "\n".join(parts)


def table(file: Path, order: str) -> str:
    out = io.StringIO()
    pstats.Stats(str(file), stream=out).strip_dirs().sort_stats(order).print_stats(LINES)
    return out.getvalue()
