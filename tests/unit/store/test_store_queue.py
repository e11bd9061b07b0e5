"""The queue in both stores: whose turn it is, what limits hold back, lanes, deadlines to start, replays."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from aquatint.domain import fair
from aquatint.domain.delivery import DeliveryState, ReplayFilter
from aquatint.domain.errors import RateLimited
from aquatint.domain.key import Key
from aquatint.domain.task import Status
from aquatint.store.base import Store
from aquatint.store.records import NewTask, Requeue
from support.rows import LANE, new_delivery, new_task, settlement, tried

MANY = 10**6
FAR = 10**12
SECOND = 1_000_000


async def put(store: Store, *tasks: NewTask) -> None:
    """Submit in order, each when the one before is written."""
    for task in tasks:
        await store.submit(task, MANY)


async def written(store: Store) -> None:
    """Claims are durable, and seen by readers, a moment later: wait for the moment."""
    await store.revoke_key("nobody", 0)


async def take(store: Store, count: int, now: int = 1, **more: object) -> list[str]:
    """Claim one after another; the keys that were served."""
    served = []
    for _ in range(count):
        claimed = await store.claim("w", LANE, 1, now, FAR, **more)  # type: ignore[arg-type]
        served += [task.key_id for task in claimed]
    return served


# fair turns


async def test_a_flood_does_not_starve_anybody(store: Store) -> None:
    """Keys take turns: one task of another key is next, however many came before it."""
    await put(store, *(new_task(key_id="flood") for _ in range(100)))
    assert await take(store, 10) == ["flood"] * 10
    await put(store, new_task(key_id="small"), new_task(key_id="small"))
    served = await take(store, 5)
    assert served.count("small") == 2, served
    assert "small" in served[:2], served


async def test_one_claim_of_many_is_as_fair(store: Store) -> None:
    """A worker that takes many at once takes from every key."""
    await put(store, *(new_task(key_id="flood") for _ in range(50)))
    await put(store, *(new_task(key_id=f"k{i}") for i in range(9)))
    claimed = await store.claim("w", LANE, 18, 1, FAR)
    assert {task.key_id for task in claimed} >= {f"k{i}" for i in range(9)}


@pytest.mark.parametrize("weights", [(3.0, 1.0), (1.0, 2.0), (1.0, 1.0)])
async def test_weights(store: Store, weights: tuple[float, float]) -> None:
    """Of what is served while both wait, each key has the share of its weight."""
    for name, weight in zip("ab", weights, strict=True):
        await put(store, *(new_task(key_id=name, cost=fair.cost(1, weight)) for _ in range(60)))
    served = Counter(await take(store, 40))
    share = 40 * weights[0] / sum(weights)
    assert abs(served["a"] - share) <= 1, served


async def test_bigger_tasks_move_their_key_further(store: Store) -> None:
    """A task of ten images is ten turns."""
    await put(store, *(new_task(key_id="ten", n=10, cost=fair.cost(10, 1.0)) for _ in range(10)))
    await put(store, *(new_task(key_id="one", cost=fair.cost(1, 1.0)) for _ in range(40)))
    served = Counter(await take(store, 22))
    assert 1 <= served["ten"] <= 3, served


async def test_whoever_was_away_has_saved_nothing_up(store: Store) -> None:
    """A key that comes late starts at the present turn: it does not get all the turns that it missed."""
    await put(store, *(new_task(key_id="early") for _ in range(60)))
    await take(store, 30)
    await put(store, *(new_task(key_id="late") for _ in range(30)))
    served = Counter(await take(store, 20))
    assert abs(served["late"] - 10) <= 1, served


async def test_turns_survive_a_requeue(store: Store) -> None:
    """A task that comes back keeps its turn: it is next."""
    await put(store, *(new_task() for _ in range(3)))
    (first,) = await store.claim("w", LANE, 1, 1, FAR)
    await store.requeue(Requeue(first.no, 1, 1, 1, "drain", failed=False))
    (again,) = await store.claim("w", LANE, 1, 2, FAR)
    assert again.no == first.no


# order before the turns


async def test_priority_goes_first(store: Store) -> None:
    """Higher numbers first; equal ones in the order of their turns."""
    low, high, highest = new_task(), new_task(priority=5), new_task(priority=9)
    await put(store, low, high, highest)
    claimed = await store.claim("w", LANE, 3, 1, FAR)
    assert [task.id for task in claimed] == [highest.id, high.id, low.id]


async def test_a_batch_runs_when_nothing_else_waits(store: Store) -> None:
    """Whatever its priority."""
    batch, late = new_task(batch=True, priority=9), new_task(at=1)
    await put(store, batch, late)
    assert [task.id for task in await store.claim("w", LANE, 1, 1, FAR)] == [late.id]
    assert [task.id for task in await store.claim("w", LANE, 1, 1, FAR)] == [batch.id]


async def test_lanes_are_lines_of_their_own(store: Store) -> None:
    """A worker of one engine never takes another's tasks."""
    await put(store, new_task(lane="fal"), new_task())
    assert len(await store.claim("w", LANE, 5, 1, FAR)) == 1
    await written(store)
    assert await store.next_due(LANE) is None
    assert await store.next_due("fal") == 0
    (other,) = await store.strays([LANE], 0, 9)
    await store.move(other.no, LANE)
    assert len(await store.claim("w", LANE, 5, 1, FAR)) == 1


