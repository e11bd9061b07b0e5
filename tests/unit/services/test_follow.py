"""The one tail of a process: who is woken, what it costs, and what becomes of those who are slow."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aquatint.domain.errors import RateLimited, StoreUnavailable
from aquatint.domain.task import Status, Task
from aquatint.services import follow as module
from aquatint.services.follow import FollowService
from aquatint.services.listener import Listener, Moved
from aquatint.services.place import PlaceService
from aquatint.services.pulse import PLACES, PulseService
from aquatint.services.query import QueryService
from aquatint.services.signals import Signals
from aquatint.services.story import Ended, Part, StoryService, Told
from aquatint.services.wait import WaitService
from aquatint.store.sqlite.store import SqliteStore
from aquatint.telemetry import logger
from support.rows import LANE, new_task, settlement

MANY = 10**6
FAR = 10**15
KEY = "key-1"


class Counting:
    """A store that counts what is asked of it, and refuses while told so."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.asked: Counter[str] = Counter()
        self.refuses = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        if not asyncio.iscoroutinefunction(real):
            return real

        async def counted(*args: Any, **kwargs: Any) -> Any:
            self.asked[name] += 1
            if self.refuses:
                raise StoreUnavailable("no")
            return await real(*args, **kwargs)

        return counted


class House:
    """The services of following around a real store."""

    def __init__(self, store: SqliteStore, per_key: int = 2000) -> None:
        self.store: Any = Counting(store)
        self.signals = Signals()
        place = PlaceService(self.store)
        query = QueryService(self.store)
        self.follow = FollowService(self.store, PulseService(self.store, place), self.signals, per_key, logger())
        self.story = StoryService(self.store, query, place, self.follow)
        self.wait = WaitService(query, self.follow)

    async def task(self, key_id: str = KEY) -> Task:
        submitted = await self.store.submit(new_task(key_id=key_id), MANY)
        task = await self.store.task(submitted.task_id)
        assert isinstance(task, Task)
        self.signals.history()
        return task

    async def claim(self) -> None:
        await self.store.claim("w", LANE, 1, 1, FAR)
        await asyncio.sleep(0.03)  # it is committed a moment later

    async def finish(self, task: Task) -> None:
        current = await self.store.task(task.id)
        assert await self.store.settle(settlement(task.no, current.attempt))
        self.signals.history()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = SqliteStore(tmp_path / "a.db")
    await store.open()
    made = House(store)
    yield made
    made.follow.close()
    await asyncio.sleep(0.05)
    await store.close()


async def read_task(house: House, task: Task, after: int = 0) -> list[Part]:
    """The whole story of a task."""
    listener, leave = house.story.listen(KEY, task)
    try:
        async with asyncio.timeout(10):
            return [part async for part in house.story.of_task(task, listener, after)]
    finally:
        leave()


def names(parts: list[Part]) -> list[str]:
    return [part.name if isinstance(part, Told) else type(part).__name__ for part in parts]


async def test_a_task_from_beginning_to_end(house: House) -> None:
    """Every event once, in order, with the task; progress between; the end last."""
    task = await house.task()
    reading = asyncio.create_task(read_task(house, task))
    await asyncio.sleep(0.1)
    await house.claim()
    await asyncio.sleep(0.4)
    house.store.note_progress(task.no, 1, 0.4)
    await asyncio.sleep(0.8)
    await house.finish(task)
    parts = await reading
    assert names(parts) == ["task.submitted", "task.claimed", "Moved", "task.success", "Ended"]
    first, _, between, last, end = parts
    assert isinstance(first, Told)
    assert first.place is not None
    assert first.place.position == 1
    assert isinstance(between, Moved)
    assert (between.status, between.progress) == (Status.PROCESSING, 0.4)
    assert isinstance(last, Told)
    assert isinstance(end, Ended)
    assert last.task == end.task == await house.store.task(task.id)
    assert house.follow.count == 0


async def test_a_task_from_the_middle(house: House) -> None:
    """After an event come those after it, also long after the task's end."""
    task = await house.task()
    await house.claim()
    await house.finish(task)
    events = await house.store.events(task.no)
    for index, event in enumerate(events):
        parts = await read_task(house, task, event.id)
        assert names(parts) == [later.name for later in events[index + 1 :]] + ["Ended"]


