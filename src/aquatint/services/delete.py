"""Delete: forget a task that has ended, with what was sent and what came back."""

from __future__ import annotations

from aquatint.domain.errors import Conflict
from aquatint.services.query import QueryService
from aquatint.services.tools import Clock
from aquatint.store.base import Store


class DeleteService:
    def __init__(self, query: QueryService, store: Store, clock: Clock) -> None:
        self._query = query
        self._store = store
        self._clock = clock

    async def __call__(self, task_id: str, key_id: str) -> None:
        """From here on the task is unknown; the sweeper deletes the bytes. Raises NotFound, Conflict."""
        task = await self._query(task_id, key_id)
        if not await self._store.delete(task.no, self._clock.now()):
            raise Conflict("the task has not ended; cancel it first")
