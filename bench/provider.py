"""The paid providers, simulated: `aquatint simulate` in a process of its own, which shares the cores."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.messages import SECRET
from bench.procs import Proc, free_port, listening
from bench.subjects import PROGRAM, ROOT, SCRIPT

MODEL = "waiting"
# Its pictures are small: this is about waiting for them.
CATALOG = """
[sizes.small."2k"]
"16:9" = [688, 384]

[models."waiting"]
title = "a job at a provider"
family = "test"
sizes = "small"
default_ratio = "16:9"
default_resolution = "2k"
routes = [{ engine = "fal", remote_model = "fal-ai/flux-2", options = { schema = "generic" } }]
"""


@dataclass(frozen=True, slots=True)
class Provider:
    port: int
    proc: Proc


@asynccontextmanager
async def simulated(folder: Path, job_seconds: float = 0.0) -> AsyncIterator[Provider]:
    """While the block lasts. Its key is that of every server here; a picture that it remembers costs it nothing."""
    folder.mkdir()
    port = free_port()
    (folder / SCRIPT).write_text(PROGRAM)
    options = ["simulate", "--plain", "--port", str(port), "--key", SECRET, "--job-seconds", str(job_seconds)]
    proc = Proc([sys.executable, str(folder / SCRIPT), *options], {}, folder / "simulator.log", ROOT)
    try:
        await listening(port)
        yield Provider(port, proc)
    finally:
        proc.kill()
