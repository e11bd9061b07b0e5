"""The journal of paid calls in both stores: what may follow what, who may write it, and what an end leaves behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aquatint.domain.call import CallEnd, CallOutcome, CallState, KeptImage, NewCall, PaidCall, PendingImage
from aquatint.domain.errors import LeaseLost
from aquatint.domain.provider import Admitted, CircuitRules, ProviderLimits, Wait
from aquatint.domain.task import ClaimedTask, Status
from aquatint.store.base import Store
from support.rows import LANE, new_task, settlement

MANY = 1000
SECOND = 1_000_000
RULES = CircuitRules(failures=2, rest=10 * SECOND)
NO_LIMITS = ProviderLimits()
PENDING = (PendingImage(0, "https://a.invalid/0.png", 7),)
KEPT = (KeptImage(0, "d" * 64, "image/png", 1, 2, 3, 7),)


def new_call(key: str = "k", images: tuple[int, ...] = (0,), **more: Any) -> NewCall:
    return NewCall(**{"key": key, "engine": "p", "remote_model": "m", "account": "p:1", "images": images,
                      "resend_safe": False, **more})  # fmt: skip


async def claimed_task(store: Store) -> ClaimedTask:
    await store.submit(new_task(), MANY)
    (claimed,) = await store.claim("w", LANE, 1, 1, 100)
    return claimed


async def claimed_again(store: Store) -> ClaimedTask:
    await store.release_expired(100)
    (claimed,) = await store.claim("fresh", LANE, 1, 100, 200)
    return claimed


async def intend(store: Store, claimed: ClaimedTask, *new: NewCall) -> list[PaidCall]:
    return await store.intend(claimed.no, claimed.attempt, list(new) or [new_call()], 10)


async def admit(store: Store, claimed: ClaimedTask, call: PaidCall, at: int = 11, **limits: Any) -> object:
    return await store.admit(call, claimed.attempt, ProviderLimits(**limits), 60 * SECOND, at)


async def sent(store: Store, claimed: ClaimedTask, **more: Any) -> PaidCall:
    (call,) = await intend(store, claimed, new_call(**more))
    assert await admit(store, claimed, call) == Admitted()
    return call


async def only(store: Store, claimed: ClaimedTask) -> PaidCall:
    (call,) = await store.calls(claimed.no)
    return call


def ended(
    state: CallState = CallState.SETTLED, outcome: CallOutcome | None = CallOutcome.FAILED, **more: Any
) -> CallEnd:
    return CallEnd(**{"state": state, "outcome": outcome, "at": 50, **more})


UNKNOWN = ended(CallState.UNKNOWN, None, failure="OutcomeUnknown", detail="lost", charged=True)
MADE = ended(CallState.SETTLED, CallOutcome.MADE, charged=True, kept=KEPT, request_id="r-9")


# intent, sent, acknowledged, settled


async def test_an_intent(store: Store) -> None:
    """What is decided is on the disk as it was meant, and nothing of it has happened."""
    claimed = await claimed_task(store)
    written = await intend(store, claimed, new_call("a", (0, 2), resend_safe=True), new_call("b", (1,)))
    assert written == await store.calls(claimed.no)
    first = written[0]
    assert (first.key, first.engine, first.remote_model, first.account) == ("a", "p", "m", "p:1")
    assert (first.images, first.resend_safe, first.state, first.attempt) == ((0, 2), True, CallState.INTENT, 1)
    assert (first.created_at, first.sent_at, first.charged, first.outcome) == (10, None, False, "")


async def test_the_straight_way(store: Store) -> None:
    """Each step is written with its time, and what an earlier one has told stays."""
    claimed = await claimed_task(store)
    call = await sent(store, claimed)
    assert ((await only(store, claimed)).state, (await only(store, claimed)).sent_at) == (CallState.SENT, 11)
    await store.acknowledge(call.no, 12, remote_id="j-1", request_id="r-1", handle={"url": "u"})
    taken = await only(store, claimed)
    assert (taken.state, taken.acknowledged_at, taken.charged) == (CallState.ACKNOWLEDGED, 12, True)
    assert (taken.remote_id, taken.request_id, taken.handle) == ("j-1", "r-1", {"url": "u"})
    await store.acknowledge(call.no, 13, pending=PENDING)
    lying = await only(store, claimed)
    assert (lying.acknowledged_at, lying.remote_id, lying.handle, lying.pending) == (12, "j-1", {"url": "u"}, PENDING)
    await store.end_call(call.no, MADE, "good", None, RULES)
    made = await only(store, claimed)
    assert ((made.state, made.outcome), made.kept, made.settled_at) == ((CallState.SETTLED, "made"), KEPT, 50)
    assert (made.request_id, made.remote_id, made.charged) == ("r-9", "j-1", True)


async def test_a_call_is_admitted_once(store: Store) -> None:
    """Of many who would send one call, one may."""
    claimed = await claimed_task(store)
    (call,) = await intend(store, claimed)
    answers = await asyncio.gather(*(admit(store, claimed, call) for _ in range(10)), return_exceptions=True)
    assert answers.count(Admitted()) == 1
    assert sum(isinstance(answer, LeaseLost) for answer in answers) == 9


async def test_what_must_wait_stays_an_intent(store: Store) -> None:
    """A call that the account does not let pass is neither sent nor counted."""
    claimed = await claimed_task(store)
    first, second = await intend(store, claimed, new_call("a", (0,)), new_call("b", (1,)))
    assert await admit(store, claimed, first, requests_per_minute=6) == Admitted()
    before = await store.providers()
    assert await admit(store, claimed, second, requests_per_minute=6) == Wait(11 + 10 * SECOND)
    assert (await store.calls(claimed.no))[1].state is CallState.INTENT
    assert await store.providers() == before
    assert await admit(store, claimed, second, at=11 + 10 * SECOND, requests_per_minute=6) == Admitted()


async def test_accounts_have_limits_of_their_own(store: Store) -> None:
    """One account's rate does not hold up another's."""
    claimed = await claimed_task(store)
    first, second = await intend(store, claimed, new_call("a", (0,)), new_call("b", (1,), account="p:2"))
    assert await admit(store, claimed, first, requests_per_minute=1) == Admitted()
    assert await admit(store, claimed, second, requests_per_minute=1) == Admitted()
    assert [state.account for state in await store.providers()] == ["p:1", "p:2"]


# in flight


async def test_in_flight(store: Store) -> None:
    """What is sent or taken counts; what is only meant, has given its results, or has ended, does not."""
    claimed = await claimed_task(store)
    first, second = await intend(store, claimed, new_call("a", (0,)), new_call("b", (1,)))
    assert await admit(store, claimed, first, in_flight=1) == Admitted()
    assert isinstance(await admit(store, claimed, second, in_flight=1), Wait)
    await store.acknowledge(first.no, 12, remote_id="j-1", handle={"a": "b"})
    assert isinstance(await admit(store, claimed, second, in_flight=1), Wait)
    await store.acknowledge(first.no, 13, pending=PENDING)
    assert await admit(store, claimed, second, in_flight=1) == Admitted()


@pytest.mark.parametrize("end", [UNKNOWN, MADE, ended()], ids=["unknown", "made", "failed"])
async def test_what_has_ended_is_not_in_flight(store: Store, end: CallEnd) -> None:
    """Every end gives the place back."""
    claimed = await claimed_task(store)
    call = await sent(store, claimed)
    (other,) = await intend(store, claimed, new_call("b", (1,)))
    await store.end_call(call.no, end, None, None, RULES)
    assert await admit(store, claimed, other, in_flight=1) == Admitted()


@pytest.mark.parametrize("taken", [False, True])
async def test_a_waiting_task_takes_no_place(store: Store, taken: bool) -> None:
    """Calls of a task that nobody runs do not keep others out: they end only when it runs again."""
    old = await claimed_task(store)
    call = await sent(store, old)
    if taken:
        await store.acknowledge(call.no, 12, remote_id="j-1")
    await store.release_expired(10**9)
    claimed = await claimed_task(store)
    (other,) = await intend(store, claimed, new_call("b"))
    assert await admit(store, claimed, other, in_flight=1) == Admitted()


# fencing


@pytest.mark.parametrize("lost_by", ["another attempt", "the end of the task", "the queue"])
async def test_an_attempt_that_lost_its_task(store: Store, lost_by: str) -> None:
    """It can neither mean, adopt nor send anything; nothing of what it tries stands."""
    claimed = await claimed_task(store)
    (call,) = await intend(store, claimed)
    match lost_by:
        case "another attempt":
            await claimed_again(store)
        case "the end of the task":
            await store.settle(settlement(claimed.no, claimed.attempt, Status.CANCELLED))
        case _:
            await store.release_expired(100)
    before = await store.calls(claimed.no)
    with pytest.raises(LeaseLost):
        await intend(store, claimed, new_call("b", (1,)))
    with pytest.raises(LeaseLost):
        await store.adopt(call.no, claimed.no, claimed.attempt)
    with pytest.raises(LeaseLost):
        await admit(store, claimed, call)
    assert await store.calls(claimed.no) == before
    assert await store.providers() == []


async def test_a_call_that_was_adopted_is_no_longer_the_old_attempts(store: Store) -> None:
    """Nor can a later attempt send what it has not adopted."""
    old = await claimed_task(store)
    (call,) = await intend(store, old)
    claimed = await claimed_again(store)
    with pytest.raises(LeaseLost):
        await admit(store, claimed, call)
    await store.adopt(call.no, claimed.no, claimed.attempt)
    assert (await only(store, claimed)).attempt == claimed.attempt
    assert await admit(store, claimed, call) == Admitted()


@pytest.mark.parametrize(
    ("resend_safe", "state"), [(False, CallState.SENT), (True, CallState.INTENT)], ids=["no key", "key"]
)
async def test_adopting_what_was_sent(store: Store, resend_safe: bool, state: CallState) -> None:
    """Only where the provider knows the key can it be sent again; that it was sent is never forgotten."""
    old = await claimed_task(store)
    call = await sent(store, old, resend_safe=resend_safe)
    claimed = await claimed_again(store)
    await store.adopt(call.no, claimed.no, claimed.attempt)
    adopted = await only(store, claimed)
    assert (adopted.state, adopted.sent_at, adopted.key) == (state, 11, "k")


@pytest.mark.parametrize("end", [UNKNOWN, MADE, ended()], ids=["unknown", "made", "failed"])
async def test_what_has_ended_is_not_adopted(store: Store, end: CallEnd) -> None:
    """It stays with the attempt that had it."""
    old = await claimed_task(store)
    call = await sent(store, old)
    await store.end_call(call.no, end, None, None, RULES)
    claimed = await claimed_again(store)
    await store.adopt(call.no, claimed.no, claimed.attempt)
    assert (await only(store, claimed)).attempt == old.attempt


@pytest.mark.parametrize("images", [(0,), (0, 1), (1, 2), (2, 1)], ids=str)
@pytest.mark.parametrize("step", ["intent", "sent", "acknowledged"])
async def test_no_image_is_bought_by_two_calls_at_once(store: Store, images: tuple[int, ...], step: str) -> None:
    """While a call is open no other can be meant for any of its images, alone or in a group, whole or not at all."""
    claimed = await claimed_task(store)
    (call,) = await intend(store, claimed, new_call("a", (0, 1)))
    if step != "intent":
        await admit(store, claimed, call)
    if step == "acknowledged":
        await store.acknowledge(call.no, 12, remote_id="j")
    with pytest.raises(LeaseLost):
        await intend(store, claimed, new_call("free", (7,)), new_call("b", images))
    assert [row.key for row in await store.calls(claimed.no)] == ["a"]
    await store.end_call(call.no, ended(), None, None, RULES)
    assert len(await intend(store, claimed, new_call("b", images))) == 1


async def test_other_tasks_have_images_of_their_own(store: Store) -> None:
    """Image 0 of one task is not image 0 of another."""
    await intend(store, await claimed_task(store), new_call("a"))
    await intend(store, await claimed_task(store), new_call("b"))


# ends


async def test_an_end_is_written_once(store: Store) -> None:
    """What is settled stays so, and a second end says nothing about the account."""
    claimed = await claimed_task(store)
    call = await sent(store, claimed)
    await store.end_call(call.no, MADE, "good", None, RULES)
    before = (await only(store, claimed), await store.providers())
    await store.end_call(call.no, ended(), "bad", None, RULES)
    await store.acknowledge(call.no, 60, remote_id="late")
    assert (await only(store, claimed), await store.providers()) == before


async def test_an_answer_that_comes_after_all(store: Store) -> None:
    """An unknown call whose answer comes late is known again, while its task runs."""
    claimed = await claimed_task(store)
    call = await sent(store, claimed)
    await store.end_call(call.no, UNKNOWN, None, None, RULES)
    await store.acknowledge(call.no, 60, remote_id="j-1", handle={"a": "b"})
    late = await only(store, claimed)
    assert (late.state, late.handle, late.settled_at) == (CallState.ACKNOWLEDGED, {"a": "b"}, None)
    await store.end_call(call.no, MADE, "good", None, RULES)
    assert (await only(store, claimed)).kept == KEPT


async def test_an_answer_that_comes_after_it_was_bought_anew(store: Store) -> None:
    """Where the operator had it bought again, the old call's late answer is noted and opens nothing twice."""
    claimed = await claimed_task(store)
    call = await sent(store, claimed)
    await store.end_call(call.no, UNKNOWN, None, None, RULES)
    await intend(store, claimed, new_call("anew"))
    await store.acknowledge(call.no, 60, remote_id="j-1")
    old, anew = await store.calls(claimed.no)
    assert (old.state, old.remote_id, anew.state) == (CallState.UNKNOWN, "j-1", CallState.INTENT)


