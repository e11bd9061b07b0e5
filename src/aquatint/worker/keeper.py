"""The keeper: renews the leases of everything that this process runs, and lets go of what it has lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from aquatint.domain.errors import StoreUnavailable
from aquatint.services.claim import Leases
from aquatint.telemetry import Logger
from aquatint.worker.dispatcher import Dispatcher
from aquatint.worker.runner import Runner


class Keeper:
    """`lease` is how long a claim holds, in seconds; it is renewed four times in that span."""

    def __init__(
        self, leases: Leases, runners: Sequence[Runner], dispatcher: Dispatcher, lease: float, log: Logger
    ) -> None:
        self._leases = leases
        self._runners = runners
        self._dispatcher = dispatcher
        self._every = lease / 4
        self._log = log
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop` is called."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._every)
            mine = {no for runner in self._runners for no in runner.running()}
            sending = self._dispatcher.sending()
            if not mine and not sending:
                continue
            try:
                kept = await self._leases.renew(mine, sending)
            except StoreUnavailable as error:
                self._log.error("store.refused", why=str(error))
                continue
            for runner in self._runners:
                runner.let_go(mine - kept)

    async def stop(self) -> None:
        """Renewing goes on until here: the runners may still be draining."""
        await asyncio.gather(*(runner.stopped.wait() for runner in self._runners))
        self._stopping.set()
