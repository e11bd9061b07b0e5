"""Where the server's time goes: cProfile around `aquatint serve` under submits and tasks end to end."""

from __future__ import annotations

import io
import pstats
from pathlib import Path

from bench import measures
from bench.lanes import Receiver
from bench.measures import Generator
from bench.subjects import Aquatint, running

SECONDS = 5.0
LINES = 40


async def profile(folder: Path) -> str:
    """The functions of the event loop's thread with the most time of their own; the profiler slows all down."""
    receiver = await Receiver().open()
    generator = Generator(receiver, "profile")
    async with running(Aquatint(profile=True), folder) as site:
        await measures.probe(generator, site, whole=True)
        await measures.submits(generator, site, 64, SECONDS)
        await measures.flight(generator, site, SECONDS)
        site.procs[0].stop()
    await receiver.close()
    out = io.StringIO()
    pstats.Stats(str(folder / "profile"), stream=out).strip_dirs().sort_stats("tottime").print_stats(LINES)
    return out.getvalue()
