"""Replay: make the callbacks of a span of time again, for a receiver that was down or lost them."""

from __future__ import annotations

from aquatint.domain.delivery import ReplayFilter
from aquatint.services.signals import Signals
from aquatint.services.tools import Clock
from aquatint.store.base import Store

BATCH = 1000


class ReplayService:
    def __init__(self, store: Store, signals: Signals, clock: Clock) -> None:
        self._store = store
        self._signals = signals
        self._clock = clock

    async def __call__(self, wanted: ReplayFilter) -> int:
        """How many deliveries are due again; each gets a fresh schedule."""
        now = self._clock.now()
        count = 0
        while made := await self._store.replay(wanted, now, BATCH):
            count += made
            self._signals.deliveries.set()
            if made < BATCH:
                break
        return count