@pytest.mark.parametrize(
    ("verdict", "failures"), [("bad", 1), ("key", 1), ("balance", 1), ("good", 0), ("slow down", 0), (None, 0)]
)
async def test_what_an_end_says_about_the_account(store: Store, verdict: Any, failures: int) -> None:
    """The account's state changes in the same transaction, by what its calls' ends say."""
    claimed = await claimed_task(store)
    call = await sent(store, claimed)
    await store.end_call(call.no, ended(), verdict, 2.0, RULES)
    (state,) = await store.providers()
    assert state.failures == failures
    assert state.paused_until == (50 + 2 * SECOND if verdict == "slow down" else 0)


async def half_open(store: Store) -> tuple[ClaimedTask, PaidCall, int]:
    """An account after its rest, and a call that is to find out."""
    claimed = await claimed_task(store)
    one, two, probe = await intend(store, claimed, *(new_call(f"k{i}", (i,)) for i in range(3)))
    for call in (one, two):
        await admit(store, claimed, call)
        await store.end_call(call.no, ended(), "bad", None, RULES)
    at = 51 + 10 * SECOND
    assert await admit(store, claimed, probe, at=at) == Admitted()
    return claimed, probe, at


async def probing(store: Store) -> bool:
    (state,) = await store.providers()
    return state.probe_until > 0


