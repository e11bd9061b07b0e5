"""Outcome: wait for a task's end, and hear of it at once where it ends in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from aquatint.domain.errors import RateLimited
from aquatint.domain.task import TERMINAL, Task
from aquatint.services.query import QueryService
from aquatint.services.signals import Signals
from aquatint.services.wait import WaitService

LOOK = 1.0  # seconds between two looks where the key has too many listeners


class OutcomeService:
    def __init__(self, query: QueryService, wait: WaitService, signals: Signals) -> None:
        self._query = query
        self._wait = wait
        self._waiting: dict[str, set[asyncio.Event]] = {}
        signals.on_ended(self._tell)

    async def __call__(self, task_id: str, key_id: str, seconds: float) -> Task:
        """The task as it is when it has ended, after so many seconds, or when the server stops. Raises NotFound."""
        with self._listening(task_id) as ended:
            task = await self._query(task_id, key_id)
            if task.status in TERMINAL or seconds <= 0:
                return task
            here = asyncio.create_task(ended.wait())
            anywhere = asyncio.create_task(self._elsewhere(task_id, key_id, seconds))
            try:
                await asyncio.wait((here, anywhere), return_when=asyncio.FIRST_COMPLETED)
                return anywhere.result() if anywhere.done() else await self._query(task_id, key_id)
            finally:
                here.cancel()
                anywhere.cancel()
                await asyncio.gather(here, anywhere, return_exceptions=True)

    async def _elsewhere(self, task_id: str, key_id: str, seconds: float) -> Task:
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        try:
            return await self._wait(task_id, key_id, seconds)
        except RateLimited:  # the task is there already, so its caller is not sent away
            while True:
                task = await self._query(task_id, key_id)
                if task.status in TERMINAL or clock() >= end:
                    return task
                await asyncio.sleep(min(LOOK, max(0.0, end - clock())))

    @contextlib.contextmanager
    def _listening(self, task_id: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        listeners = self._waiting.setdefault(task_id, set())
        listeners.add(event)
        try:
            yield event
        finally:
            listeners.discard(event)
            if not listeners and self._waiting.get(task_id) is listeners:
                del self._waiting[task_id]

    def _tell(self, task_id: str) -> None:
        for event in self._waiting.get(task_id, ()):
            event.set()
