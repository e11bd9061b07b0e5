"""Lanes: the operator looks at the lines in front of the engines, pauses and resumes them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aquatint.domain.errors import NotFound
from aquatint.domain.lane import LaneState
from aquatint.services.signals import Signals
from aquatint.store.base import Store

LOOK = 0.2  # seconds between two looks whether a lane has run dry


class LaneService:
    """`engines` are those that are set up here."""

    def __init__(self, store: Store, signals: Signals, engines: Sequence[str]) -> None:
        self._store = store
        self._signals = signals
        self._engines = frozenset(engines)

    async def listing(self) -> list[LaneState]:
        """Every lane of an engine that is set up here, or in which something still waits."""
        known = {state.name: state for state in await self._store.lanes()}
        empty = {name: LaneState(name, False, 0, 0, None) for name in self._engines}
        return [state for _, state in sorted({**empty, **known}.items())]

    async def pause(self, lane: str, wait: float) -> LaneState:
        """Let nothing more of the lane be taken, and wait up to `wait` seconds until nothing of it runs."""
        await self._find(lane)
        await self._store.pause_lane(lane, True)
        end = asyncio.get_running_loop().time() + wait
        # Other processes run tasks, too, so there is no event to wait for.
        while (state := await self._find(lane)).running and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
            await asyncio.sleep(LOOK)
        return state

    async def resume(self, lane: str) -> LaneState:
        await self._find(lane)
        await self._store.pause_lane(lane, False)
        self._signals.work(lane)
        return await self._find(lane)

    async def _find(self, lane: str) -> LaneState:
        """Raises NotFound."""
        for state in await self.listing():
            if state.name == lane:
                return state
        raise NotFound("there is no such lane")
