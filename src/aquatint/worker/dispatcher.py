"""The dispatcher: claims due deliveries and sends each on its own; slow hosts only ever delay themselves."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter

from aquatint.domain.delivery import ClaimedDelivery
from aquatint.services.deliver import DeliverService
from aquatint.services.signals import Signals
from aquatint.services.tools import SECOND, Clock
from aquatint.store.base import Store, StoreUnavailable
from aquatint.telemetry import Logger
from aquatint.worker.loop import IDLE, wait

LEASE = 180.0  # seconds; longer than any one delivery may take


class Dispatcher:
    """`concurrency` callbacks in flight, `per_host` of them to one host."""

    def __init__(
        self,
        store: Store,
        deliver: DeliverService,
        signals: Signals,
        clock: Clock,
        owner: str,
        concurrency: int,
        per_host: int,
        log: Logger,
    ) -> None:
        self._store = store
        self._deliver = deliver
        self._wake = signals.deliveries
        self._clock = clock
        self._owner = owner
        self._concurrency = concurrency
        self._per_host = per_host
        self._log = log
        self._sending: set[asyncio.Task[None]] = set()
        self._hosts: Counter[str] = Counter()
        self._stopping = False

    async def run(self) -> None:
        """Until `stop` is called."""
        while not self._stopping:
            try:
                claimed = await self._claim()
            except StoreUnavailable as error:
                self._log.error("store.refused", why=str(error))
                await asyncio.sleep(1.0)
                continue
            if not claimed and not self._stopping:
                await wait(self._wake, self._patience())

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
        now = self._clock.now()
        lease_end = now + int(LEASE * SECOND)
        claimed = await self._store.claim_deliveries(self._owner, limit, now, lease_end, self._busy())
        for delivery in claimed:
            self._hosts[delivery.host] += 1
            task = asyncio.create_task(self._deliver(delivery), name=f"delivery {delivery.id}")
            self._sending.add(task)
            task.add_done_callback(functools.partial(self._sent, delivery))
        return len(claimed)

    def _sent(self, delivery: ClaimedDelivery, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._hosts[delivery.host] -= 1
        if not self._hosts[delivery.host]:
            del self._hosts[delivery.host]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("delivery.broke", delivery=delivery.id, why=repr(error))
        self._wake.set()

    def _busy(self) -> list[str]:
        return [host for host, count in self._hosts.items() if count >= self._per_host]

    def _patience(self) -> float:
        if len(self._sending) >= self._concurrency:
            return IDLE
        due = self._store.next_delivery_due(self._busy())
        return IDLE if due is None else min(IDLE, max(0.001, (due - self._clock.now()) / SECOND))
