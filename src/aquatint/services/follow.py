"""Follow: one look at the history for everybody in this process who follows tasks, and none when nobody does."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aquatint.domain.errors import RateLimited, StoreUnavailable
from aquatint.domain.history import Happened
from aquatint.domain.task import RUNNING, Task
from aquatint.services.edge import Settled
from aquatint.services.listener import Listener
from aquatint.services.pulse import PulseService
from aquatint.services.signals import Signals
from aquatint.store.base import Store
from aquatint.telemetry import Logger

LOOK = 0.25  # seconds between two looks when nothing wakes it
SOON = 0.03  # after a wake-up it looks once more then: some writes are committed a moment later
LEAST = 0.02  # seconds between two looks, however often it is woken
PULSE = 0.5  # seconds between two looks at progress and places
TROUBLE = 1.0  # seconds until a store that refused is asked again
WINDOW = 5000  # events that one query looks through
PAGE = 500  # events that one query answers
KEPT = 500  # events of a key that are kept in memory for all its listeners
RETRY_AFTER = 5.0

Line = tuple[Happened, Task]


@dataclass(slots=True)
class Page:
    """Events of a key, and up to which id these are all of them."""

    lines: Sequence[Line]
    until: int


@dataclass(slots=True)
class _Log:
    """The latest events of a followed key: all of them above `floor`, which is None until the tail knows."""

    floor: int | None = None
    lines: deque[Line] = field(default_factory=deque)

    def add(self, line: Line) -> None:
        self.lines.append(line)
        if len(self.lines) > KEPT:
            self.floor = self.lines.popleft()[0].id

    def after(self, cursor: int) -> list[Line] | None:
        if self.floor is None or cursor < self.floor:
            return None
        found = []
        for line in reversed(self.lines):
            if line[0].id <= cursor:
                break
            found.append(line)
        return found[::-1]


class FollowService:
    """`per_key` bounds the listeners of one key; 0 is none."""

    def __init__(self, store: Store, pulse: PulseService, signals: Signals, per_key: int, log: Logger) -> None:
        self._store = store
        self._pulse = pulse
        self._per_key = per_key
        self._log = log
        self._listeners: set[Listener] = set()
        self._counts: Counter[str] = Counter()
        self._logs: dict[str, _Log] = {}
        self._position: int | None = None  # everything up to here was handed on; None while nobody listens
        self._settled = Settled()
        self._wake = asyncio.Event()
        self._tail: asyncio.Task[None] | None = None
        self._closed = False
        signals.on_history(self._wake.set)

    def join(self, key_id: str, task_no: int | None = None, *, moves: bool = True) -> Listener:
        """Listen to one task or to all of a key, until `leave`. Raises RateLimited."""
        if self._per_key and self._counts[key_id] >= self._per_key:
            raise RateLimited(f"this key may follow {self._per_key} streams at once", RETRY_AFTER)
        listener = Listener(key_id, task_no, moves=moves)
        if self._closed:
            listener.close()
            return listener
        self._listeners.add(listener)
        self._counts[key_id] += 1
        if task_no is None:
            self._logs.setdefault(key_id, _Log(self._position))
        if self._tail is None:
            self._tail = asyncio.create_task(self._run(), name="follow")
        return listener

    def leave(self, listener: Listener) -> None:
        """It listens no more; doing it twice changes nothing."""
        if listener not in self._listeners:
            return
        self._listeners.remove(listener)
        self._counts[listener.key_id] -= 1
        if not self._counts[listener.key_id]:
            del self._counts[listener.key_id]
        if not any(other.task_no is None and other.key_id == listener.key_id for other in self._listeners):
            self._logs.pop(listener.key_id, None)
        if not self._listeners:
            self._wake.set()

    @contextlib.contextmanager
    def listening(self, key_id: str, task_no: int, *, moves: bool = True) -> Iterator[Listener]:
        """The same for the time of a block. Raises RateLimited."""
        listener = self.join(key_id, task_no, moves=moves)
        try:
            yield listener
        finally:
            self.leave(listener)

    def close(self) -> None:
        """Let everybody go: the process ends."""
        self._closed = True
        for listener in list(self._listeners):
            listener.close()
        self._wake.set()

    @property
    def count(self) -> int:
        """How many listen right now."""
        return len(self._listeners)

    async def page(self, key_id: str, cursor: int) -> Page | None:
        """What comes next for a listener of the key that has read up to `cursor`; None when nothing does yet."""
        position = self._position
        if position is None or cursor >= position:
            return None
        log = self._logs.get(key_id)
        recent = log.after(cursor) if log is not None else None
        if recent is not None:
            return Page(recent, position)
        until = min(cursor + WINDOW, position)
        found = await self._store.happened(cursor, until, PAGE, keys=(key_id,))
        if len(found) == PAGE:
            until = found[-1].id
        return Page(await self._with_tasks(found), until)

    async def _with_tasks(self, found: Sequence[Happened]) -> list[Line]:
        if not found:
            return []
        tasks = {task.no: task for task in await self._store.tasks_of(sorted({one.task_no for one in found}))}
        return [
            (one, task)
            for one in found
            if (task := tasks.get(one.task_no)) is not None and task.key_id == one.key_id  # else it was deleted
        ]

    async def _run(self) -> None:
        try:
            await self._follow()
        except Exception as error:  # noqa: BLE001  # nobody must wait for a tail that is not there
            self._log.error("follow.broke", exc_info=error)
            for listener in list(self._listeners):
                listener.close()
        finally:
            self._tail = None
            self._position = None
            self._settled = Settled()

    async def _follow(self) -> None:
        clock = asyncio.get_running_loop().time
        next_pulse = clock() + LEAST
        was_woken = False
        while self._listeners and not self._closed:
            began = clock()
            try:
                await self._look()
                if began >= next_pulse:
                    await self._feel()
                    next_pulse = clock() + PULSE
                pause = min(LEAST if self._settled.waits else LOOK, max(0.0, next_pulse - clock()))
            except StoreUnavailable:
                pause = TROUBLE
            if await self._woken(min(pause, SOON) if was_woken else pause):
                await asyncio.sleep(max(0.0, began + LEAST - clock()))
                was_woken = True  # what woke it may be committed only a moment later
            else:
                was_woken = False
            self._wake.clear()

    async def _woken(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    async def _look(self) -> None:
        """Read what is new and complete, and wake whom it concerns."""
        settled = self._settled.step(await self._store.edge())
        if settled is None:
            return
        if self._position is None:
            self._position = settled
            for log in self._logs.values():
                log.floor = settled
            for listener in self._listeners:
                listener.wake()
        while self._position < settled:
            await self._hand_on(self._position, min(self._position + WINDOW, settled))
            await asyncio.sleep(0)

    async def _hand_on(self, after: int, until: int) -> None:
        keys = set(self._logs)
        asked = {listener for listener in self._listeners if listener.task_no is not None}
        numbers = {listener.task_no for listener in asked if listener.task_no is not None}
        found = await self._store.happened(after, until, PAGE, sorted(numbers), sorted(keys))
        if len(found) == PAGE:
            until = found[-1].id
        for line in await self._with_tasks([one for one in found if one.key_id in keys]):
            if (log := self._logs.get(line[0].key_id)) is not None:
                log.add(line)
        for key, log in self._logs.items():
            if key not in keys:  # it came while we read, so we did not read for it
                log.floor = until
                log.lines.clear()
        self._position = until
        of_tasks = {one.task_no for one in found}
        of_keys = {one.key_id for one in found}
        for listener in self._listeners:
            if listener.task_no is None:
                if listener.key_id in of_keys or listener.key_id not in keys:
                    listener.wake()
            elif listener.task_no in of_tasks or listener not in asked:
                listener.wake()

    async def _feel(self) -> None:
        """Look at what changes between events."""
        watching = [listener for listener in self._listeners if listener.moves]
        tasks = sorted({listener.task_no for listener in watching if listener.task_no is not None})
        keys = sorted({listener.key_id for listener in watching if listener.task_no is None})
        if not watching:
            return
        standing = await self._pulse(tasks, keys)
        by_key: dict[str, list[int]] = {}
        for no, (key, _) in standing.items():
            by_key.setdefault(key, []).append(no)
        for listener in watching:
            mine = by_key.get(listener.key_id, ()) if listener.task_no is None else (listener.task_no,)
            for moved in [standing[no][1] for no in mine if no in standing]:
                if listener.task_no is not None or moved.status in RUNNING:  # a key's places in line are too many
                    listener.note(moved)
