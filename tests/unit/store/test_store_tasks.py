"""Tasks in both stores: submit, claim order, fencing, points, what a dead worker leaves behind."""

from __future__ import annotations

import asyncio
import time

import pytest

from aquatint.domain.delivery import DeliveryState
from aquatint.domain.errors import Conflict, QuotaExceeded, RateLimited
from aquatint.domain.key import Key
from aquatint.domain.task import Status, TaskFilter
from aquatint.store.base import Store
from aquatint.store.records import Idempotency, Link, Requeue
from support.rows import KEY_ID, LANE, new_delivery, new_task, settlement, tried

MANY = 1000


async def shown(store: Store, task_id: str, status: Status) -> None:
    """Wait for a status that is written a moment after it is told."""
    end = time.monotonic() + 5.0
    while (task := await store.task(task_id)) is None or task.status is not status:
        assert time.monotonic() < end, f"never {status}"
        await asyncio.sleep(0.01)


async def test_a_new_task_is_pending_and_readable(store: Store) -> None:
    """When submit returns, the task is there for readers."""
    new = new_task(at=7)
    submitted = await store.submit(new, MANY)
    task = await store.task(submitted.task_id)
    assert task is not None
    assert (task.id, task.status, task.attempt, task.created_at, task.updated_at) == (new.id, Status.PENDING, 0, 7, 7)
    assert bytes(task.echo) == new.echo
    assert [event.name for event in await store.events(task.no)] == ["task.submitted"]


async def test_claim_order(store: Store) -> None:
    """Oldest first, never more than asked for, never one that is not due, each once."""
    ids = [new_task(at=at).id for at in range(5)]
    for at, task_id in enumerate(ids):
        await store.submit(new_task(at=at, task_id=task_id), MANY)
    first = await store.claim("w", LANE, 2, 3, 100)
    second = await store.claim("w", LANE, 5, 3, 100)
    third = await store.claim("w", LANE, 5, 3, 100)
    assert [task.id for task in first] == ids[:2]
    assert [task.id for task in second] == ids[2:4]
    assert third == []
    await store.revoke_key("nobody", 0)  # claims are durable a moment later: this waits for the moment
    assert await store.next_due(LANE) == 4


async def test_concurrent_claims_share_nothing(store: Store) -> None:
    """Many workers at once: every task goes to exactly one."""
    await asyncio.gather(*(store.submit(new_task(), MANY) for _ in range(60)))
    claims = await asyncio.gather(*(store.claim(f"w{n}", LANE, 5, 1, 100) for n in range(20)))
    taken = [task.id for claimed in claims for task in claimed]
    assert len(taken) == len(set(taken)) == 60


async def test_late_settle_changes_nothing(store: Store) -> None:
    """An attempt that lost its task writes nothing: no outcome, no delivery, no link, no points (fencing)."""
    await store.submit(new_task(), MANY)
    (old,) = await store.claim("w1", LANE, 1, 1, 2)
    assert await store.release_expired(3) == 1
    (new,) = await store.claim("w2", LANE, 1, 4, 100)
    assert (old.no, old.attempt, new.attempt) == (new.no, 1, 2)
    late = settlement(old.no, old.attempt, delivery=new_delivery())
    assert await store.settle(late) is False
    store.mark_submitted(old.no, old.attempt, "late/1", 5)
    store.note_progress(old.no, old.attempt, 0.9)
    assert await store.requeue(Requeue(old.no, old.attempt, 0, 5, "late", failed=True)) is False
    task = await store.task(old.id)
    assert task is not None
    assert (task.status, task.progress, task.engine, task.result) == (Status.PROCESSING, 0.0, None, None)
    assert await store.deliveries(old.no) == []
    assert late.result is not None
    assert await store.link(late.result.images[0].token) is None
    assert await store.settle(settlement(new.no, new.attempt)) is True


async def test_an_outcome_is_written_once(store: Store) -> None:
    """A second outcome of the same attempt changes nothing either."""
    await store.submit(new_task(), MANY)
    (claimed,) = await store.claim("w", LANE, 1, 1, 100)
    outcomes = await asyncio.gather(
        store.settle(settlement(claimed.no, 1)),
        store.settle(settlement(claimed.no, 1, Status.CANCELLED)),
        store.settle(settlement(claimed.no, 1, Status.TIMEOUT)),
    )
    assert outcomes == [True, False, False]
    task = await store.task(claimed.id)
    assert task is not None
    assert task.status is Status.SUCCESS


