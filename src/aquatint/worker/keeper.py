"""The keeper: renews the leases of everything that this process runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from aquatint.domain.errors import StoreUnavailable
from aquatint.services.claim import TASK_LEASE, Leases
from aquatint.telemetry import Logger
from aquatint.worker.runner import Runner


class Keeper:
    def __init__(self, leases: Leases, runners: Sequence[Runner], log: Logger) -> None:
        self._leases = leases
        self._runners = runners
        self._log = log
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop` is called."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), TASK_LEASE / 3)
            if any(runner.busy for runner in self._runners):
                try:
                    await self._leases.renew()
                except StoreUnavailable as error:
                    self._log.error("store.refused", why=str(error))

    async def stop(self) -> None:
        """The runners have stopped before."""
        self._stopping.set()