async def test_a_worker_of_some_models(store: Store) -> None:
    """`--models` takes these alone."""
    await put(store, new_task(model="a"), new_task(model="b"), new_task(model="c"))
    claimed = await store.claim("w", LANE, 5, 1, FAR, models=["b", "c"])
    assert [task.model for task in claimed] == ["b", "c"]


# limits


async def test_a_key_runs_no_more_than_it_may(store: Store) -> None:
    """What exceeds the limit waits, and does not keep others waiting."""
    await store.add_key(Key("narrow", "n", "p", 0, max_running=2), b"h")
    await put(store, *(new_task(key_id="narrow") for _ in range(6)), *(new_task(key_id="wide") for _ in range(3)))
    claimed = await store.claim("w", LANE, 9, 1, FAR)
    assert Counter(task.key_id for task in claimed) == {"narrow": 2, "wide": 3}
    assert await store.claim("w", LANE, 9, 1, FAR) == []
    done = next(task for task in claimed if task.key_id == "narrow")
    assert await store.settle(settlement(done.no, 1))
    (freed,) = await store.claim("w", LANE, 9, 1, FAR)
    assert freed.key_id == "narrow"


async def test_a_model_runs_no_more_than_it_may(store: Store) -> None:
    """Over all workers together."""
    await put(store, *(new_task(model="scarce") for _ in range(20)), new_task(model="other"))
    limits = {"scarce": 3}
    claims = await asyncio.gather(*(store.claim(f"w{i}", LANE, 2, 1, FAR, limits) for i in range(8)))
    taken = Counter(task.model for claimed in claims for task in claimed)
    assert taken == {"scarce": 3, "other": 1}


async def test_a_limit_holds_in_every_lane_together(store: Store) -> None:
    """A key that is served by two engines has one limit."""
    await store.add_key(Key("narrow", "n", "p", 0, max_running=3), b"h")
    await put(store, *(new_task(key_id="narrow", lane=lane) for _ in range(9) for lane in (LANE, "fal")))
    claims = await asyncio.gather(
        *(store.claim(f"{lane}{i}", lane, 2, 1, FAR) for i in range(4) for lane in (LANE, "fal"))
    )
    assert sum(len(claimed) for claimed in claims) == 3


async def test_a_long_line_behind_a_limit(store: Store) -> None:
    """Somebody behind a thousand tasks that may not run is found."""
    await store.add_key(Key("narrow", "n", "p", 0, max_running=1), b"h")
    await asyncio.gather(*(store.submit(new_task(key_id="narrow", priority=9), MANY) for _ in range(1000)))
    await put(store, new_task(key_id="other"))
    claimed = await store.claim("w", LANE, 2, 1, FAR)
    assert {task.key_id for task in claimed} == {"narrow", "other"}


