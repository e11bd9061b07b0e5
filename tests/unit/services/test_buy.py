"""Buying: every image is paid for once, whatever dies on the way; real store, assets and sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from scripted_remote import (
    ACCOUNT,
    MODEL,
    NAME,
    FileServer,
    HaltingStore,
    ScriptedRemote,
    Shop,
    a_job,
    bytes_at_once,
    for_ever,
    in_flight,
    links,
    picture,
    shop_of,
    states,
    until,
)

from aquatint.assets.base import digest_of
from aquatint.domain.call import CallEnd, CallState, NewCall, PaidCall
from aquatint.domain.errors import (
    BalanceExhausted,
    Broken,
    ContentRefused,
    EngineError,
    EngineRateLimited,
    InputRefused,
    LeaseLost,
    Misconfigured,
    OutcomeUnknown,
    StoreUnavailable,
    Unavailable,
)
from aquatint.domain.provider import ProviderState
from aquatint.domain.task import ClaimedTask
from aquatint.engines.remote import Call, Done, RemoteImage, Working
from aquatint.services import buy, purchase
from aquatint.services.job import Made
from aquatint.services.keep import ResultWaits
from aquatint.services.purchase import Elsewhere, Unanswered
from aquatint.services.references import ReferenceUnavailable
from aquatint.services.tools import SECOND

pytestmark = pytest.mark.asyncio(loop_scope="session")

OpenShop = Callable[..., Shop]
UNKNOWN = (CallState.UNKNOWN, "")
MADE = (CallState.SETTLED, "made")
NOT_SENT = (CallState.SETTLED, "not sent")
FAILED = (CallState.SETTLED, "failed")


async def provider(shop: Shop) -> ProviderState:
    (state,) = await shop.store.providers()
    return state


async def crash(shop: Shop, claimed: ClaimedTask, reached: asyncio.Event, **order: Any) -> None:
    """Run an attempt until something is reached, and end it there."""
    run = asyncio.create_task(shop.attempt(claimed, **order))
    waiting = asyncio.create_task(reached.wait())
    await asyncio.wait([run, waiting], timeout=10.0, return_when=asyncio.FIRST_COMPLETED)
    assert reached.is_set(), f"the attempt ended before: {run}"
    run.cancel()
    await asyncio.wait([run])
    assert run.cancelled()


def halt(shop: Shop, method: str, when: str) -> asyncio.Event:
    """Let the world stop at a point of the store."""
    halting = HaltingStore(shop.store, method, when)
    fresh = shop_of(halting, shop.assets, shop.keep, shop.engine)  # type: ignore[arg-type]
    shop.tools, shop.buy = fresh.tools, fresh.buy
    return halting.reached


# the straight way


async def test_one_image_at_once(open_shop: OpenShop) -> None:
    """An image that comes with the answer is kept under its digest, and the journal says all of it."""
    shop = open_shop()
    claimed = await shop.task()
    made = await shop.attempt(claimed)
    (image,) = made.images
    assert made.errors == ()
    assert (image.index, image.digest, image.media_type, image.seed) == (0, digest_of(picture(0)), "image/png", 0)
    assert await shop.assets.read(image.digest) == picture(0)
    call = await shop.only_call(claimed)
    assert (call.state, call.outcome, call.charged, call.kept) == (CallState.SETTLED, "made", True, (image,))
    assert (call.engine, call.remote_model, call.account, call.request_id) == (NAME, MODEL, ACCOUNT, "r-1")
    assert call.sent_at is not None
    assert call.key == shop.engine.sends[0].key


async def test_the_calls_of_a_task_go_side_by_side(open_shop: OpenShop) -> None:
    """Four calls are under way at once; the images come back in the order of the task."""
    shop = open_shop()
    together = asyncio.Barrier(4)

    async def meet(call: Call) -> None:
        await together.wait()

    shop.engine.before_send = meet
    async with asyncio.timeout(5.0):
        made = await shop.attempt(await shop.task(4))
    assert [image.index for image in made.images] == [0, 1, 2, 3]
    assert len({call.key for call in shop.engine.sends}) == 4


async def test_few_begin_at_once(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are claimed in one moment: the first are with the provider before the last begin."""
    monkeypatch.setattr(buy, "BEGINNING", 2)
    shop = open_shop()
    tasks = [await shop.task() for _ in range(12)]
    real, now, most = shop.store.calls, 0, 0

    async def calls(task_no: int) -> Sequence[PaidCall]:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return await real(task_no)

    monkeypatch.setattr(shop.store, "calls", calls)
    made = await asyncio.gather(*(shop.attempt(task) for task in tasks))
    assert [len(one.images) for one in made] == [1] * 12
    assert most == 2


async def test_in_flight_is_kept_to(open_shop: OpenShop) -> None:
    """No more calls are with the provider at once than the account allows, and all get their turn."""
    shop = open_shop(limits=in_flight(2))
    now = most = 0

    async def work(call: Call) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1

    shop.engine.after_send = work
    made = await shop.attempt(await shop.task(6))
    assert len(made.images) == 6
    assert most == 2


async def test_a_group_is_one_call(open_shop: OpenShop) -> None:
    """What the engine plans as one call is sent as one."""
    shop = open_shop()
    shop.engine.planned = lambda images: [tuple(images)]
    made = await shop.attempt(await shop.task(3))
    assert [image.index for image in made.images] == [0, 1, 2]
    assert [call.images for call in shop.engine.sends] == [(0, 1, 2)]


