"""Wait: answer once a task has ended, or after a while."""

from __future__ import annotations

import asyncio

from aquatint.domain.task import TERMINAL, Task
from aquatint.services.follow import FollowService
from aquatint.services.query import QueryService


class WaitService:
    def __init__(self, query: QueryService, follow: FollowService) -> None:
        self._query = query
        self._follow = follow

    async def __call__(self, task_id: str, key_id: str, seconds: float) -> Task:
        """The task as it is when it has ended, after so many seconds, or when the server stops.

        Raises NotFound, RateLimited when too many listen for this key.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        task = await self._query(task_id, key_id)
        if task.status in TERMINAL:
            return task
        with self._follow.listening(key_id, task.no, moves=False) as listener:
            while True:
                listener.changed = False
                task = await self._query(task_id, key_id)
                left = end - clock()
                if task.status in TERMINAL or listener.closed or left <= 0:
                    return task
                if not listener.changed:
                    await listener.wait(left)
