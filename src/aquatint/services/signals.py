"""Wake-up calls between the services and the loops, so that nobody polls while there is nothing to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Signals:
    """Events of this process. Each is a hint: the loops also look at the store on their own, more slowly."""

    def __init__(self) -> None:
        self._work: dict[str, asyncio.Event] = {}  # by lane: a task may be claimed
        self.deliveries = asyncio.Event()  # a delivery is due, now or soon
        self._stop_task: list[Callable[[str], None]] = []
        self._history: list[Callable[[], None]] = []
        self._ended: list[Callable[[str], None]] = []

    def work_event(self, lane: str) -> asyncio.Event:
        """What the lane's runner waits for."""
        return self._work.setdefault(lane, asyncio.Event())

    def work(self, lane: str | None = None) -> None:
        """A task of this lane, or of any, may be claimed."""
        for event in self._work.values() if lane is None else [self.work_event(lane)]:
            event.set()

    def on_stop_task(self, listener: Callable[[str], None]) -> None:
        """`listener(task_id)` is called when a task that may be running here was cancelled."""
        self._stop_task.append(listener)

    def stop_task(self, task_id: str) -> None:
        for listener in self._stop_task:
            listener(task_id)

    def on_history(self, listener: Callable[[], None]) -> None:
        """`listener()` is called when an event was, or soon will be, added to the history of some task."""
        self._history.append(listener)

    def history(self) -> None:
        for listener in self._history:
            listener()

    def on_ended(self, listener: Callable[[str], None]) -> None:
        """`listener(task_id)` is called when this process has written how a task ended."""
        self._ended.append(listener)

    def ended(self, task_id: str) -> None:
        for listener in self._ended:
            listener(task_id)
