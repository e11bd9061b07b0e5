"""The dispatcher: claims due deliveries and sends each on its own; slow hosts only ever delay themselves."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter

from aquatint.domain.delivery import ClaimedDelivery
from aquatint.domain.errors import StoreUnavailable
from aquatint.services.claim import DeliveryClaims
from aquatint.services.deliver import DeliverService
from aquatint.services.signals import Signals
from aquatint.telemetry import Logger
from aquatint.worker.loop import IDLE, REFUSED, wait


class Dispatcher:
    """`concurrency` callbacks in flight, `per_host` of them to one host."""

    def __init__(
        self,
        claims: DeliveryClaims,
        deliver: DeliverService,
        signals: Signals,
        concurrency: int,
        per_host: int,
        log: Logger,
    ) -> None:
        self._claims = claims
        self._deliver = deliver
        self._wake = signals.deliveries
        self._concurrency = concurrency
        self._per_host = per_host
        self._log = log
        self._sending: set[asyncio.Task[float | None]] = set()
        self._hosts: Counter[str] = Counter()
        self._stopping = False

    async def run(self) -> None:
        """Until `stop` is called."""
        while not self._stopping:
            try:
                claimed = await self._claim()
                patience = 0.0 if claimed or self._stopping else await self._patience()
            except StoreUnavailable as error:
                self._log.error("store.refused", why=str(error))
                patience = REFUSED
            if patience:
                await wait(self._wake, patience)

    async def stop(self) -> None:
        """Send nothing more. What is under way is cut and comes due again: at least once, never lost."""
        self._stopping = True
        self._wake.set()
        if self._sending:
            await asyncio.wait(self._sending, timeout=2.0)
        for task in list(self._sending):
            task.cancel()
        if self._sending:
            await asyncio.wait(self._sending)

    async def _claim(self) -> int:
        room = self._concurrency - len(self._sending)
        if room <= 0:
            return 0
        # No batch may take a host over its limit, so it is no larger than the room of the fullest open host.
        fullest = max((n for n in self._hosts.values() if n < self._per_host), default=0)
        limit = min(room, self._per_host - fullest)
        claimed = await self._claims.take(limit, self._busy())
        for delivery in claimed:
            self._hosts[delivery.host] += 1
            task = asyncio.create_task(self._deliver(delivery), name=f"delivery {delivery.id}")
            self._sending.add(task)
            task.add_done_callback(functools.partial(self._sent, delivery))
        return len(claimed)

    def _sent(self, delivery: ClaimedDelivery, task: asyncio.Task[float | None]) -> None:
        self._sending.discard(task)
        was_full = len(self._sending) + 1 >= self._concurrency or self._hosts[delivery.host] >= self._per_host
        self._hosts[delivery.host] -= 1
        if not self._hosts[delivery.host]:
            del self._hosts[delivery.host]
        if not task.cancelled():
            if (error := task.exception()) is not None:
                self._log.error("delivery.broke", delivery=delivery.id, why=repr(error))
            elif (again_in := task.result()) is not None and again_in < IDLE:
                # The loop may already sleep, not knowing of this try: without a call it would come late.
                asyncio.get_running_loop().call_later(again_in, self._wake.set)
        if was_full:
            self._wake.set()

    def _busy(self) -> list[str]:
        return [host for host, count in self._hosts.items() if count >= self._per_host]

    async def _patience(self) -> float:
        if len(self._sending) >= self._concurrency:
            return IDLE
        due_in = await self._claims.due_in(self._busy())
        return IDLE if due_in is None else min(IDLE, due_in)