@pytest.mark.parametrize("way", ["end", "links", "task", "adopted"])
async def test_a_probe_that_tells_nothing_is_not_waited_for(store: Store, way: str) -> None:
    """An end without a verdict, results that only lie there, and the end of the task free the account's probe."""
    claimed, probe, at = await half_open(store)
    assert await probing(store)
    match way:
        case "end":
            await store.end_call(probe.no, UNKNOWN, None, None, RULES)
        case "links":
            await store.acknowledge(probe.no, at, pending=PENDING)
        case "task":
            await store.settle(settlement(claimed.no, claimed.attempt, Status.CANCELLED))
        case _:
            again = await claimed_again(store)
            await store.adopt(probe.no, again.no, again.attempt)
            assert await probing(store), "it is still under way: nobody can send it again"
            return
    assert not await probing(store)


async def test_a_probe_that_is_to_be_sent_again_is_not_waited_for(store: Store) -> None:
    """Or it would wait for itself."""
    claimed = await claimed_task(store)
    one, two, probe = await intend(store, claimed, *(new_call(f"k{i}", (i,), resend_safe=True) for i in range(3)))
    for call in (one, two):
        await admit(store, claimed, call)
        await store.end_call(call.no, ended(), "bad", None, RULES)
    at = 51 + 10 * SECOND
    await admit(store, claimed, probe, at=at)
    again = await claimed_again(store)
    await store.adopt(probe.no, again.no, again.attempt)
    assert await admit(store, again, probe, at=at) == Admitted()


