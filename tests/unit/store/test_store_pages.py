"""What the web pages ask of both stores: deletion, search, the overview, the shared secret."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable

import msgspec
import pytest

from aquatint.domain.delivery import DeliveryState
from aquatint.domain.task import AttemptLog, Result, ResultImage, Status, StoredReference, TaskFilter, TaskInput
from aquatint.store.base import Store
from aquatint.store.records import INLINE_LINK, Link
from support.rows import KEY_ID, LANE, new_delivery, new_task, settlement, tried

MANY = 1000
FAR = 10**15


async def finished(store: Store, *, at: int = 50, status: Status = Status.SUCCESS, **more: object) -> int:
    """A task that has ended; its number."""
    lane = str(more.pop("lane", LANE))
    settled = {name: more.pop(name) for name in ("result", "delivery", "log") if name in more}
    await store.submit(new_task(lane=lane, **more), MANY)  # type: ignore[arg-type]
    (claimed,) = await store.claim("w", lane, 1, FAR, FAR + 1)
    assert await store.settle(settlement(claimed.no, claimed.attempt, status, at=at, **settled))
    return claimed.no


def links(*digests: str, name: str = INLINE_LINK) -> tuple[Link, ...]:
    return tuple(Link(uuid.uuid4().hex, name, digest, "image/png", 1, FAR) for digest in digests)


def with_prompt(prompt: str, references: Iterable[StoredReference] = ()) -> TaskInput:
    return TaskInput(prompt=prompt, references=tuple(references))


async def submit_input(store: Store, sent: TaskInput, *, at: int = 0, **more: object) -> str:
    new = msgspec.structs.replace(new_task(at=at, **more), input=sent)  # type: ignore[arg-type]
    await store.submit(new, MANY)
    return new.id


async def test_a_deleted_task_is_nobodys(store: Store) -> None:
    """Nothing of what was sent or made can be found; its number, status and times stay for the books."""
    made = Result((ResultImage("token-1", "1.png", "d" * 64, "image/png", 1, 1, 67),), FAR)
    no = await finished(store, callback="https://a.invalid/hook", delivery=new_delivery(), result=made)
    (task,) = await store.tasks(TaskFilter(KEY_ID))
    (sent,) = await store.claim_deliveries("w", 5, 60, 100, ())
    assert await store.delete(no, 70)
    assert await store.tasks(TaskFilter(KEY_ID)) == []
    assert await store.deliveries(no) == []
    assert await store.events(no) == []
    left = await store.task(task.id)
    assert left is not None
    assert (left.key_id, bytes(left.echo), left.result, left.callback_url, left.status) == (
        "", b"{}", None, None, Status.SUCCESS,
    )  # fmt: skip
    assert await store.expire_links(70, 10) == ["d" * 64]
    # A try that was under way when it was deleted leaves nothing behind.
    await store.record_delivery(sent.no, tried(), DeliveryState.FAILED, None)
    assert await store.deliveries(no) == []
    assert not await store.redeliver(no, 80)
    assert [one.key_id for one in await store.finished(0, 10)] == [""]


async def test_what_has_not_ended_is_not_deleted(store: Store) -> None:
    await store.submit(new_task(), MANY)
    (waiting,) = await store.tasks(TaskFilter(KEY_ID))
    assert not await store.delete(waiting.no, 5)
    (claimed,) = await store.claim("w", LANE, 1, FAR, FAR + 1)
    assert not await store.delete(claimed.no, 5)
    assert await store.task(waiting.id) == (await store.tasks(TaskFilter(KEY_ID)))[0]


async def test_bytes_that_others_hold_stay(store: Store) -> None:
    """Two tasks came with the same picture inside: deleting one leaves the other its bytes."""
    digest = "e" * 64
    sent = with_prompt("x", [StoredReference(digest)])
    first = await submit_input(store, sent, links=links(digest))
    await submit_input(store, sent, at=1, links=links(digest))
    task = await store.task(first)
    assert task is not None
    (claimed,) = await store.claim("w", LANE, 1, FAR, FAR + 1)
    assert claimed.no == task.no
    assert await store.settle(settlement(claimed.no, 1, Status.CANCELLED))
    assert await store.delete(task.no, 60)
    assert await store.expire_links(60, 10) == []
    assert await store.unclaimed([digest]) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("SEA", 2),
        ("the sea", 1),
        ("100%", 1),
        ("a_b", 0),
        ('"prompt"', 0),
        ("\\", 2),
        ("here, no \\u0000", 1),
        ("漢字", 1),
        ("", 5),
    ],
)
async def test_words_are_looked_for_in_prompts(store: Store, words: str, found: int) -> None:
    for prompt in (
        "Storm on the Sea",
        "seaside, 100% oil",
        'say "hello" \\ twice',
        "漢字 und Öl",
        "nul \0\0 here, no \\u0000",
    ):
        await submit_input(store, with_prompt(prompt))
    await submit_input(store, with_prompt("the sea of another key"), key_id="key-2")
    assert len(await store.tasks(TaskFilter(KEY_ID, words=words))) == found


async def test_search_has_an_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many of the newest tasks are looked at, with any cursor."""
    for which in ("sqlite", "postgres"):
        monkeypatch.setattr(f"aquatint.store.{which}.search.MOST", 3)
    for number in range(5):
        await submit_input(store, with_prompt(f"sea {number}"))
    found = await store.tasks(TaskFilter(KEY_ID, words="sea"))
    assert len(found) == 3
    rest = await store.tasks(TaskFilter(KEY_ID, words="sea", before=found[0].no))
    assert [task.no for task in rest] == [task.no for task in found[1:]]


async def test_what_ended_lately(store: Store) -> None:
    """All keys, the last first, with the cause of failures; never more than asked for."""
    await finished(store, at=10)
    await finished(store, at=20, status=Status.FAILURE, log=AttemptLog(failure="ContentRefused"), key_id="key-2")
    await finished(store, at=30, lane="other")
    await store.submit(new_task(), MANY)
    found = await store.finished(20, 10)
    assert [(one.key_id, one.lane, one.status, one.cause, one.images, one.ended_at) for one in found] == [
        (KEY_ID, "other", Status.SUCCESS, "", 1, 30),
        ("key-2", LANE, Status.FAILURE, "ContentRefused", 0, 20),
    ]
    assert [one.ended_at for one in await store.finished(0, 1)] == [30]
    (crowd,) = await store.crowds()
    assert (crowd.key_id, crowd.waiting, crowd.running) == (KEY_ID, 1, 0)


async def test_the_secret_is_the_first_ones(store: Store) -> None:
    """However many processes start at once, all get the same bytes."""
    given = await asyncio.gather(*(store.secret("web", bytes([number]) * 32) for number in range(5)))
    assert len(set(given)) == 1
    assert len(given[0]) == 32
    assert await store.secret("other", b"y" * 32) == b"y" * 32
