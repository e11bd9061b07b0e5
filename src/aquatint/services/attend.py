"""Attend: a process says that it is there, so that others know which engines somebody serves."""

from __future__ import annotations

from collections.abc import Sequence

from aquatint.domain.task import Micros
from aquatint.services.tools import Clock
from aquatint.store.base import Store


class AttendService:
    """`engines` are set up in this process, `works` those whose tasks it takes."""

    def __init__(self, store: Store, clock: Clock, owner: str, engines: Sequence[str], works: Sequence[str]) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._engines = tuple(engines)
        self._works = tuple(works)

    async def __call__(self) -> Micros:
        """Say it, and keep our clock with the database's; how far it was off."""
        off = 0
        if (now := await self._store.now()) is not None:
            off = self._clock.slew(now)
        await self._store.attend(self._owner, self._engines, self._works, self._clock.now())
        return off

    async def leave(self) -> None:
        await self._store.leave(self._owner)
