"""Listener: one who follows a task or a key, what woke it, and what it was told of tasks on their way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aquatint.domain.task import RUNNING, TERMINAL, Status
from aquatint.services.place import Place

CROWD = 10_000  # tasks on their way that one listener remembers
_ORDER = {status: rank for rank, status in enumerate(Status)}


@dataclass(frozen=True, slots=True)
class Moved:
    """How an unfinished task stands between two events."""

    task_no: int
    task_id: str
    status: Status
    progress: float
    place: Place | None = None


class Listener:
    """Holds a few numbers and never a queue: who reads slowly is behind in the store, and costs no memory.

    `task_no` None means all tasks of the key. `moves` says whether it wants to know of progress.
    """

    def __init__(self, key_id: str, task_no: int | None, *, moves: bool = True) -> None:
        self.key_id = key_id
        self.task_no = task_no
        self.moves = moves
        self.changed = True  # there may be events that it has not read
        self.closed = False
        self._woken = asyncio.Event()
        self._told: dict[int, Moved] = {}
        self._fresh: dict[int, Moved] = {}

    def wake(self) -> None:
        """There may be new events."""
        self.changed = True
        self._woken.set()

    def close(self) -> None:
        """There will be nothing more."""
        self.closed = True
        self.wake()

    def note(self, moved: Moved) -> None:
        """A task stands so now; only the last of each is kept until it is taken."""
        told = self._told.get(moved.task_no)
        if told is not None and (told == moved or _before(moved, told)):
            return
        if told is None or told.status is not moved.status:
            self.changed = True  # an event tells of it, wherever the tail is
        self._fresh[moved.task_no] = moved
        self._woken.set()

    def told(self, moved: Moved) -> None:
        """It was told so, with an event."""
        if moved.status in TERMINAL or (self.task_no is None and moved.status not in RUNNING):
            self._told.pop(moved.task_no, None)
            self._fresh.pop(moved.task_no, None)
            return
        if len(self._told) > CROWD:  # of tasks that were deleted before their end was told
            self._told.clear()
        self._told[moved.task_no] = moved
        fresh = self._fresh.get(moved.task_no)
        if fresh is not None and (fresh == moved or _before(fresh, moved)):
            del self._fresh[moved.task_no]

    def take(self) -> list[Moved]:
        """What it was not told yet."""
        fresh, self._fresh = self._fresh, {}
        self._told.update(fresh)
        return list(fresh.values())

    async def wait(self, seconds: float) -> bool:
        """Until something woke it; False when nothing did for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


def _before(one: Moved, other: Moved) -> bool:
    return (_ORDER[one.status], one.progress) < (_ORDER[other.status], other.progress)
