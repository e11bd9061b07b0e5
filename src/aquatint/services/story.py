"""Story: what a follower of a task or of a key is told, from an event on, in order and without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from aquatint.domain.task import TERMINAL, Micros, Task
from aquatint.services.follow import FollowService
from aquatint.services.listener import Listener, Moved
from aquatint.services.place import Place, PlaceService
from aquatint.services.query import QueryService
from aquatint.store.base import Store

SILENCE = 15.0  # seconds after which a follower is told that there is nothing to tell
PAGE = 100


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a task, and how the task stands now."""

    id: int
    at: Micros
    name: str
    detail: str
    task: Task
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The task has ended, and its whole history was told."""

    task: Task


Part = Told | Moved | Ended | None  # None: nothing happened for a while


class StoryService:
    def __init__(self, store: Store, query: QueryService, place: PlaceService, follow: FollowService) -> None:
        self._store = store
        self._query = query
        self._place = place
        self._follow = follow

    def listen(self, key_id: str, task: Task | None = None) -> tuple[Listener, Callable[[], None]]:
        """One who listens to the task, or to all of the key, and how he leaves. Raises RateLimited."""
        listener = self._follow.join(key_id, task.no if task is not None else None)
        return listener, lambda: self._follow.leave(listener)

    async def start(self, after: int | None) -> int:
        """Where a key's story begins: after an event that this store has, else now."""
        newest = (await self._store.edge()).newest
        return newest if after is None else min(after, newest)

    async def of_task(self, task: Task, listener: Listener, after: int) -> AsyncGenerator[Part, None]:
        """The events of a task after one, how it moves, and its end. Raises NotFound once the task is deleted."""
        last = after
        while not listener.closed:
            if listener.changed:
                listener.changed = False
                # The task first: when it has ended by now, the events that are read next are all that led there.
                task = await self._query(task.id, task.key_id)
                events = await self._store.events(task.no, last, PAGE)
                place = await self._place(task) if events else None
                if events:
                    listener.told(_standing(task, place))
                for event in events:
                    last = event.id
                    yield Told(event.id, event.at, event.name, event.detail, task, place)
                if task.status in TERMINAL and not events:
                    yield Ended(task)
                    return
                if events and (task.status in TERMINAL or len(events) == PAGE):
                    listener.changed = True
                    continue
            for moved in listener.take():
                yield moved
            if not listener.changed and not await listener.wait(SILENCE):
                yield None

    async def of_key(self, listener: Listener, after: int) -> AsyncGenerator[Part, None]:
        """The events of all tasks of a key after one, and how those move that run."""
        cursor = after
        clock = asyncio.get_running_loop().time
        spoke = clock()
        while not listener.closed:
            listener.changed = False
            page = await self._follow.page(listener.key_id, cursor)
            for line, task in page.lines if page is not None else ():
                if line.id > cursor:
                    listener.told(_standing(task, None))
                    yield Told(line.id, line.at, line.name, line.detail, task)
                    spoke = clock()
            for moved in listener.take():
                yield moved
                spoke = clock()
            if page is not None:
                cursor = max(cursor, page.until)
                if clock() - spoke > SILENCE:  # a long way through what belongs to others
                    yield None
                    spoke = clock()
            elif not listener.changed and not await listener.wait(SILENCE):
                yield None
                spoke = clock()


def _standing(task: Task, place: Place | None) -> Moved:
    return Moved(task.no, task.id, task.status, task.progress, place)