async def test_a_keys_backlog(store: Store) -> None:
    """A key that has enough waiting is told to come back later; others are not."""
    task = new_task(key_id="k", max_pending=2)
    await put(store, task, new_task(key_id="k", max_pending=2))
    with pytest.raises(RateLimited) as caught:
        await put(store, new_task(key_id="k", max_pending=2))
    assert caught.value.retry_after > 0
    assert "2 tasks waiting" in str(caught.value)
    await put(store, new_task(key_id="other", max_pending=2))
    await store.claim("w", LANE, 1, 1, FAR)
    await put(store, new_task(key_id="k", max_pending=2))


async def test_a_keys_backlog_holds_for_submits_at_once(store: Store) -> None:
    """Of many at one moment, as many as there is room for."""
    submits = (store.submit(new_task(key_id="k", max_pending=5), MANY) for _ in range(30))
    answers = await asyncio.gather(*submits, return_exceptions=True)
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 25


# place in line


async def ahead_of(store: Store, ids: Sequence[str]) -> list[int | None]:
    found = [await store.task(task_id) for task_id in ids]
    return [await store.ahead(task.no, MANY) for task in found if task is not None]


async def test_ahead(store: Store) -> None:
    """How many would be taken before: exactly the order of claims."""
    tasks = [
        *(new_task(key_id="flood") for _ in range(5)),
        new_task(key_id="small"),
        new_task(key_id="flood", priority=3),
        new_task(key_id="small", batch=True),
    ]
    await put(store, *tasks)
    told = dict(zip([task.id for task in tasks], await ahead_of(store, [task.id for task in tasks]), strict=True))
    order = [(await store.claim("w", LANE, 1, 1, FAR))[0].id for _ in tasks]
    await written(store)
    assert [told[task_id] for task_id in order] == list(range(len(tasks)))
    assert await ahead_of(store, order[:1]) == [None], "it waits no more"


async def test_ahead_stops_counting(store: Store) -> None:
    """Nobody counts a million rows for one query."""
    tasks = [new_task() for _ in range(20)]
    await put(store, *tasks)
    last = await store.task(tasks[-1].id)
    assert last is not None
    assert await store.ahead(last.no, 7) == 7


async def test_served(store: Store) -> None:
    """The history that estimates are made of: successes of the lane, the newest first."""
    await put(store, *(new_task() for _ in range(4)), new_task(lane="fal"))
    for number, claimed in enumerate(await store.claim("w", LANE, 4, 5, FAR)):
        status = Status.FAILURE if number == 1 else Status.SUCCESS
        await store.settle(settlement(claimed.no, 1, status, at=10 * (number + 1)))
    served = await store.served(LANE, 2)
    assert [(one.started_at, one.finished_at) for one in served] == [(5, 40), (5, 30)]
    assert len(await store.served(LANE, 100)) == 3
    assert await store.served("fal", 100) == []


# lanes of the operator


async def test_pause(store: Store) -> None:
    """A paused lane gives nothing and loses nothing; what runs goes on; resumed it goes on where it was."""
    await put(store, new_task(at=1), new_task(at=2), new_task(lane="fal"))
    (running,) = await store.claim("w", LANE, 1, 5, FAR)
    await store.pause_lane(LANE, True)
    assert await store.claim("w", LANE, 5, 5, FAR) == []
    assert await store.claim("w", LANE, 5, 5, FAR, {"x": 1}) == []
    assert await store.next_due(LANE) is None
    assert len(await store.claim("w", "fal", 5, 5, FAR)) == 1
    await put(store, new_task(at=3))
    assert await store.settle(settlement(running.no, 1))
    (state,) = [state for state in await store.lanes() if state.name == LANE]
    assert (state.paused, state.waiting, state.running, state.oldest_at) == (True, 2, 0, 2)
    await store.pause_lane(LANE, False)
    assert len(await store.claim("w", LANE, 5, 5, FAR)) == 2