async def test_status_never_goes_back(store: Store) -> None:
    """A task given back stays PROCESSING or SUBMITTED; only the first change of status moves updated_at."""
    await store.submit(new_task(), MANY)
    (claimed,) = await store.claim("w", LANE, 1, 10, 100)
    store.mark_submitted(claimed.no, 1, "e/1", 20)
    await shown(store, claimed.id, Status.SUBMITTED)
    assert await store.requeue(Requeue(claimed.no, 1, 30, 30, "Broken", failed=True))
    task = await store.task(claimed.id)
    assert task is not None
    assert (task.status, task.updated_at) == (Status.SUBMITTED, 20)
    assert await store.claim("w", LANE, 1, 29, 100) == [], "not before its time"
    (again,) = await store.claim("w", LANE, 1, 30, 100)
    store.mark_submitted(again.no, 2, "e/1", 40)
    assert await store.settle(settlement(again.no, 2, at=60))
    task = await store.task(claimed.id)
    assert task is not None
    assert (again.attempt, again.failures, task.updated_at) == (2, 1, 60)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
async def test_release_foreign(store: Store) -> None:
    """A new process takes back what the dead one held, tasks and deliveries, and nothing of its own."""
    for _ in range(3):
        await store.submit(new_task(), MANY)
    theirs = await store.claim("dead", LANE, 2, 1, 10**12)
    (mine,) = await store.claim("me", LANE, 1, 1, 10**12)
    assert await store.release_foreign("me", 5) == 2
    again = await store.claim("me", LANE, 5, 5, 10**12)
    assert [task.id for task in again] == [task.id for task in theirs]
    assert all(task.failures == 0 for task in again), "a dead server is no failure of the engine"
    assert await store.settle(settlement(mine.no, 1, delivery=new_delivery()))
    (sent,) = await store.claim_deliveries("dead", 5, 9, 10**12, [])
    assert await store.claim_deliveries("me", 5, 9, 10**12, []) == []
    await store.release_foreign("me", 10)
    (resent,) = await store.claim_deliveries("me", 5, 10, 10**12, [])
    assert (resent.id, resent.attempt, resent.body) == (sent.id, 1, sent.body)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
async def test_other_owners_live(store: Store) -> None:
    """A new process takes nothing from others of the same database: only what is not renewed is taken."""
    await store.submit(new_task(callback="https://a.invalid/hook"), MANY)
    (theirs,) = await store.claim("other", LANE, 1, 1, 100)
    assert await store.release_foreign("me", 5) == 0
    assert await store.settle(settlement(theirs.no, 1, delivery=new_delivery()))
    (sent,) = await store.claim_deliveries("other", 5, 9, 100, [])
    assert await store.release_foreign("me", 10) == 0
    assert await store.claim_deliveries("me", 5, 99, 200, []) == []
    (resent,) = await store.claim_deliveries("me", 5, 100, 200, [])
    assert (resent.id, resent.attempt) == (sent.id, 2), "a try that was begun counts, it may have arrived"


async def test_renewed_leases_hold(store: Store) -> None:
    """A lease that was renewed does not run out at its first end; one of somebody else, or that is over, is told."""
    await store.submit(new_task(), MANY)
    await store.submit(new_task(), MANY)
    (first,) = await store.claim("w", LANE, 1, 1, 10)
    (other,) = await store.claim("else", LANE, 1, 1, 10)
    assert await store.renew("w", [first.no, other.no], [], 100) == [first.no]
    assert await store.release_expired(50) == 1
    assert await store.release_expired(100) == 1
    assert await store.renew("w", [first.no], [], 200) == []


async def test_idempotency(store: Store) -> None:
    """Same key and body: the first task. Another body: Conflict. After its time: a new task."""
    promise = Idempotency("k", b"body", expires_at=100)
    first = await store.submit(new_task(idempotency=promise), MANY)
    again = await store.submit(new_task(at=99, idempotency=promise), MANY)
    assert (again.task_id, again.replayed, first.replayed) == (first.task_id, True, False)
    with pytest.raises(Conflict):
        await store.submit(new_task(at=99, idempotency=Idempotency("k", b"other", 199)), MANY)
    other_key = await store.submit(new_task(key_id="key-2", at=99, idempotency=promise), MANY)
    assert not other_key.replayed
    late = await store.submit(new_task(at=100, idempotency=Idempotency("k", b"other", 200)), MANY)
    assert not late.replayed
    assert await store.forget_idempotency(99, 10) == 0
    assert await store.forget_idempotency(100, 10) == 1
    assert await store.forget_idempotency(1000, 10) == 1