async def test_a_long_history_comes_in_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the end of the history is exactly at the end of a page."""
    task = await house.task()
    await house.claim()
    await house.finish(task)
    for page in (1, 2, 3, 4):
        monkeypatch.setattr("aquatint.services.story.PAGE", page)
        assert names(await read_task(house, task)) == ["task.submitted", "task.claimed", "task.success", "Ended"]


class Reader:
    """Reads a key's story in the background."""

    def __init__(self, house: House, start: int, key_id: str = KEY) -> None:
        self.listener, self._leave = house.story.listen(key_id)
        self.told: list[Told] = []
        self.moved: list[Moved] = []
        self._task = asyncio.create_task(self._read(house, start))

    async def _read(self, house: House, start: int) -> None:
        try:
            async for part in house.story.of_key(self.listener, start):
                if isinstance(part, Told):
                    self.told.append(part)
                elif isinstance(part, Moved):
                    self.moved.append(part)
        finally:
            self._leave()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.told) < count:
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        self.listener.close()
        await self._task


async def test_a_key_hears_of_its_own_tasks_only(house: House) -> None:
    """From now on, or from an event on; other keys' events are not told."""
    await house.task()
    before = (await house.store.edge()).newest
    reader, late = Reader(house, await house.story.start(None)), Reader(house, await house.story.start(0))
    await house.task("key-2")
    task = await house.task()
    await house.claim()
    await house.claim()
    await house.claim()
    await house.finish(task)
    await reader.until(3)
    await late.until(5)
    assert {told.task.key_id for told in late.told} == {KEY}
    assert [told.name for told in reader.told if told.task.id == task.id] == [
        "task.submitted",
        "task.claimed",
        "task.success",
    ]
    assert all(told.id > before for told in reader.told)
    for one in (reader, late):
        ids = [told.id for told in one.told]
        assert ids == sorted(set(ids))
        await one.end()
    assert house.follow.count == 0


async def test_a_key_hears_how_its_running_tasks_go_on(house: House) -> None:
    """Of running ones; where the waiting ones stand is told on their own streams."""
    task = await house.task()
    reader = Reader(house, await house.story.start(None))
    await asyncio.sleep(0.7)
    assert reader.moved == []
    await house.claim()
    await reader.until(1)
    for progress in (0.3, 0.6):
        house.store.note_progress(task.no, 1, progress)
        await asyncio.sleep(0.7)
    assert [moved.progress for moved in reader.moved][-2:] == [0.3, 0.6]
    await reader.end()


async def test_an_id_that_is_not_there_yet(house: House) -> None:
    """A database that was put back has forgotten ids that clients still know: they begin at its newest event."""
    await house.task()
    assert await house.story.start(10**12) == (await house.store.edge()).newest


