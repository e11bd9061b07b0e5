"""Survey: what the database says of everybody's work, asked so rarely that watching costs nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from aquatint.domain.errors import StoreUnavailable
from aquatint.services.lanes import LaneService
from aquatint.services.tools import Clock
from aquatint.store.base import Store
from aquatint.telemetry import Survey

FRESH = 5.0  # seconds that a survey is believed, however many ask
PATIENCE = 3.0  # seconds; a database that takes longer counts as gone, and the rest is shown without it
MOST_UNKNOWN = 1000  # unknown calls counted


class SurveyService:
    def __init__(self, store: Store, lanes: LaneService, clock: Clock) -> None:
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._asking = asyncio.Lock()
        self._taken: tuple[float, Survey | None] | None = None

    async def __call__(self) -> Survey | None:
        """At most some seconds old; None when the database does not answer."""
        async with self._asking:
            now = time.monotonic()
            if self._taken is None or now - self._taken[0] > FRESH:
                self._taken = (now, await self._look())
            return self._taken[1]

    async def _look(self) -> Survey | None:
        try:
            async with asyncio.timeout(PATIENCE):
                lanes = await self._lanes.listing()
                providers = await self._store.providers()
                unknown = await self._store.recent_calls(True, MOST_UNKNOWN)
        except (StoreUnavailable, TimeoutError):
            return None
        counts = Counter(call.engine for _, call in unknown)
        return Survey(self._clock.now(), tuple(lanes), tuple(providers), counts)
