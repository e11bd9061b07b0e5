"""Which task a repeated request belongs to, step by step, on a real store."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from scripted_remote import opened_store

from aquatint.domain.task import Status, TaskInput
from aquatint.services.resend import PAUSE, Attempt, ResendService
from aquatint.services.tools import SECOND, Clock, new_id
from aquatint.store.records import Idempotency, NewTask, Settlement
from aquatint.store.sqlite.store import SqliteStore

CONTENT = hashlib.sha256(b"a boat").digest()


class ShiftedClock(Clock):
    """The machine's, and so many seconds more."""

    shift = 0.0

    def now(self) -> int:
        return super().now() + int(self.shift * SECOND)


class Desk:
    """What requests do to the store, and the service between."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.clock = ShiftedClock()
        self.resend = ResendService(store, self.clock)

    def attempt(self, number: int, content: bytes = CONTENT, key: str = "k") -> Attempt:
        return Attempt(key, content, number, 600.0)

    async def task(self, number: int = 0, content: bytes = CONTENT) -> str:
        """A try that makes its task."""
        attempt = self.attempt(number, content)
        now = self.clock.now()
        new = NewTask(
            id=new_id(),
            key_id="k",
            user_id=None,
            model="seedream-4.5",
            mode="text_to_image",
            echo=b"{}",
            input=TaskInput(prompt="a boat"),
            callback_url=None,
            created_at=now,
            deadline_at=now + 3600 * SECOND,
            lane="null",
            idempotency=Idempotency(self.resend.promise(attempt), content, now + 86400 * SECOND),
        )
        await self.store.submit(new, 1000)
        self.resend.taken(new.id, attempt)
        return new.id

    async def end(self, task_id: str) -> None:
        task = await self.store.task(task_id)
        assert task is not None
        await self.store.settle(Settlement(task.no, task.attempt, Status.FAILURE, self.clock.now()))

    def restarted(self) -> None:
        """Another process, or this one after a crash: it remembers nothing."""
        self.resend = ResendService(self.store, self.clock)


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await opened_store(tmp_path)
    yield Desk(store)
    await store.close()


async def test_a_first_try_is_new(desk: Desk) -> None:
    await desk.task()
    assert await desk.resend(desk.attempt(0)) is None


async def test_a_repeat_finds_its_task(desk: Desk) -> None:
    """By the content and the key, and once each time."""
    task_id = await desk.task()
    assert await desk.resend(desk.attempt(1, b"x" * 32)) is None
    assert await desk.resend(desk.attempt(1, key="other")) is None
    assert await desk.resend(desk.attempt(1)) == task_id
    assert await desk.resend(desk.attempt(2)) == task_id
    assert await desk.resend(desk.attempt(2)) is None, "another request, whose earlier tries never arrived"


async def test_as_many_repeats_as_requests(desk: Desk) -> None:
    made = {await desk.task() for _ in range(3)}
    assert {await desk.resend(desk.attempt(1)) for _ in range(3)} == made
    assert await desk.resend(desk.attempt(1)) is None


async def test_what_was_lost_comes_first(desk: Desk) -> None:
    """A repeat takes the task whose caller had gone, and not one that somebody waits for or has got."""
    sent, lost, waiting = [await desk.task() for _ in range(3)]
    desk.resend.answered(sent, desk.attempt(0), lost=False)
    desk.resend.answered(lost, desk.attempt(0), lost=True)
    assert await desk.resend(desk.attempt(1)) == lost
    assert {await desk.resend(desk.attempt(1)) for _ in range(2)} == {sent, waiting}


async def test_who_was_refused_makes_a_task(desk: Desk) -> None:
    """Its next try is the first that counts; after the time it was told, that is forgotten."""
    task_id = await desk.task()
    desk.resend.answered(task_id, desk.attempt(0), lost=False)
    desk.resend.refused(desk.attempt(0), 5.0)
    assert await desk.resend(desk.attempt(1)) is None
    assert await desk.resend(desk.attempt(1)) == task_id
    desk.resend.refused(desk.attempt(1), 5.0)
    desk.clock.shift = 60.0
    assert await desk.resend(desk.attempt(2)) == task_id


async def test_nothing_is_remembered_after_a_restart(desk: Desk) -> None:
    """What is stored is enough never to buy twice."""
    task_id = await desk.task()
    desk.restarted()
    assert await desk.resend(desk.attempt(1)) == task_id


async def test_old_tasks_belong_to_nobody(desk: Desk) -> None:
    """A caller waits so long and no longer; a task that still runs is never too old."""
    ended, running = await desk.task(), await desk.task()
    await desk.end(ended)
    desk.restarted()
    desk.clock.shift = 600.0 + PAUSE + 1
    assert await desk.resend(desk.attempt(1)) == running
    assert await desk.resend(desk.attempt(1)) is None
    assert await desk.resend(desk.attempt(2)) is not None, "a second repeat comes later"