async def test_a_listener_far_behind_reads_from_the_store(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What memory no longer holds comes from storage, through windows that hold nothing of the key, too."""
    monkeypatch.setattr(module, "KEPT", 3)
    monkeypatch.setattr(module, "WINDOW", 4)
    monkeypatch.setattr(module, "PAGE", 3)
    first = await house.task()
    for _ in range(20):
        await house.task("key-2")
    start = (await house.store.events(first.no))[0].id - 1
    quick = Reader(house, start)
    await quick.until(1)
    for index in range(30):
        await house.task()
        if index % 7 == 0:
            await house.task("key-2")
            await asyncio.sleep(0.03)
    await quick.until(31)
    late = Reader(house, start)
    await late.until(31)
    assert [told.id for told in late.told] == [told.id for told in quick.told]
    assert len({told.id for told in late.told}) == 31
    await quick.end()
    await late.end()


async def test_nobody_listens_and_nobody_looks(house: House) -> None:
    """Without listeners the store is left in peace, however much is written."""
    listener = house.follow.join(KEY)
    await asyncio.sleep(0.3)
    assert house.store.asked["edge"] >= 2
    house.follow.leave(listener)
    await asyncio.sleep(0.05)
    house.store.asked.clear()
    await house.task()
    await asyncio.sleep(0.6)
    assert set(house.store.asked) == {"submit", "task"}


async def test_a_thousand_listeners_cost_as_much_as_one(house: House) -> None:
    """The number of queries does not grow with those who listen."""
    tasks = [await house.task() for _ in range(1000)]
    listeners = [house.follow.join(KEY, task.no) for task in tasks]
    keys = [house.follow.join(f"key-{number}") for number in range(500)]
    await asyncio.sleep(0.3)
    house.store.asked.clear()
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(1.6)
    seconds = asyncio.get_running_loop().time() - began
    assert house.store.asked["edge"] <= seconds / module.LOOK + 5
    assert house.store.asked["pulses"] <= seconds / module.PULSE + 1
    assert house.store.asked["ahead"] <= PLACES * (seconds / module.PULSE + 1)
    assert sum(house.store.asked.values()) < 80
    for listener in listeners + keys:
        house.follow.leave(listener)
    assert house.follow.count == 0


async def test_a_wake_up_is_quicker_than_the_next_look(house: House) -> None:
    """What this process wrote is told at once."""
    reader = Reader(house, await house.story.start(None))
    took = []
    for count in range(1, 11):
        await asyncio.sleep(0.05)
        began = asyncio.get_running_loop().time()
        await house.task()
        await reader.until(count)
        took.append(asyncio.get_running_loop().time() - began)
    assert sorted(took)[5] < 0.1
    await reader.end()


async def test_what_another_process_wrote_is_seen_soon(house: House) -> None:
    """Without any wake-up, by the next look."""
    task = await house.task()
    reader = Reader(house, await house.story.start(None))
    await asyncio.sleep(0.3)
    began = asyncio.get_running_loop().time()
    await house.store.settle(settlement(task.no, 0))
    await reader.until(1)
    assert asyncio.get_running_loop().time() - began < 0.6
    await reader.end()


async def test_a_key_may_have_so_many(tmp_path: Path) -> None:
    """More are refused, until one leaves; other keys have their own."""
    store = SqliteStore(tmp_path / "a.db")
    await store.open()
    house = House(store, per_key=2)
    listeners = [house.follow.join(KEY), house.follow.join(KEY, 1)]
    with pytest.raises(RateLimited) as refused:
        house.follow.join(KEY)
    assert refused.value.retry_after > 0
    other = house.follow.join("key-2")
    house.follow.leave(listeners[0])
    house.follow.leave(listeners[0])
    again = house.follow.join(KEY)
    with pytest.raises(RateLimited):
        house.follow.join(KEY)
    for listener in (listeners[1], other, again):
        house.follow.leave(listener)
    await asyncio.sleep(0.05)
    await store.close()


async def test_a_store_that_refuses_for_a_while(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tail goes on when the store does, and nothing is missed."""
    monkeypatch.setattr(module, "TROUBLE", 0.05)
    reader = Reader(house, await house.story.start(None))
    await asyncio.sleep(0.1)
    house.store.refuses = True
    await asyncio.sleep(0.3)
    house.store.refuses = False
    await house.task()
    await reader.until(1)
    await reader.end()


async def test_a_mistake_in_the_tail_ends_the_streams(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a tail that is not there; whoever comes again gets a new one."""
    reader = Reader(house, await house.story.start(None))
    await asyncio.sleep(0.05)
    broken = Listener(KEY, 1)
    monkeypatch.setattr(broken, "wake", lambda: 1 / 0)
    monkeypatch.setattr(broken, "close", lambda: None)
    house.follow._listeners.add(broken)
    await house.task()
    async with asyncio.timeout(5):
        await reader._task
    house.follow._listeners.discard(broken)
    monkeypatch.undo()
    again = Reader(house, await house.story.start(0))
    await again.until(1)
    await again.end()


async def test_closing_lets_everybody_go(house: House) -> None:
    """At once, and whoever comes later is sent away at once, too."""
    task = await house.task()
    reading = asyncio.create_task(read_task(house, task))
    waiting = asyncio.create_task(house.wait(task.id, KEY, 60))
    await asyncio.sleep(0.1)
    house.follow.close()
    async with asyncio.timeout(1):
        assert names(await reading) == ["task.submitted"]
        assert (await waiting).status is Status.PENDING
        assert await read_task(house, task) == []
    assert house.follow.count == 0


async def test_waiting_for_the_end(house: House) -> None:
    """It answers when the task has ended, or with the task as it is when the time is over."""
    clock = asyncio.get_running_loop().time
    task = await house.task()
    began = clock()
    assert (await house.wait(task.id, KEY, 0.3)).status is Status.PENDING
    assert 0.25 < clock() - began < 1
    waiting = asyncio.create_task(house.wait(task.id, KEY, 30))
    await asyncio.sleep(0.1)
    await house.claim()
    house.store.asked.clear()
    await asyncio.sleep(1.2)
    assert house.store.asked["task"] <= 2, "it does not poll"
    await house.finish(task)
    began = clock()
    assert (await waiting).status is Status.SUCCESS
    assert clock() - began < 0.2
    assert (await house.wait(task.id, KEY, 30)).status is Status.SUCCESS
    assert house.follow.count == 0


async def test_a_wait_that_is_given_up_leaves_nothing(house: House) -> None:
    task = await house.task()
    waiting = asyncio.create_task(house.wait(task.id, KEY, 30))
    await asyncio.sleep(0.1)
    assert house.follow.count == 1
    waiting.cancel()
    await asyncio.wait([waiting])
    assert house.follow.count == 0
