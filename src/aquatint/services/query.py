"""Query: one task, or a page of them; a key sees only its own."""

from __future__ import annotations

from aquatint.domain.delivery import Delivery
from aquatint.domain.errors import InvalidInput, NotFound
from aquatint.domain.ids import is_task_id
from aquatint.domain.task import Task, TaskFilter
from aquatint.store.base import Store


class QueryService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, task_id: str, key_id: str) -> Task:
        """The task. Raises NotFound, with the same words for unknown, malformed and somebody else's ids."""
        task = await self._store.task(task_id) if is_task_id(task_id) else None
        if task is None or task.key_id != key_id:
            raise NotFound("task not found")
        return task

    async def page(self, wanted: TaskFilter) -> tuple[list[Task], str | None]:
        """Tasks, newest first, and the cursor of the next page, None on the last."""
        found = await self._store.tasks(wanted)
        return found, str(found[-1].no) if len(found) == wanted.limit else None

    async def deliveries(self, task_id: str, key_id: str) -> list[Delivery]:
        """The callbacks of a task with their log. Raises NotFound."""
        return await self._store.deliveries((await self(task_id, key_id)).no)


def cursor(text: str) -> int:
    """The position behind a cursor. Raises InvalidInput."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInput("cursor", "is not one that this server gave")
    return int(text)