async def test_a_job_that_was_taken_is_still_the_probe(store: Store) -> None:
    """That a provider takes a job does not show that it can make it."""
    _, probe, at = await half_open(store)
    await store.acknowledge(probe.no, at, remote_id="j-1")
    assert await probing(store)


async def test_what_was_never_sent_frees_no_probe(store: Store) -> None:
    """The end of a call that never left says nothing of the one that did."""
    claimed, _, _ = await half_open(store)
    (other,) = await intend(store, claimed, new_call("other", (9,)))
    await store.end_call(other.no, ended(CallState.SETTLED, CallOutcome.NOT_SENT), None, None, RULES)
    assert await probing(store)


# the end of the task


async def test_the_end_of_a_task_closes_its_calls(store: Store) -> None:
    """What was meant was not sent, what was sent is unknown, what was taken is abandoned; the rest stays as it is."""
    claimed = await claimed_task(store)
    meant, left, taken, lying, made = await intend(store, claimed, *(new_call(f"k{i}", (i,)) for i in range(5)))
    for call in (left, taken, lying, made):
        await admit(store, claimed, call)
    await store.acknowledge(taken.no, 12, remote_id="j-1", handle={"a": "b"})
    await store.acknowledge(lying.no, 12, pending=PENDING)
    await store.end_call(made.no, MADE, None, None, RULES)
    await store.settle(settlement(claimed.no, claimed.attempt, Status.TIMEOUT, at=70))
    found = {call.no: call for call in await store.calls(claimed.no)}
    shown = [(call.state.value, call.outcome, call.charged, call.settled_at) for call in found.values()]
    assert shown == [
        ("settled", "not sent", False, 70),
        ("unknown", "", True, 70),
        ("settled", "abandoned", True, 70),
        ("settled", "abandoned", True, 70),
        ("settled", "made", True, 50),
    ]
    assert (found[left.no].failure, found[left.no].detail) == (
        "OutcomeUnknown",
        "the task ended before the answer came",
    )
    assert found[taken.no].handle == {"a": "b"}
    assert found[meant.no].sent_at is None