async def test_a_job_is_followed(open_shop: OpenShop) -> None:
    """A job is asked after, its progress is passed on, and its handle is on the disk before anybody asks."""
    shop = open_shop()
    shop.engine.answer = a_job
    claimed = await shop.task()
    seen: list[float] = []
    steps: list[Any] = [Working("queued"), Working("generating", 0.5)]

    def found(call: Call) -> Done | Working:
        return steps.pop(0) if steps else bytes_at_once(call)

    async def stored(call: Call) -> None:
        row = await shop.only_call(claimed)
        assert (row.state, row.remote_id, row.handle) == (
            CallState.ACKNOWLEDGED,
            f"job-{call.key}",
            {"id": f"job-{call.key}"},
        )

    shop.engine.found, shop.engine.before_look = found, stored
    made = await shop.attempt(claimed, progress=lambda fraction, stage: seen.append(fraction))
    assert len(made.images) == 1
    assert seen == [0.5]
    assert (await shop.only_call(claimed)).request_id == "r-1"


async def test_progress_counts_all_images(open_shop: OpenShop) -> None:
    """The fractions of the calls add up over the task's images, and a wild one neither goes back nor past the end."""
    shop = open_shop()
    shop.engine.planned = lambda images: [tuple(images[:1]), tuple(images[1:])]
    seen: list[float] = []
    order = shop.order(await shop.task(4), progress=lambda fraction, stage: seen.append(fraction))
    told: dict[int, Any] = {}
    real = shop.engine.send

    async def send(job: Any, call: Call, notify: Any) -> Any:
        told[len(call.images)] = notify
        return await real(job, call, notify)

    shop.engine.send = send  # type: ignore[method-assign]
    await shop.buy(order)
    for count, fraction in ((1, 1.0), (3, 0.5), (3, 0.1), (3, 7.0)):
        told[count](fraction, "")
    assert seen == [0.25, 0.625, 0.625, 1.0]


async def test_links_are_journaled_before_they_are_fetched(open_shop: OpenShop, files: FileServer) -> None:
    """Where results lie is on the disk before the first download."""
    shop = open_shop()
    shop.engine.answer = links(files)
    files.answers = {"0.png": [(200, picture(0))]}
    claimed = await shop.task()
    rows = []

    async def look(name: str) -> None:
        rows.append(await shop.only_call(claimed))

    files.before = look
    made = await shop.attempt(claimed)
    assert len(made.images) == 1
    assert (rows[0].state, [p.url for p in rows[0].pending]) == (CallState.ACKNOWLEDGED, [files.url("0.png")])


async def test_bytes_are_left_as_the_provider_made_them(open_shop: OpenShop) -> None:
    """Without a wish for another size or format, what is stored is what was paid for, byte for byte."""
    shop = open_shop()
    data = picture(3, kind="WEBP")
    shop.engine.answer = lambda call: Done((RemoteImage(0, data=data),))
    (image,) = (await shop.attempt(await shop.task())).images
    assert (await shop.assets.read(image.digest), image.media_type) == (data, "image/webp")


# what fails, fails alone


async def test_one_refusal_does_not_cut_the_others(open_shop: OpenShop) -> None:
    """Images that can be had are had; the error of the one that cannot is among the errors."""
    shop = open_shop()
    shop.engine.answer = lambda call: ContentRefused("no") if call.images == (1,) else bytes_at_once(call)
    claimed = await shop.task(3)
    made = await shop.attempt(claimed)
    assert [image.index for image in made.images] == [0, 2]
    assert [error.kind for error in made.errors] == ["ContentRefused"]
    assert states(await shop.calls(claimed)) == [MADE, (CallState.SETTLED, "refused"), MADE]


async def test_a_refused_image_is_not_bought_again(open_shop: OpenShop) -> None:
    """A later run of the task knows what was refused, says so, and sends nothing."""
    shop = open_shop()
    shop.engine.answer = lambda call: ContentRefused("no", code="c-7")
    await shop.attempt(await shop.task())
    made = await shop.attempt(await shop.after_crash())
    assert len(shop.engine.sends) == 1
    assert [(error.kind, error.code, error.charged) for error in made.errors] == [("ContentRefused", "c-7", False)]


async def test_a_partial_group(open_shop: OpenShop) -> None:
    """A group that makes fewer images is what it is: they are kept, and a later run does not buy the rest again."""
    shop = open_shop()
    shop.engine.planned = lambda images: [tuple(images)]
    shop.engine.answer = lambda call: Done(
        (RemoteImage(0, data=picture(0)),), (Broken("one failed"),), warnings=("w",)
    )
    made = await shop.attempt(await shop.task(2))
    assert [image.index for image in made.images] == [0]
    assert made.warnings == ("w",)
    assert [(error.kind, error.charged) for error in made.errors] == [("Broken", True)], "no run would mend it"
    again = await shop.attempt(await shop.after_crash())
    assert [image.index for image in again.images] == [0]
    assert [(error.kind, error.charged) for error in again.errors] == [("Broken", True)]
    assert len(shop.engine.sends) == 1


async def test_a_failure_without_a_bill_is_bought_anew(open_shop: OpenShop) -> None:
    """What failed and was not billed is missing in the next run, which sends a new call for it alone."""
    shop = open_shop()
    shop.engine.answer = lambda call: Unavailable("later") if call.images == (1,) else bytes_at_once(call)
    claimed = await shop.task(2)
    assert len((await shop.attempt(claimed)).images) == 1
    shop.engine.answer = bytes_at_once
    made = await shop.attempt(await shop.after_crash())
    assert ([image.index for image in made.images], made.errors) == ([0, 1], ())
    assert [call.images for call in shop.engine.sends] == [(0,), (1,), (1,)]
    assert shop.engine.bills == {0: 1, 1: 1}


async def test_a_billed_failure_is_final(open_shop: OpenShop) -> None:
    """A failure that may have been billed is not sent again."""
    shop = open_shop()
    shop.engine.answer = lambda call: Broken("paid for nothing", charged=True)
    await shop.attempt(await shop.task())
    made = await shop.attempt(await shop.after_crash())
    assert (len(shop.engine.sends), made.images) == (1, ())
    assert [error.charged for error in made.errors] == [True]


