"""The herald: says every few seconds that this process is there, and keeps its clock with the others'."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aquatint.domain.errors import StoreUnavailable
from aquatint.services.attend import AttendService
from aquatint.services.tools import SECOND, STEP
from aquatint.telemetry import Logger

EVERY = 10.0  # seconds


class Herald:
    def __init__(self, attend: AttendService, log: Logger) -> None:
        self._attend = attend
        self._log = log
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop` is called; then it says good-bye."""
        while not self._stopping.is_set():
            await self._say(self._come)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), EVERY)
        await self._say(self._attend.leave)

    async def stop(self) -> None:
        self._stopping.set()

    async def _come(self) -> None:
        off = await self._attend()
        if abs(off) >= STEP:
            self._log.warning("clock.differs", seconds=round(off / SECOND, 1))

    async def _say(self, word: Callable[[], Awaitable[None]]) -> None:
        try:
            await word()
        except StoreUnavailable as error:
            self._log.error("store.refused", why=str(error))