async def test_what_was_to_be_sent_again_ends_as_unknown(store: Store) -> None:
    """An intent that an earlier run had sent may be billed, so the end of its task does not call it unsent."""
    old = await claimed_task(store)
    call = await sent(store, old, resend_safe=True)
    claimed = await claimed_again(store)
    await store.adopt(call.no, claimed.no, claimed.attempt)
    await store.settle(settlement(claimed.no, claimed.attempt, Status.FAILURE))
    closed = await only(store, claimed)
    assert (closed.state, closed.outcome, closed.charged) == (CallState.UNKNOWN, "", True)


async def test_an_end_that_another_attempt_lost_closes_nothing(store: Store) -> None:
    """Only the outcome that is written closes the calls."""
    old = await claimed_task(store)
    call = await sent(store, old)
    await store.acknowledge(call.no, 12, remote_id="j-1")
    claimed = await claimed_again(store)
    assert not await store.settle(settlement(old.no, old.attempt, Status.FAILURE))
    assert (await only(store, claimed)).state is CallState.ACKNOWLEDGED


async def test_an_acknowledgement_after_the_end(store: Store) -> None:
    """A job that was taken too late is abandoned, so that it can be stopped, and takes no place for ever."""
    claimed = await claimed_task(store)
    call = await sent(store, claimed)
    await store.settle(settlement(claimed.no, claimed.attempt, Status.CANCELLED))
    await store.acknowledge(call.no, 60, remote_id="j-1", handle={"a": "b"})
    late = await only(store, claimed)
    assert ((late.state, late.outcome), late.charged) == ((CallState.SETTLED, "abandoned"), True)
    assert late.handle == {"a": "b"}
    other = await claimed_task(store)
    (next_call,) = await intend(store, other, new_call("b"))
    assert await admit(store, other, next_call, in_flight=1) == Admitted()