async def test_an_unknown_outcome_is_final(open_shop: OpenShop) -> None:
    """A lost answer leaves the call unknown, with a charge that may stand, and no run sends it again."""
    shop = open_shop()
    shop.engine.answer = lambda call: OutcomeUnknown("lost", charged=True)
    claimed = await shop.task()
    made = await shop.attempt(claimed)
    assert [(error.kind, error.charged) for error in made.errors] == [("OutcomeUnknown", True)]
    call = await shop.only_call(claimed)
    assert (call.state, call.charged, call.failure) == (CallState.UNKNOWN, True, "OutcomeUnknown")
    again = await shop.attempt(await shop.after_crash())
    assert len(shop.engine.sends) == 1
    assert [(error.kind, error.charged) for error in again.errors] == [("OutcomeUnknown", True)]


async def test_resend_ambiguous(open_shop: OpenShop) -> None:
    """The operator who would rather pay twice gets a new call, under a key of its own."""
    shop = open_shop()
    shop.engine.answer = lambda call: OutcomeUnknown("lost", charged=True)
    claimed = await shop.task()
    await shop.attempt(claimed, resend_ambiguous=True)
    shop.engine.answer = bytes_at_once
    made = await shop.attempt(await shop.after_crash(), resend_ambiguous=True)
    assert (len(made.images), made.errors) == (1, ())
    assert len({call.key for call in shop.engine.sends}) == 2
    assert states(await shop.calls(claimed)) == [UNKNOWN, MADE]


async def test_resend_ambiguous_in_a_group_that_was_cut(open_shop: OpenShop) -> None:
    """That operator also gets the images of a group whose answer was cut after the first."""
    shop = open_shop()
    shop.engine.planned = lambda images: [tuple(images)]
    lost = OutcomeUnknown("cut", charged=True)
    shop.engine.answer = lambda call: Done((RemoteImage(0, data=picture(0)),), (lost,))
    await shop.attempt(await shop.task(2), resend_ambiguous=True)
    shop.engine.answer = bytes_at_once
    made = await shop.attempt(await shop.after_crash(), resend_ambiguous=True)
    assert ([image.index for image in made.images], made.errors) == ([0, 1], ())
    assert [call.images for call in shop.engine.sends] == [(0, 1), (1,)]


async def test_resend_safe_sends_the_same_key(open_shop: OpenShop) -> None:
    """Where the provider knows keys a lost answer is asked for again under the same one, and is billed once."""
    shop = open_shop(resend_safe=True)
    shop.engine.answer = lambda call: OutcomeUnknown("lost", charged=True)
    claimed = await shop.task()
    made = await shop.attempt(claimed)
    (error,) = made.errors
    assert isinstance(error, Unanswered)
    assert (error.retryable, error.charged) == (True, True), "nobody else may buy it"
    assert (await shop.only_call(claimed)).state is CallState.SENT
    shop.engine.answer = bytes_at_once
    made = await shop.attempt(await shop.after_crash())
    assert (len(made.images), made.errors) == (1, ())
    assert len({call.key for call in shop.engine.sends}) == 1
    assert (len(shop.engine.sends), shop.engine.bills) == (2, {0: 1})


async def test_a_bug_while_sending(open_shop: OpenShop) -> None:
    """An engine that breaks while it sends leaves the call unknown, and cuts no other call."""
    shop = open_shop()

    async def break_one(call: Call) -> None:
        if call.images == (0,):
            raise KeyError("a bug")

    shop.engine.after_send = break_one
    claimed = await shop.task(2)
    made = await shop.attempt(claimed)
    assert [image.index for image in made.images] == [1]
    assert [(error.kind, error.charged) for error in made.errors] == [("OutcomeUnknown", True)]
    assert states(await shop.calls(claimed)) == [UNKNOWN, MADE]


@pytest.mark.parametrize("plan", [[(0, 1)], [(1,), (1,)], [(2,)]], ids=["kept", "twice", "beyond"])
async def test_a_plan_that_buys_what_is_not_wanted(open_shop: OpenShop, plan: list[tuple[int, ...]]) -> None:
    """An engine that plans an image that is kept already, twice, or not asked for, is not let near the money."""
    shop = open_shop()
    shop.engine.answer = lambda call: bytes_at_once(call) if call.images == (0,) else Unavailable("later")
    await shop.attempt(await shop.task(2))
    shop.engine.planned = lambda images: plan
    made = await shop.attempt(await shop.after_crash())
    assert [error.kind for error in made.errors] == ["Misconfigured"]
    assert shop.engine.bills == {0: 1}


async def test_a_refused_plan_leaves_what_is_under_way_alone(open_shop: OpenShop) -> None:
    """A task whose references have gone meanwhile still gets the images of the job that was taken."""
    shop = open_shop()
    shop.engine.answer = lambda call: a_job(call) if call.images == (0,) else Unavailable("later")
    reached = asyncio.Event()
    shop.engine.before_look = lambda call: for_ever(reached)
    claimed = await shop.task(2)
    await crash(shop, claimed, reached)
    await until_settled(shop, claimed, 1)
    fresh = ScriptedRemote()
    fresh.sends, shop.engine = shop.engine.sends, fresh
    later = await shop.after_crash()
    shop.prepare_raises = InputRefused("the reference is gone")
    made = await shop.attempt(later)
    assert [image.index for image in made.images] == [0]
    assert [error.kind for error in made.errors] == ["InputRefused"]
    assert len(shop.engine.sends) == 2