async def test_workers_are_counted(store: Store) -> None:
    """A lane shows how many processes take its tasks; those that said good-bye are not counted."""
    now = await store.now() or 10**15
    await store.attend("me", [LANE, "fal"], [LANE], now)
    assert {state.name: state.workers for state in await store.lanes()} == {LANE: 1}
    await store.leave("me")
    assert not any(state.workers for state in await store.lanes())


async def test_strays(store: Store) -> None:
    """Tasks of an engine that nobody has set up any more are found, and wait elsewhere."""
    await put(store, new_task(lane="gone"), new_task())
    (stray,) = await store.strays([LANE], 0, 10)
    assert stray.lane == "gone"
    await store.move(stray.no, LANE)
    assert await store.strays([LANE], 0, 10) == []


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
async def test_what_another_process_serves_is_no_stray(store: Store) -> None:
    """While it was seen lately, even when it has just ended: it may be starting anew."""
    await put(store, new_task(lane="fal"))
    await store.attend("other", ["fal"], ["fal"], 100)
    await store.leave("other")
    assert await store.strays([LANE], 100, 10) == []
    assert len(await store.strays([LANE], 101, 10)) == 1


# deadlines


async def test_unstarted(store: Store) -> None:
    """Tasks that were to start by now and wait still; one that has run once is none of them."""
    await put(store, new_task(start_by=10), new_task(start_by=20), new_task())
    assert await store.unstarted(9, 10) == []
    (late,) = await store.unstarted(10, 10)
    assert late.no is not None
    claimed = await store.claim("w", LANE, 3, 1, FAR)
    await written(store)
    assert await store.unstarted(100, 10) == []
    for task in claimed:
        await store.requeue(Requeue(task.no, 1, 1, 1, "drain", failed=False))
    assert await store.unstarted(100, 10) == [], "it started once"


# replays


async def callbacks(store: Store) -> list[int]:
    """Three deliveries: delivered at 50, failed at 60, pending at 70; the numbers of their tasks."""
    await put(store, *(new_task(key_id=f"k{i}") for i in range(3)))
    numbers = []
    for index, task in enumerate(await store.claim("w", LANE, 3, 1, FAR)):
        at = 50 + 10 * index
        await store.settle(settlement(task.no, 1, at=at, delivery=new_delivery(f"h{index}", next_at=at)))
        numbers.append(task.no)
    first, second = await store.claim_deliveries("w", 5, 60, FAR, [])
    await store.record_delivery(first.no, tried("delivered"), DeliveryState.DELIVERED, None)
    await store.record_delivery(second.no, tried("failed"), DeliveryState.FAILED, None)
    await written(store)
    return numbers


async def test_replay(store: Store) -> None:
    """What ended in a span of time and has a state that was asked for is due now, with its whole schedule."""
    numbers = await callbacks(store)
    failed = (DeliveryState.FAILED,)
    assert await store.replay(ReplayFilter(None, 0, 60, failed), 100, 10) == 0, "the end is no part of the span"
    assert await store.replay(ReplayFilter("k0", 0, FAR, failed), 100, 10) == 0, "of another key"
    assert await store.replay(ReplayFilter(None, 60, 61, failed), 100, 10) == 1
    again = {one.host: one for one in await store.claim_deliveries("w", 5, 100, FAR, [])}
    assert again["h1"].attempt == 1
    assert (await store.deliveries(numbers[1]))[0].state is DeliveryState.PENDING
    assert [event.name for event in await store.events(numbers[1])][-1] == "delivery.requested"


async def test_replay_of_everything(store: Store) -> None:
    """Not what is on its way anyway; the oldest first where there are too many."""
    numbers = await callbacks(store)
    every = ReplayFilter(None, 0, FAR, (DeliveryState.FAILED, DeliveryState.DELIVERED))
    assert await store.replay(every, 100, 1) == 1
    assert (await store.deliveries(numbers[0]))[0].state is DeliveryState.PENDING
    assert (await store.deliveries(numbers[1]))[0].state is DeliveryState.FAILED
    assert await store.replay(every, 100, 10) == 1
