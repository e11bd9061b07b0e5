"""Cancel: end a task at once, wherever it is; the engine that runs it stops."""

from __future__ import annotations

from aquatint.domain.errors import Conflict, NotFound
from aquatint.domain.task import TERMINAL, Status, Task
from aquatint.services.query import QueryService
from aquatint.services.settle import Outcome, SettleService
from aquatint.services.signals import Signals
from aquatint.store.base import Store

TRIES = 5  # a claim may come between reading the task and settling it; each try reads it anew


class CancelService:
    def __init__(self, query: QueryService, settle: SettleService, signals: Signals, store: Store) -> None:
        self._store = store
        self._query = query
        self._settle = settle
        self._signals = signals

    async def __call__(self, task_id: str, key_id: str) -> Task:
        """Cancel; cancelling a cancelled task changes nothing. Raises NotFound, Conflict when it ended otherwise."""
        for _ in range(TRIES):
            task = await self._query(task_id, key_id)
            if task.status is Status.CANCELLED:
                return task
            if task.status in TERMINAL:
                raise Conflict("the task has already ended")
            message = "the task was cancelled by its owner"
            if await self._settle(task, Outcome(Status.CANCELLED, failure_message=message)):
                self._signals.stop_task(task_id)
                await self._store.announce("stop", task_id)
                return await self._query(task_id, key_id)
        raise NotFound("task not found")