async def until_settled(shop: Shop, claimed: ClaimedTask, count: int) -> None:
    calls = [call for call in await shop.calls(claimed) if call.state is CallState.SETTLED]
    assert len(calls) == count


# what the account learns


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InputRefused("no"), ("", 0)),
        (ContentRefused("no"), ("", 0)),
        (Unavailable("no"), ("bad", 1)),
        (Broken("no"), ("bad", 1)),
        (OutcomeUnknown("no", charged=True), ("bad", 1)),
        (Misconfigured("no"), ("key", 1)),
        (Misconfigured("no", about_account=False), ("", 0)),
        (BalanceExhausted("no"), ("balance", 1)),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
async def test_what_an_end_says_about_the_account(
    open_shop: OpenShop, error: EngineError, expected: tuple[str, int]
) -> None:
    """Refusals speak well of the account, failures ill, a wrong model not at all."""
    shop = open_shop()
    shop.engine.answer = lambda call: error
    await shop.attempt(await shop.task())
    state = await provider(shop)
    assert (state.ailment, state.failures) == expected


async def test_slow_down_pauses_the_account(open_shop: OpenShop) -> None:
    """Every call of the account waits as long as the provider asked."""
    shop = open_shop()
    shop.engine.answer = lambda call: EngineRateLimited("slow", retry_after=7.0)
    before = shop.tools.clock.now()
    await shop.attempt(await shop.task())
    assert (await provider(shop)).paused_until >= before + 7 * SECOND


async def test_a_call_that_was_never_sent_says_nothing(open_shop: OpenShop) -> None:
    """A reference's host that fails is no failure of the provider, and the call ends as not sent."""
    shop = open_shop()
    claimed = await shop.task()
    await crash(shop, claimed, halt(shop, "admit", "before"))
    later = await shop.after_crash()
    shop.prepare_raises = ReferenceUnavailable("gone for now")
    made = await shop.attempt(later)
    assert [type(error) for error in made.errors] == [ReferenceUnavailable]
    call = await shop.only_call(claimed)
    assert ((call.state, call.outcome), call.charged) == (NOT_SENT, False)
    assert await shop.store.providers() == []


async def ail(shop: Shop, error: EngineError, times: int) -> None:
    """Let other tasks meet an error so often."""
    answer, shop.engine.answer = shop.engine.answer, lambda call: error
    for _ in range(times):
        other = await shop.task()
        await shop.attempt(other)
        await shop.end(other)
    shop.engine.answer = answer
    shop.engine.sends.clear()


@pytest.mark.parametrize("error", [Misconfigured("401"), BalanceExhausted("402")], ids=lambda error: error.kind)
async def test_an_account_that_does_not_work_is_not_tried(open_shop: OpenShop, error: EngineError) -> None:
    """A refused key or an empty balance rests the account, and its tasks are told at once, unsent and unbilled."""
    shop = open_shop()
    await ail(shop, error, 3)
    claimed = await shop.task()
    made = await shop.attempt(claimed)
    assert [(found.kind, found.charged) for found in made.errors] == [(error.kind, False)]
    assert (shop.engine.sends, states(await shop.calls(claimed))) == ([], [NOT_SENT])