async def test_results_that_come_after_the_end(store: Store) -> None:
    """An abandoned call whose images came all the same says so: it tells what was paid."""
    claimed = await claimed_task(store)
    call = await sent(store, claimed)
    await store.acknowledge(call.no, 12, remote_id="j-1")
    await store.settle(settlement(claimed.no, claimed.attempt, Status.CANCELLED))
    await store.end_call(call.no, MADE, None, None, RULES)
    assert ((await only(store, claimed)).outcome, (await only(store, claimed)).kept) == ("made", KEPT)


# the operator's view


async def test_recent_calls(store: Store) -> None:
    """Newest first, with their task's id, so many at most; on demand only those that nobody knows the fate of."""
    claimed = await claimed_task(store)
    rows = await intend(store, claimed, *(new_call(f"k{i}", (i,)) for i in range(4)))
    for call in rows[1:3]:
        await admit(store, claimed, call)
        await store.end_call(call.no, UNKNOWN, None, None, RULES)
    recent = await store.recent_calls(False, 3)
    assert [(task_id, call.key) for task_id, call in recent] == [(claimed.id, k) for k in ("k3", "k2", "k1")]
    assert [call.key for _, call in await store.recent_calls(True, 9)] == ["k2", "k1"]


@pytest.mark.parametrize(("charged", "outcome"), [(True, "lost"), (False, "failed")])
async def test_resolve(store: Store, charged: bool, outcome: str) -> None:
    """What the operator found out settles an unknown call, once, beside what was known."""
    claimed = await claimed_task(store)
    call = await sent(store, claimed)
    assert not await store.resolve_call(call.no, charged, "too early", 60)
    await store.end_call(call.no, UNKNOWN, None, None, RULES)
    assert await store.resolve_call(call.no, charged, "seen in the console", 61)
    found = await only(store, claimed)
    assert ((found.state, found.outcome), found.charged) == ((CallState.SETTLED, outcome), charged)
    assert (found.detail, found.settled_at) == ("lost | seen in the console", 61)
    assert not await store.resolve_call(call.no, not charged, "again", 62)
    assert not await store.resolve_call(12345, charged, "no such call", 62)
    assert await store.recent_calls(True, 9) == []


async def test_nothing_there(store: Store) -> None:
    """Writes to a call that does not exist change nothing and break nothing."""
    await store.acknowledge(99, 1, remote_id="j")
    await store.end_call(99, MADE, "bad", None, RULES)
    assert (await store.calls(1), await store.providers(), await store.recent_calls(False, 9)) == ([], [], [])
