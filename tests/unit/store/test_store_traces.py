"""What the stores keep so that a trace goes on, and so that the first try of a callback can be told from the rest."""

from __future__ import annotations

import msgspec

from aquatint.domain.delivery import DeliveryState
from aquatint.domain.task import ClaimedTask
from aquatint.store.base import Store
from aquatint.store.records import Requeue
from support.rows import KEY_ID, LANE, new_delivery, new_task, settlement, tried

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FAR = 10**15


async def submitted(store: Store, trace: str = TRACE, at: int = 10) -> str:
    new = msgspec.structs.replace(new_task(at=at, callback="https://a.invalid/hook"), trace=trace)
    return (await store.submit(new, 1000)).task_id


async def claimed(store: Store, now: int = 100) -> ClaimedTask:
    (task,) = await store.claim("me", LANE, 1, now, FAR)
    return task


async def test_the_trace_goes_with_the_task_and_its_delivery(store: Store) -> None:
    """Whoever reads, claims or delivers it gets what the submit wrote."""
    task_id = await submitted(store)
    task = await store.task(task_id)
    assert task is not None
    assert task.trace == TRACE
    claim = await claimed(store)
    assert (claim.trace, claim.due_at) == (TRACE, 10)
    assert await store.settle(settlement(claim.no, claim.attempt, at=200, delivery=new_delivery()))
    (delivery,) = await store.claim_deliveries("me", 1, 300, FAR, [])
    assert (delivery.trace, delivery.task_id) == (TRACE, task_id)


async def test_nothing_is_kept_where_nothing_is_traced(store: Store) -> None:
    """A task without a trace is as it was before there were any."""
    task_id = await submitted(store, trace="")
    (task,) = [task for task in await store.overdue(FAR, 10) if task.id == task_id]
    assert task.trace == (await claimed(store)).trace == ""
    assert task.key_id == KEY_ID


async def test_a_task_that_waits_again_is_due_from_then_on(store: Store) -> None:
    """The time in the queue of a second run is counted from when it could begin."""
    await submitted(store)
    first = await claimed(store)
    await store.requeue(Requeue(first.no, first.attempt, 500, 120, "Unavailable", failed=True))
    again = await claimed(store, now=600)
    assert (again.attempt, again.due_at, again.trace) == (2, 500, TRACE)


async def test_only_the_very_first_try_knows_when_the_task_ended(store: Store) -> None:
    """Neither a second try, nor the first of a repeated round, counts as how long the first took."""
    await submitted(store)
    task = await claimed(store)
    await store.settle(settlement(task.no, task.attempt, at=200, delivery=new_delivery()))
    (delivery,) = await store.claim_deliveries("me", 1, 300, FAR, [])
    assert (delivery.attempt, delivery.ended_at) == (1, 200)
    await store.record_delivery(delivery.no, tried(at=300), DeliveryState.PENDING, 400)
    (delivery,) = await store.claim_deliveries("me", 1, 500, FAR, [])
    assert (delivery.attempt, delivery.ended_at) == (2, None)
    await store.record_delivery(delivery.no, tried("delivered", at=500), DeliveryState.DELIVERED, None)
    assert await store.redeliver(task.no, 600)
    (delivery,) = await store.claim_deliveries("me", 1, 700, FAR, [])
    assert (delivery.attempt, delivery.ended_at) == (1, None)