async def test_a_rest_is_waited_for(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that nobody else can serve waits for the rest to end, and then one call finds out."""
    shop = open_shop()
    shop.tools.rules = type(shop.tools.rules)(failures=3, rest=SECOND // 5)
    await ail(shop, Unavailable("503"), 3)
    made = await shop.attempt(await shop.task())
    assert len(made.images) == 1
    assert (await provider(shop)).resting_until == 0


async def test_a_rest_sends_a_task_elsewhere(open_shop: OpenShop) -> None:
    """A task with another route does not wait for a rest that is longer than its patience."""
    shop = open_shop()
    shop.tools.rules = type(shop.tools.rules)(failures=3, rest=60 * SECOND)
    await ail(shop, Unavailable("503"), 3)
    claimed = await shop.task()
    made = await shop.attempt(claimed, elsewhere=True)
    assert [type(error) for error in made.errors] == [Elsewhere]
    assert (shop.engine.sends, states(await shop.calls(claimed))) == ([], [NOT_SENT])


async def test_patience_is_for_the_whole_wait(open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many short waits for a busy account are together no longer than the patience."""
    monkeypatch.setattr(purchase, "PATIENCE", 0.5)
    shop = open_shop(limits=in_flight(1))
    reached = asyncio.Event()
    shop.engine.after_send = lambda call: for_ever(reached)
    busy = asyncio.create_task(shop.attempt(await shop.task()))
    await reached.wait()
    shop.tools.places.clear()  # as if another process had the place
    async with asyncio.timeout(3.0):
        made = await shop.attempt(await shop.task(), elsewhere=True)
    assert [type(error) for error in made.errors] == [Elsewhere]
    busy.cancel()
    await asyncio.wait([busy])


async def test_a_probe_without_a_verdict_frees_the_account(open_shop: OpenShop) -> None:
    """After a rest, a first call that tells nothing of the account does not keep the others waiting."""
    shop = open_shop()
    shop.tools.rules = type(shop.tools.rules)(failures=3, rest=SECOND // 20)
    await ail(shop, Unavailable("503"), 3)
    await asyncio.sleep(0.06)
    await ail(shop, Misconfigured("no such model", about_account=False), 1)
    async with asyncio.timeout(0.9):  # a probe under way would be asked after once a second, for half a minute
        assert len((await shop.attempt(await shop.task())).images) == 1


# crashes

POINTS = [
    ("intend", "before"),
    ("intend", "after"),
    ("admit", "before"),
    ("admit", "after"),
    ("send", "before"),
    ("send", "after"),
    ("acknowledge", "before"),
    ("acknowledge", "after"),
    ("look", "before"),
    ("download", "before"),
    ("end_call", "before"),
    ("end_call", "after"),
]
UNSENT = POINTS[:3]  # nothing has left, and the journal knows it
WAYS = ["bytes", "links", "job, bytes", "job, links"]


def reachable(way: str, point: tuple[str, str]) -> bool:
    match point[0]:
        case "acknowledge":
            return way != "bytes"
        case "look":
            return "job" in way
        case "download":
            return "links" in way
        case _:
            return True


def doubtful(way: str, point: tuple[str, str]) -> bool:
    """Whether the call may have left and nothing of its answer is on the disk."""
    if point in [("admit", "after"), ("send", "before"), ("send", "after"), ("acknowledge", "before")]:
        return True
    return way == "bytes" and point == ("end_call", "before")


CRASHES = [(way, point) for way in WAYS for point in POINTS if reachable(way, point)]


def set_up(shop: Shop, way: str, files: FileServer) -> None:
    files.answers = {"0.png": [(200, picture(0))]}
    results = links(files) if "links" in way else bytes_at_once
    shop.engine.answer = a_job if "job" in way else results
    shop.engine.found = results


async def crash_at(shop: Shop, claimed: ClaimedTask, point: tuple[str, str], files: FileServer, **order: Any) -> None:
    """An attempt that dies at the point, and a world in which nothing halts any more."""
    reached = asyncio.Event()

    async def stop(_: object) -> None:
        await for_ever(reached)

    async def go_on(_: object) -> None:
        pass

    match point:
        case ("send", "before"):
            shop.engine.before_send = stop
        case ("send", "after"):
            shop.engine.after_send = stop
        case ("look", "before"):
            shop.engine.before_look = stop
        case ("download", "before"):
            files.before = stop
        case (method, when):
            reached = halt(shop, method, when)
    await crash(shop, claimed, reached, **order)
    shop.engine.before_send = shop.engine.after_send = shop.engine.before_look = go_on
    files.before = None


@pytest.mark.parametrize(("way", "point"), CRASHES, ids=str)
async def test_a_crash_never_pays_twice(
    open_shop: OpenShop, files: FileServer, way: str, point: tuple[str, str]
) -> None:
    """Wherever a run dies, the next one sends nothing that may have left, and loses nothing that is on the disk."""
    shop = open_shop()
    set_up(shop, way, files)
    claimed = await shop.task()
    await crash_at(shop, claimed, point, files)
    sent = len(shop.engine.sends)
    made = await shop.attempt(await shop.after_crash())
    assert max(shop.engine.bills.values(), default=0) <= 1
    if doubtful(way, point):
        assert len(shop.engine.sends) == sent, "sent again"
        assert [(error.kind, error.charged) for error in made.errors] == [("OutcomeUnknown", True)]
        assert states(await shop.calls(claimed)) == [UNKNOWN]
    else:
        assert [image.digest for image in made.images] == [digest_of(picture(0))]
        assert made.errors == ()
        assert len(shop.engine.sends) == 1
        call = await shop.only_call(claimed)
        assert ((call.state, call.outcome), call.charged) == (MADE, True)


@pytest.mark.parametrize(("way", "point"), CRASHES, ids=str)
async def test_a_crash_where_keys_are_known(
    open_shop: OpenShop, files: FileServer, way: str, point: tuple[str, str]
) -> None:
    """With a provider that knows keys every crash ends in the image, paid once, under one key."""
    shop = open_shop(resend_safe=True)
    set_up(shop, way, files)
    claimed = await shop.task()
    await crash_at(shop, claimed, point, files)
    made = await shop.attempt(await shop.after_crash())
    assert ([image.digest for image in made.images], made.errors) == ([digest_of(picture(0))], ())
    assert shop.engine.bills == {0: 1}
    assert len({call.key for call in shop.engine.sends}) == 1
    assert states(await shop.calls(claimed)) == [MADE]


@pytest.mark.parametrize(("way", "point"), [crash for crash in CRASHES if doubtful(*crash)], ids=str)
async def test_a_crash_where_paying_twice_is_wished(
    open_shop: OpenShop, files: FileServer, way: str, point: tuple[str, str]
) -> None:
    """An operator who would rather pay twice gets the image; the first call stays unknown."""
    shop = open_shop()
    set_up(shop, way, files)
    claimed = await shop.task()
    await crash_at(shop, claimed, point, files, resend_ambiguous=True)
    made = await shop.attempt(await shop.after_crash(), resend_ambiguous=True)
    assert (len(made.images), made.errors) == (1, ())
    assert states(await shop.calls(claimed)) == [UNKNOWN, MADE]


@pytest.mark.parametrize("method", ["acknowledge", "end_call"])
async def test_two_crashes(open_shop: OpenShop, files: FileServer, method: str) -> None:
    """A run that takes up a job and dies as well leaves it to the next: one call in all."""
    shop = open_shop()
    set_up(shop, "job, links", files)
    claimed = await shop.task()
    await crash_at(shop, claimed, ("look", "before"), files)
    later = await shop.after_crash()
    await crash_at(shop, later, (method, "before"), files)
    made = await shop.attempt(await shop.after_crash())
    assert (len(made.images), len(shop.engine.sends)) == (1, 1)


async def test_pending_links_are_only_fetched(open_shop: OpenShop, files: FileServer) -> None:
    """A run that finds links does not ask after the job again."""
    shop = open_shop()
    set_up(shop, "job, links", files)
    claimed = await shop.task()
    await crash_at(shop, claimed, ("download", "before"), files)
    looks = len(shop.engine.looks)
    await shop.attempt(await shop.after_crash())
    assert (len(shop.engine.looks), files.hits["0.png"]) == (looks, 2)


async def test_kept_images_are_used_as_they_are(open_shop: OpenShop, files: FileServer) -> None:
    """A run that dies after its images were kept costs the next one neither money nor a download."""
    shop = open_shop()
    set_up(shop, "links", files)
    claimed = await shop.task()
    first = await shop.attempt(claimed)
    again = await shop.attempt(await shop.after_crash())
    assert again.images == first.images
    assert (len(shop.engine.sends), files.hits["0.png"], len(shop.prepared)) == (1, 1, 3)


async def test_a_resent_call_whose_reference_is_gone_is_not_forgotten(open_shop: OpenShop) -> None:
    """What an earlier run sent under its key stays open when it cannot be sent now: else it would be bought anew."""
    shop = open_shop(resend_safe=True)
    shop.engine.answer = lambda call: OutcomeUnknown("lost", charged=True)
    claimed = await shop.task()
    await shop.attempt(claimed)
    later = await shop.after_crash()
    shop.prepare_raises = ReferenceUnavailable("not now")
    made = await shop.attempt(later)
    (error,) = made.errors
    assert isinstance(error, Unanswered)
    assert error.charged
    shop.prepare_raises = None
    shop.engine.answer = bytes_at_once
    made = await shop.attempt(await shop.after_crash())
    assert (len(made.images), shop.engine.bills) == (1, {0: 1})
    assert len({call.key for call in shop.engine.sends}) == 1


@pytest.mark.parametrize("rest", [Unavailable("503"), Misconfigured("401")], ids=lambda error: error.kind)
async def test_a_resent_call_whose_account_rests_stays_with_it(open_shop: OpenShop, rest: EngineError) -> None:
    """What may be billed there already goes to no other route, and ends as unknown with its task."""
    shop = open_shop(resend_safe=True)
    shop.tools.rules = type(shop.tools.rules)(failures=3, rest=60 * SECOND)
    shop.engine.answer = lambda call: OutcomeUnknown("lost", charged=True)
    claimed = await shop.task()
    await shop.attempt(claimed)
    await ail(shop, rest, 3)
    later = await shop.after_crash()
    run = asyncio.create_task(shop.attempt(later, elsewhere=True))
    done, _ = await asyncio.wait([run], timeout=0.2)
    if done:
        assert [(error.kind, error.charged) for error in run.result().errors] == [(rest.kind, True)]
    else:
        run.cancel()  # it waits, as it has nowhere else to go
        await asyncio.wait([run])
    assert shop.engine.sends == []
    await shop.end(later)
    call = await shop.only_call(claimed)
    assert (call.state, call.charged) == (CallState.UNKNOWN, True)


async def test_an_intent_of_another_engine_is_let_go(open_shop: OpenShop) -> None:
    """A call that only was meant, for an engine that no longer serves the task, ends as not sent; ours is bought."""
    shop = open_shop()
    claimed = await shop.task()
    old = NewCall("k-old", "gone", "m", "gone:1", (0,), False)
    await shop.store.intend(claimed.no, claimed.attempt, [old], 1)
    made = await shop.attempt(await shop.after_crash())
    assert len(made.images) == 1
    assert states(await shop.calls(claimed)) == [NOT_SENT, MADE]


async def test_a_call_of_another_engine_is_not_bought_again(open_shop: OpenShop) -> None:
    """What was sent to an engine that no longer serves the task is unknown, under whatever key."""
    shop = open_shop(resend_safe=True)
    claimed = await shop.task()
    old = NewCall("k-old", "gone", "m", "gone:1", (0,), True)
    (call,) = await shop.store.intend(claimed.no, claimed.attempt, [old], 1)
    await shop.store.admit(call, claimed.attempt, in_flight(0), 1, 1)
    made = await shop.attempt(await shop.after_crash())
    assert [error.kind for error in made.errors] == ["OutcomeUnknown"]
    assert (shop.engine.sends, states(await shop.calls(claimed))) == ([], [UNKNOWN])


# results that do not come


async def test_a_result_that_waits(open_shop: OpenShop, files: FileServer) -> None:
    """A link that cannot be fetched now leaves the call open; a later run fetches it and sends nothing."""
    shop = open_shop()
    shop.engine.answer = links(files)
    files.answers = {"0.png": [(503, b""), (503, b""), (200, picture(0))]}
    claimed = await shop.task()
    made = await shop.attempt(claimed)
    assert ([type(error) for error in made.errors], made.images) == ([ResultWaits], ())
    assert (await shop.only_call(claimed)).state is CallState.ACKNOWLEDGED
    made = await shop.attempt(await shop.after_crash())
    assert (len(made.images), made.errors, len(shop.engine.sends)) == (1, (), 1)


async def test_what_came_is_shown_while_the_rest_waits(open_shop: OpenShop, files: FileServer) -> None:
    """Of a group whose second link does not answer the first image is there, should this have been the last run."""
    shop = open_shop()
    shop.engine.planned = lambda images: [tuple(images)]
    shop.engine.answer = links(files)
    files.answers = {"0.png": [(200, picture(0))], "1.png": [(503, b"")]}
    made = await shop.attempt(await shop.task(2))
    assert [image.index for image in made.images] == [0]
    assert [type(error) for error in made.errors] == [ResultWaits]


async def test_a_result_that_is_gone(open_shop: OpenShop, files: FileServer) -> None:
    """A link that has expired is a loss: billed, said so, not bought again, and not the account's fault."""
    shop = open_shop()
    shop.engine.answer = links(files)
    files.answers = {"0.png": [(410, b"")]}
    claimed = await shop.task()
    made = await shop.attempt(claimed)
    assert [(error.kind, error.charged) for error in made.errors] == [("Broken", True)]
    call = await shop.only_call(claimed)
    assert ((call.state, call.outcome), call.charged) == ((CallState.SETTLED, "lost"), True)
    await shop.attempt(await shop.after_crash())
    assert len(shop.engine.sends) == 1
    assert (await provider(shop)).failures == 0


async def test_one_lost_result_of_a_group(open_shop: OpenShop, files: FileServer) -> None:
    """What is lost is lost alone."""
    shop = open_shop()
    shop.engine.planned = lambda images: [tuple(images)]
    shop.engine.answer = links(files)
    files.answers = {"0.png": [(410, b"")], "1.png": [(200, picture(1))]}
    made = await shop.attempt(await shop.task(2))
    assert [image.index for image in made.images] == [1]
    assert [(error.kind, error.charged) for error in made.errors] == [("Broken", True)]


async def test_bytes_that_are_no_picture(open_shop: OpenShop) -> None:
    """Rubbish that was paid for is charged, and not bought again."""
    shop = open_shop()
    shop.engine.answer = lambda call: Done((RemoteImage(0, data=b"<html>"),))
    claimed = await shop.task()
    made = await shop.attempt(claimed)
    assert [(error.kind, error.charged) for error in made.errors] == [("Broken", True)]
    await shop.attempt(await shop.after_crash())
    assert len(shop.engine.sends) == 1


# the store, the owner, and the end


async def test_a_task_that_was_cancelled_meanwhile_buys_nothing(open_shop: OpenShop) -> None:
    """A run that has lost its task stops before anything leaves."""
    shop = open_shop()
    await ail(shop, EngineRateLimited("slow", retry_after=0.3), 1)
    claimed = await shop.task()
    run = asyncio.create_task(shop.attempt(claimed))
    await asyncio.sleep(0.1)
    await shop.end(claimed)
    with pytest.raises(LeaseLost):
        await run
    assert (shop.engine.sends, states(await shop.calls(claimed))) == ([], [NOT_SENT])


async def test_a_lost_lease_buys_nothing(open_shop: OpenShop) -> None:
    """An attempt that another one has overtaken cannot even mean to buy."""
    shop = open_shop()
    claimed = await shop.task()
    await shop.after_crash()
    with pytest.raises(LeaseLost):
        await shop.attempt(claimed)
    assert (shop.engine.sends, await shop.calls(claimed)) == ([], [])


class RefusingStore(HaltingStore):
    """A store that refuses one method so many times."""

    def __init__(self, shop: Shop, method: str, times: int) -> None:
        super().__init__(shop.store, method, "refuse")
        self.times = times

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)

        async def refusing(*args: Any, **kwargs: Any) -> Any:
            if self.times:
                self.times -= 1
                raise StoreUnavailable("disk full")
            return await real(*args, **kwargs)

        return refusing if name == self._method else real


def with_store(shop: Shop, store: object) -> None:
    fresh = shop_of(store, shop.assets, shop.keep, shop.engine)  # type: ignore[arg-type]
    shop.tools, shop.buy = fresh.tools, fresh.buy


@pytest.mark.parametrize("method", ["acknowledge", "end_call"])
async def test_what_was_paid_is_written_down_in_the_end(open_shop: OpenShop, files: FileServer, method: str) -> None:
    """A database that refuses for a moment does not lose what was paid."""
    shop = open_shop()
    set_up(shop, "job, links", files)
    with_store(shop, RefusingStore(shop, method, 1))
    claimed = await shop.task()
    made = await shop.attempt(claimed)
    assert (len(made.images), len(shop.engine.sends)) == (1, 1)
    assert states(await shop.calls(claimed)) == [MADE]


@pytest.mark.parametrize("method", ["intend", "admit"])
async def test_a_store_that_refuses_before_the_money(open_shop: OpenShop, method: str) -> None:
    """What cannot be journaled is not sent, and the next run sends it."""
    shop = open_shop()
    with_store(shop, RefusingStore(shop, method, 1))
    claimed = await shop.task()
    with pytest.raises(StoreUnavailable):
        await shop.attempt(claimed)
    assert shop.engine.sends == []
    assert not shop.buy.delicate(claimed.no)
    assert len((await shop.attempt(await shop.after_crash())).images) == 1


async def test_a_full_disk_does_not_lose_a_link(
    open_shop: OpenShop, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result that cannot be kept for lack of room waits where it lies."""
    shop = open_shop()
    set_up(shop, "links", files)
    claimed = await shop.task()

    async def full(data: bytes) -> str:
        raise OSError(28, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(shop.assets, "put", full)
        made = await shop.attempt(claimed)
    assert [type(error) for error in made.errors] == [ResultWaits]
    assert len((await shop.attempt(await shop.after_crash())).images) == 1
    assert len(shop.engine.sends) == 1


async def test_delicate_is_from_sent_to_acknowledged(open_shop: OpenShop, files: FileServer) -> None:
    """A restart waits exactly while a paid call could not be taken up again."""
    shop = open_shop()
    set_up(shop, "job, links", files)
    seen: list[tuple[str, bool]] = []

    def note(where: str) -> Callable[[object], Awaitable[None]]:
        async def noting(_: object) -> None:
            seen.append((where, shop.buy.delicate(claimed.no)))

        return noting

    shop.engine.before_send, shop.engine.after_send = note("leaving"), note("answered")
    shop.engine.before_look, files.before = note("followed"), note("downloaded")
    claimed = await shop.task()
    order = shop.order(claimed)
    assert not shop.buy.delicate(claimed.no)
    await shop.buy(order)
    assert seen == [("leaving", True), ("answered", True), ("followed", False), ("downloaded", False)]
    assert not shop.buy.delicate(claimed.no)


async def test_bytes_are_delicate_until_they_are_kept(open_shop: OpenShop) -> None:
    """Images that came with the answer are nowhere else, so a restart waits until they are written down."""
    shop = open_shop()
    claimed = await shop.task()
    reached = halt(shop, "end_call", "before")
    run = asyncio.create_task(shop.attempt(claimed))
    await reached.wait()
    assert shop.buy.delicate(claimed.no)
    run.cancel()
    await asyncio.wait([run])
    assert not shop.buy.delicate(claimed.no)


async def test_waiting_is_not_delicate(open_shop: OpenShop) -> None:
    """A restart does not wait for a call that waits for its turn, nor for one that failed."""
    shop = open_shop()
    await ail(shop, EngineRateLimited("slow", retry_after=0.3), 1)
    claimed = await shop.task()
    run = asyncio.create_task(shop.attempt(claimed))
    await asyncio.sleep(0.1)
    assert not shop.buy.delicate(claimed.no)
    shop.engine.answer = lambda call: OutcomeUnknown("lost", charged=True)
    await run
    assert not shop.buy.delicate(claimed.no)


async def test_a_full_account_lets_a_taken_job_be_followed(open_shop: OpenShop) -> None:
    """A job of an earlier run needs no place: it is with the provider, and who waits for a place may wait for it."""
    shop = open_shop(limits=in_flight(1))
    shop.engine.answer = a_job
    claimed = await shop.task()
    reached = asyncio.Event()
    shop.engine.before_look = lambda call: for_ever(reached)
    await crash(shop, claimed, reached)
    later = await shop.after_crash()
    place = shop.tools.place(shop.engine)
    await place.acquire()  # as by a task that waits for its turn
    shop.engine.before_look = note_nothing
    async with asyncio.timeout(5.0):
        assert len((await shop.attempt(later)).images) == 1


async def note_nothing(_: object) -> None:
    pass


async def test_the_calls_of_waiting_tasks_take_no_place(open_shop: OpenShop) -> None:
    """A task that waits to be run again does not keep the only place from the task that runs."""
    shop = open_shop(limits=in_flight(1))
    shop.engine.answer = a_job
    first = await shop.task()
    reached = asyncio.Event()
    shop.engine.before_look = lambda call: for_ever(reached)
    await crash(shop, first, reached)
    await shop.store.release_foreign("another process", shop.tools.clock.now() + 60 * SECOND)
    shop.engine.before_look = note_nothing
    async with asyncio.timeout(5.0):
        assert len((await shop.attempt(await shop.task())).images) == 1


async def test_abandon_stops_the_job(open_shop: OpenShop) -> None:
    """When the task has ended the provider is asked to stop, with what the journal knows of the job."""
    shop = open_shop()
    shop.engine.answer = a_job
    claimed = await shop.task()
    reached = asyncio.Event()
    shop.engine.before_look = lambda call: for_ever(reached)
    await crash(shop, claimed, reached)
    await shop.end(claimed)
    await shop.buy.abandon(claimed)
    await until(lambda: bool(shop.engine.stopped))
    call = await shop.only_call(claimed)
    assert (call.outcome, call.charged) == ("abandoned", True)
    assert shop.engine.stopped == [call.handle]
    await shop.buy.close()


async def test_an_answer_that_comes_after_the_end_is_stopped_too(open_shop: OpenShop) -> None:
    """A job that was taken just when its task was cancelled does not stay open, and can be stopped."""
    shop = open_shop()
    shop.engine.answer = a_job
    claimed = await shop.task()

    async def end_now(call: Call) -> None:
        await shop.end(claimed)

    shop.engine.after_send = end_now
    reached = asyncio.Event()
    shop.engine.before_look = lambda call: for_ever(reached)
    await crash(shop, claimed, reached)
    call = await shop.only_call(claimed)
    assert ((call.state, call.outcome), call.charged) == ((CallState.SETTLED, "abandoned"), True)
    await shop.buy.abandon(claimed)
    await until(lambda: bool(shop.engine.stopped))
    await shop.buy.close()


async def test_an_answer_that_comes_after_the_end_is_written_down(open_shop: OpenShop) -> None:
    """What was paid is known, also when its task ended before."""
    shop = open_shop()
    claimed = await shop.task()

    async def end_now(call: Call) -> None:
        await shop.end(claimed)

    shop.engine.after_send = end_now
    await shop.attempt(claimed)
    call = await shop.only_call(claimed)
    assert ((call.state, call.outcome), len(call.kept)) == (MADE, 1)


async def test_two_attempts_follow_one_job(open_shop: OpenShop) -> None:
    """A run that lost its lease unawares and the one after it both learn of the job; it is bought and kept once."""
    shop = open_shop()
    shop.engine.answer = a_job
    claimed = await shop.task()
    open_gate = asyncio.Event()

    async def gate(call: Call) -> None:
        await open_gate.wait()

    shop.engine.before_look = gate
    first = asyncio.create_task(shop.attempt(claimed))
    await until(lambda: bool(shop.engine.looks))
    await shop.store.release_foreign("another process", shop.tools.clock.now())
    second = asyncio.create_task(shop.attempt(await shop.claim()))
    await until(lambda: len(shop.engine.looks) >= 2)
    open_gate.set()
    results: list[Made] = await asyncio.gather(first, second)
    assert [len(made.images) for made in results] == [1, 1]
    assert len(shop.engine.sends) == 1
    assert states(await shop.calls(claimed)) == [MADE]


async def test_ends_are_written_once(open_shop: OpenShop) -> None:
    """A later end of a settled call changes nothing of it."""
    shop = open_shop()
    claimed = await shop.task()
    await shop.attempt(claimed)
    before = await shop.only_call(claimed)
    end = CallEnd(CallState.UNKNOWN, None, 5, charged=True)
    await shop.store.end_call(before.no, end, "bad", None, shop.tools.rules)
    assert await shop.only_call(claimed) == before
