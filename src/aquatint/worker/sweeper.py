"""The sweeper: deadlines every second, leases and retention more rarely, orphaned files once a day."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aquatint.domain.errors import AquatintError
from aquatint.services.sweep import SweepService
from aquatint.telemetry import Logger


class Sweeper:
    """`lease` is how long a claim holds, in seconds; whoever stops renewing his is noticed a quarter of it later."""

    def __init__(self, sweep: SweepService, lease: float, log: Logger) -> None:
        self._log = log
        self._rounds: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (1.0, sweep.deadlines),
            (min(10.0, lease / 4), sweep.leases),
            (30.0, sweep.strays),
            (30.0, sweep.retention),
            (86400.0, sweep.orphans),
        ]
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop` is called."""
        async with asyncio.TaskGroup() as group:
            for every, sweep in self._rounds:
                group.create_task(self._repeat(every, sweep))

    async def stop(self) -> None:
        self._stopping.set()

    async def _repeat(self, every: float, sweep: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await sweep()
            except (AquatintError, OSError) as error:
                self._log.error("sweep.failed", why=repr(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), every)