async def test_concurrent_equal_submits(store: Store) -> None:
    """Fifty equal submits in one group make one task."""
    promise = Idempotency("k", b"body", 100)
    answers = await asyncio.gather(*(store.submit(new_task(idempotency=promise), MANY) for _ in range(50)))
    assert len({answer.task_id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1


async def test_points(store: Store) -> None:
    """Held at submit, captured for what came out, the rest and every failure given back."""
    await store.add_key(Key(KEY_ID, "k", "aq_", 0, points=10), b"hash")

    async def balance() -> int | None:
        return (await store.keys())[0].points

    await store.submit(new_task(points=4), MANY)
    await store.submit(new_task(points=5), MANY)
    with pytest.raises(QuotaExceeded):
        await store.submit(new_task(points=2), MANY)
    assert await balance() == 1
    one, two = await store.claim("w", LANE, 2, 1, 100)
    await store.settle(settlement(one.no, 1, points_charged=3))
    assert await balance() == 2, "one of four images did not survive"
    await store.settle(settlement(two.no, 1, Status.FAILURE))
    assert await balance() == 7
    await store.settle(settlement(two.no, 1, Status.FAILURE))
    assert await balance() == 7


async def test_full_backlog(store: Store) -> None:
    """Waiting tasks are bounded; claimed and cancelled ones make room."""
    for _ in range(3):
        await store.submit(new_task(), 3)
    with pytest.raises(RateLimited) as caught:
        await store.submit(new_task(), 3)
    assert caught.value.retry_after > 0
    (claimed,) = await store.claim("w", LANE, 1, 1, 100)
    waiting = await store.submit(new_task(), 3)
    with pytest.raises(RateLimited):
        await store.submit(new_task(), 3)
    task = await store.task(waiting.task_id)
    assert task is not None
    assert await store.settle(settlement(task.no, 0, Status.CANCELLED))
    await store.submit(new_task(), 3)
    await store.requeue(Requeue(claimed.no, 1, 0, 0, "drain", failed=False))
    with pytest.raises(RateLimited):
        await store.submit(new_task(), 3)


async def test_overdue(store: Store) -> None:
    """Waiting and running tasks past their deadline are found, finished ones are not."""
    for deadline in (10, 20, 30):
        await store.submit(new_task(deadline=deadline), MANY)
    (running,) = await store.claim("w", LANE, 1, 1, 100)
    found = await store.overdue(20, 10)
    assert [task.no for task in found] == [running.no, running.no + 1]
    assert len(await store.overdue(20, 1)) == 1
    await store.settle(settlement(running.no, 1))
    assert len(await store.overdue(20, 10)) == 1


async def test_filters(store: Store) -> None:
    """A listing holds one key's tasks, newest first, within its bounds."""
    for at in range(5):
        await store.submit(new_task(at=at), MANY)
    await store.submit(new_task(at=9, key_id="other"), MANY)
    all_of_them = await store.tasks(TaskFilter(KEY_ID))
    assert [task.created_at for task in all_of_them] == [4, 3, 2, 1, 0]
    middle = await store.tasks(TaskFilter(KEY_ID, created_after=1, created_before=3))
    assert [task.created_at for task in middle] == [3, 2, 1]
    assert [task.created_at for task in await store.tasks(TaskFilter(KEY_ID, before=middle[0].no, limit=2))] == [2, 1]
    assert await store.tasks(TaskFilter(KEY_ID, status=Status.SUCCESS)) == []


async def test_deliveries(store: Store) -> None:
    """Due ones only, busy hosts left out, a lost lease comes due again, the log counts on."""
    for host in ("a.invalid", "a.invalid", "b.invalid"):
        submitted = await store.submit(new_task(), MANY)
        (claimed,) = await store.claim("w", LANE, 1, 1, 100)
        assert await store.settle(settlement(claimed.no, 1, delivery=new_delivery(host, next_at=10)))
    assert await store.claim_deliveries("d", 9, 9, 50, []) == []
    (other,) = await store.claim_deliveries("d", 9, 10, 50, ["a.invalid"])
    assert other.host == "b.invalid"
    first = await store.claim_deliveries("d", 1, 10, 50, [])
    assert [delivery.host for delivery in first] == ["a.invalid"]
    await store.record_delivery(other.no, tried(), DeliveryState.PENDING, 30)
    (again,) = await store.claim_deliveries("d", 9, 30, 50, ["a.invalid"])
    assert (again.id, again.attempt) == (other.id, 2)
    await store.record_delivery(again.no, tried("delivered"), DeliveryState.DELIVERED, None)
    assert {delivery.id for delivery in await store.claim_deliveries("d", 9, 50, 90, [])} >= {first[0].id}
    task = await store.task(submitted.task_id)
    assert task is not None
    assert await store.redeliver(task.no, 60)
    (repeated,) = await store.claim_deliveries("d", 9, 60, 90, ["a.invalid"])
    assert repeated.attempt == 1, "a fresh schedule"
    await store.record_delivery(repeated.no, tried(), DeliveryState.PENDING, 70)
    await store.revoke_key("nothing", 0)  # any durable write: what was recorded before it is readable afterwards
    (shown,) = await store.deliveries(task.no)
    assert [attempt.number for attempt in shown.attempts] == [1, 2, 3]


async def test_links_expire(store: Store) -> None:
    """Bytes are given up once no living link claims them; the link itself is remembered."""
    for token, digest, expires_at in (("a", "x", 10), ("b", "x", 20), ("c", "y", 10)):
        await store.add_link(Link(token, "1.png", digest, "image/png", 1, expires_at))
    assert await store.expire_links(10, 10) == ["y"]
    assert await store.unclaimed(["x", "y", "z"]) == ["y", "z"]
    assert await store.expire_links(20, 10) == ["x"]
    assert await store.link("a") is not None
