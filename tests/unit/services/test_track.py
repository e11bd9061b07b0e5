"""Tracker: jobs are asked after when it is likely to tell something, within the rate, and are never forgotten."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest
from scripted_remote import until

from aquatint.domain.errors import Broken, ContentRefused, EngineError, EngineRateLimited, Unavailable
from aquatint.domain.provider import ProviderLimits
from aquatint.engines.remote import AskAgain, Call, Done, Notify, RemoteEngine, RemoteImage, RemoteSpec, Working
from aquatint.services import track
from aquatint.services.track import AT_ONCE, LONGEST, SHORTEST, SLOW_FACTOR, SLOWEST, Durations, Tracker
from aquatint.telemetry import logger

MODEL = "m"
DONE = Done((RemoteImage(0, url="https://a.invalid/0.png"),))
Answer = Callable[[str, int], Done | Working | Exception]


def now() -> float:
    return asyncio.get_running_loop().time()


class Provider:
    """Answers questions by `answer(job, how often it was asked)` and notes when they came."""

    def __init__(self, answer: Answer, *, polls_per_second: float = 0, name: str = "p", account: str = "p:1") -> None:
        limits = ProviderLimits(polls_per_second=polls_per_second)
        self.spec = RemoteSpec(name, "", "1", local=False, concurrency=1, account=account, limits=limits)
        self.answer = answer
        self.asked: dict[str, list[float]] = {}
        self.at_once = self.most_at_once = 0
        self.while_looking: Callable[[], Awaitable[None]] | None = None

    @property
    def times(self) -> list[float]:
        return sorted(at for times in self.asked.values() for at in times)

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done | Working:
        times = self.asked.setdefault(handle["id"], [])
        times.append(now())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.while_looking is not None:
                await self.while_looking()
            found = self.answer(handle["id"], len(times))
        finally:
            self.at_once -= 1
        if isinstance(found, Exception):
            raise found
        return found


def follow(
    tracker: Tracker,
    provider: Provider,
    job: str = "j",
    *,
    age: float = 0.0,
    calls_back: bool = False,
    notify: Notify = lambda fraction, stage: None,
) -> asyncio.Task[Done]:
    engine: RemoteEngine = provider  # type: ignore[assignment]  # the rest of it is not called here
    call = Call((0,), job, "https://us.invalid/callbacks/p" if calls_back else None)
    return asyncio.create_task(tracker.follow(engine, MODEL, call, job, {"id": job}, age, notify))


@pytest.fixture
async def tracker() -> AsyncIterator[Tracker]:
    made = Tracker(logger())
    yield made
    await made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track, "SHORTEST", 0.01)


@pytest.mark.usefixtures("quick")
async def test_a_job_is_asked_after_until_it_is_done(tracker: Tracker) -> None:
    """The answer is the job's, and the job is forgotten."""
    provider = Provider(lambda job, count: DONE if count == 4 else Working())
    assert await follow(tracker, provider) is DONE
    assert (len(provider.times), len(tracker)) == (4, 0)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", [Broken("x"), ContentRefused("x"), Unavailable("x")], ids=lambda e: e.kind)
async def test_a_job_that_failed(tracker: Tracker, error: EngineError) -> None:
    """The error that ended the job is raised, and it says nothing about how long such jobs take."""
    provider = Provider(lambda job, count: error)
    with pytest.raises(type(error)):
        await follow(tracker, provider)
    assert (len(provider.times), len(tracker)) == (1, 0)
    assert tracker.durations.wait("p", MODEL, 0.0) == 0.01


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "trouble",
    [
        AskAgain("x"),
        EngineRateLimited("x"),
        KeyError("a bug"),
        TimeoutError("its own"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_says_nothing_about_the_job(
    tracker: Tracker, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unanswered question, one too many, and a bug of the engine end no job: it is asked after again."""
    monkeypatch.setattr(track, "LONGEST", 0.03)
    provider = Provider(lambda job, count: DONE if count == 3 else trouble)
    async with asyncio.timeout(5.0):
        assert await follow(tracker, provider) is DONE


@pytest.mark.usefixtures("quick")
async def test_nonsense_leaves_no_job_waiting(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that answers with what is neither, or with progress that is no number, is asked again."""
    monkeypatch.setattr(track, "LONGEST", 0.03)
    steps: list[object] = [None, Working("half", "50 %"), DONE]  # type: ignore[arg-type]

    def notify(fraction: float, stage: str) -> None:
        min(1.0, fraction)

    provider = Provider(lambda job, count: steps[count - 1])  # type: ignore[arg-type,return-value]
    async with asyncio.timeout(5.0):
        assert await follow(tracker, provider, notify=notify) is DONE


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", [AskAgain, EngineRateLimited])
async def test_retry_after_is_kept_to(tracker: Tracker, kind: type[EngineError]) -> None:
    """Who says when to ask again is not asked before, and the next pause is an ordinary one."""
    provider = Provider(lambda job, count: {1: kind("x", retry_after=0.3), 2: Working()}.get(count, DONE))
    await follow(tracker, provider)
    first, second, third = provider.times
    assert second - first >= 0.29
    assert third - second < 0.2


@pytest.mark.usefixtures("quick")
async def test_progress_is_passed_on(tracker: Tracker) -> None:
    """What the provider says of progress is told; where it says nothing, nothing is."""
    told: list[tuple[float, str]] = []
    steps = [Working("queued"), Working("making", 0.4), DONE]
    provider = Provider(lambda job, count: steps[count - 1])
    await follow(tracker, provider, notify=lambda fraction, stage: told.append((fraction, stage)))
    assert told == [(0.4, "making")]


async def test_a_nudge_asks_at_once(tracker: Tracker) -> None:
    """A provider's call brings the answer now, not at the next question."""
    done = False
    provider = Provider(lambda job, count: DONE if done else Working())
    job = follow(tracker, provider, calls_back=True)
    await asyncio.sleep(0.05)
    done = True
    began = now()
    assert tracker.nudge("p:1", "j")
    await job
    assert now() - began < 0.15
    assert len(provider.times) == 1


async def test_a_nudge_while_asking(tracker: Tracker) -> None:
    """A call that comes while a question is under way leads to another one right after it."""
    gate = asyncio.Event()
    done = False
    provider = Provider(lambda job, count: DONE if done else Working())
    provider.while_looking = gate.wait
    job = follow(tracker, provider)
    await until(lambda: provider.at_once == 1)
    gate.set()
    provider.answer = lambda job, count: DONE if count == 2 else Working()
    assert tracker.nudge("p:1", "j")
    began = now()
    await job
    assert (len(provider.times), now() - began < 0.15) == (2, True)


async def test_a_nudge_overrides_a_wait(tracker: Tracker) -> None:
    """A call that a job is done is believed more than an earlier request to wait."""
    provider = Provider(lambda job, count: AskAgain("x", retry_after=60.0) if count == 1 else DONE)
    job = follow(tracker, provider)
    await until(lambda: len(provider.times) == 1)
    await asyncio.sleep(0.02)
    assert tracker.nudge("p:1", "j")
    async with asyncio.timeout(1.0):
        await job


async def test_a_nudge_for_a_stranger(tracker: Tracker) -> None:
    """Jobs that nobody follows here, or of another account, are not ours."""
    job = follow(tracker, Provider(lambda job, count: Working()))
    await asyncio.sleep(0)
    assert not tracker.nudge("p:1", "other")
    assert not tracker.nudge("p:2", "j")
    assert not tracker.nudge("", "")
    job.cancel()


async def test_a_cancelled_wait_is_forgotten(tracker: Tracker) -> None:
    """Nobody asks after a job that nobody waits for, and a nudge for it finds nothing."""
    provider = Provider(lambda job, count: Working())
    job = follow(tracker, provider)
    await until(lambda: len(provider.times) == 1)
    job.cancel()
    await asyncio.wait([job])
    assert (job.cancelled(), len(tracker), tracker.nudge("p:1", "j")) == (True, 0, False)
    await asyncio.sleep(SHORTEST * 2)
    assert len(provider.times) == 1


async def test_a_cancel_while_asking(tracker: Tracker) -> None:
    """A question under way when its wait is cancelled ends quietly."""
    gate = asyncio.Event()
    provider = Provider(lambda job, count: DONE)
    provider.while_looking = gate.wait
    job = follow(tracker, provider)
    await until(lambda: provider.at_once == 1)
    job.cancel()
    await asyncio.wait([job])
    gate.set()
    await until(lambda: provider.at_once == 0)
    assert len(tracker) == 0


@pytest.mark.usefixtures("quick")
async def test_a_job_that_two_runs_follow(tracker: Tracker) -> None:
    """When the older run of a task stops, the newer one's job can still be nudged."""
    provider = Provider(lambda job, count: Working())
    older = follow(tracker, provider)
    await asyncio.sleep(0)
    newer = follow(tracker, provider)
    await asyncio.sleep(0)
    older.cancel()
    await asyncio.wait([older])
    assert tracker.nudge("p:1", "j")
    newer.cancel()


async def lateness(seconds: float) -> float:
    """Wait so long; by how much a timer of this loop came late at worst: 0, unless the machine is busy."""
    clock = asyncio.get_running_loop().time
    end, worst = clock() + seconds, 0.0
    while (began := clock()) < end:
        await asyncio.sleep(0.01)
        worst = max(worst, clock() - began - 0.01)
    return worst if worst > 0.02 else 0.0


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("known_to_take", [None, 0.5], ids=["unknown", "due together"])
async def test_the_rate_is_kept_to(tracker: Tracker, known_to_take: float | None) -> None:
    """No second holds more questions than the provider allows, however many jobs are due, and each has its turn."""
    rate = 40.0
    provider = Provider(lambda job, count: Working(), polls_per_second=rate)
    for _ in range(10 if known_to_take is not None else 0):
        tracker.durations.note("p", MODEL, known_to_take or 0.0)
    jobs = [follow(tracker, provider, f"j{n}") for n in range(80)]
    late = await lateness(3.2 if known_to_take is None else known_to_take * track.EARLY + 2.2)
    times = provider.times
    for job in jobs:
        job.cancel()
    for at in times:
        together = rate * late  # questions that were due while the loop was kept from ringing
        assert sum(at <= other < at + 1.0 for other in times) <= rate + 2 + together, "two for the timer's grain"
    assert len(provider.asked) == 80
    assert len(times) >= 0.8 * rate * (times[-1] - times[0]), "the rate is made use of"


@pytest.mark.usefixtures("quick")
async def test_accounts_do_not_share_a_rate(tracker: Tracker) -> None:
    """A slow provider holds up no other."""
    slow = Provider(lambda job, count: Working(), polls_per_second=0.5)
    waiting = [follow(tracker, slow, f"s{n}") for n in range(20)]
    fast = Provider(lambda job, count: DONE, name="q", account="q:1")
    async with asyncio.timeout(0.5):
        await follow(tracker, fast)
    for job in waiting:
        job.cancel()


async def test_few_questions_are_under_way_at_once(tracker: Tracker) -> None:
    """A provider that answers slowly is not flooded, and all jobs are asked after in the end."""
    provider = Provider(lambda job, count: DONE)
    gate = asyncio.Event()
    provider.while_looking = gate.wait
    jobs = [follow(tracker, provider, f"j{n}") for n in range(AT_ONCE * 2)]
    await until(lambda: provider.at_once == AT_ONCE)
    await asyncio.sleep(SHORTEST * 1.5)
    assert provider.most_at_once == AT_ONCE
    gate.set()
    async with asyncio.timeout(5.0):
        await asyncio.gather(*jobs)
    assert provider.most_at_once == AT_ONCE


@pytest.mark.usefixtures("quick")
async def test_a_slow_provider_is_asked_in_turn(tracker: Tracker) -> None:
    """With more jobs due than may be asked after at once, none is left to chance: all are asked equally often."""
    provider = Provider(lambda job, count: Working())

    async def take_a_while() -> None:
        await asyncio.sleep(0.05)

    provider.while_looking = take_a_while
    jobs = [follow(tracker, provider, f"j{n}") for n in range(AT_ONCE * 5)]
    async with asyncio.timeout(20.0):
        while min((len(times) for times in provider.asked.values()), default=0) < 8:
            await asyncio.sleep(0.01)
    for job in jobs:
        job.cancel()
    assert len(provider.asked) == len(jobs)
    assert max(len(times) for times in provider.asked.values()) <= 9


async def test_a_nudged_job_is_the_next_in_line(tracker: Tracker) -> None:
    """A provider that says that a job is done is not asked after all others first."""
    provider = Provider(lambda job, count: Working() if count < 3 else DONE)
    gate = asyncio.Event()
    provider.while_looking = gate.wait
    jobs = [follow(tracker, provider, f"j{n}") for n in range(AT_ONCE * 3)]
    await until(lambda: provider.at_once == AT_ONCE)
    await asyncio.sleep(SHORTEST * 1.5)  # now the others are due, too
    [late, *_] = [f"j{n}" for n in reversed(range(AT_ONCE * 3)) if f"j{n}" not in provider.asked]
    assert tracker.nudge("p:1", late)
    await asyncio.sleep(0.05)
    gate.set()
    await until(lambda: len(provider.asked) > AT_ONCE)
    assert list(provider.asked)[AT_ONCE] == late
    async with asyncio.timeout(10.0):
        await asyncio.gather(*jobs)


async def test_the_lag_of_many_jobs(tracker: Tracker) -> None:
    """Of 200 jobs of 0.5 to 3 s at 100 questions a second, 95 in 100 are known to be done within 3 s."""
    lengths = random.Random(7)
    ends = {f"j{n}": now() + lengths.uniform(0.5, 3.0) for n in range(200)}
    provider = Provider(lambda job, count: DONE if now() >= ends[job] else Working(), polls_per_second=100.0)
    lags: list[float] = []

    async def live(job: str) -> None:
        await follow(tracker, provider, job)
        lags.append(now() - ends[job])

    await asyncio.gather(*map(live, ends))
    assert statistics.quantiles(lags, n=20)[-1] < 3.0
    assert max(len(times) for times in provider.asked.values()) <= 4


async def test_close_asks_nothing_more() -> None:
    """After the end no question is asked, and one that is under way is given up."""
    tracker = Tracker(logger())
    provider = Provider(lambda job, count: Working())
    gate = asyncio.Event()
    jobs = [follow(tracker, provider, "j1")]
    await until(lambda: len(provider.times) == 1)
    provider.while_looking = gate.wait
    jobs.append(follow(tracker, provider, "j2"))
    await until(lambda: provider.at_once == 2)
    await tracker.close()
    assert provider.at_once == 0
    count = len(provider.times)
    await asyncio.sleep(SHORTEST * 2)
    assert len(provider.times) == count
    for job in jobs:
        job.cancel()


# how long jobs take


def known(*seconds: float) -> Durations:
    durations = Durations()
    for each in seconds:
        durations.note("p", MODEL, each)
    return durations


def test_a_model_that_nobody_knows() -> None:
    """Without enough samples a job is asked after ever more rarely, within bounds."""
    for durations in (known(), known(30.0, 30.0, 30.0, 30.0)):
        assert durations.wait("p", MODEL, 0.0) == SHORTEST
        assert durations.wait("p", MODEL, 10.0) == 1.0
        assert durations.wait("p", MODEL, 500.0) == LONGEST


def test_the_first_question_comes_when_a_job_may_be_done() -> None:
    """Known durations delay the first question, are followed closely while most jobs end, then more rarely."""
    durations = known(*[20.0 + n / 10 for n in range(100)])  # 20 to 30 s
    first = durations.wait("p", MODEL, 0.0)
    assert 17.0 < first < 20.0
    assert durations.wait("p", MODEL, first) <= (30.0 - 20.0) / 10
    assert durations.wait("p", MODEL, 25.0) < 1.0
    assert durations.wait("p", MODEL, 60.0) == LONGEST


def test_the_first_question_is_waited_for_in_pieces() -> None:
    """A job that was followed before is asked after when the rest of the time is over."""
    durations = known(*[20.0] * 10)
    assert durations.wait("p", MODEL, 8.0) == pytest.approx(10.0)
    assert durations.wait("p", MODEL, 17.99) == SHORTEST


def test_samples_are_of_one_model_of_one_engine() -> None:
    """What is known of one model says nothing of another."""
    durations = known(*[20.0] * 10)
    assert durations.wait("p", "other", 0.0) == SHORTEST
    assert durations.wait("q", MODEL, 0.0) == SHORTEST


def test_old_samples_are_forgotten() -> None:
    """A model that has become faster is known to be fast again."""
    durations = known(*[60.0] * 200, *[1.0] * 200)
    assert durations.wait("p", MODEL, 0.0) == pytest.approx(0.9)


async def test_durations_are_learned(tracker: Tracker) -> None:
    """Jobs that end teach how long such jobs take; the next one is not asked after before that."""
    born: dict[str, float] = {}

    def answer(job: str, count: int) -> Done | Working:
        return DONE if now() - born[job] >= 0.6 else Working()

    provider = Provider(answer)

    async def live(job: str) -> int:
        born[job] = now()
        await follow(tracker, provider, job)
        return len(provider.asked[job])

    before = await asyncio.gather(*(live(f"j{n}") for n in range(6)))
    after = await live("later")
    assert min(before) == 3  # at 0.25, 0.5 and 0.75 s
    assert after < 3
    assert provider.asked["later"][0] - born["later"] > 0.5


async def test_a_restart_teaches_nothing_wrong(tracker: Tracker) -> None:
    """Jobs that were done long before a restart found them say nothing about how long such jobs take."""
    provider = Provider(lambda job, count: DONE)
    await asyncio.gather(*(follow(tracker, provider, f"j{n}", age=5000.0) for n in range(20)), return_exceptions=True)
    assert tracker.durations.wait("p", MODEL, 0.0) == SHORTEST


@pytest.mark.usefixtures("quick")
async def test_a_job_that_goes_on_after_a_restart_teaches(tracker: Tracker) -> None:
    """A job that was still under way after a restart has taken as long as it has."""
    provider = Provider(lambda job, count: DONE if count == 2 else Working())
    await asyncio.gather(
        *(follow(tracker, provider, f"j{n}", age=100.0, calls_back=False) for n in range(6)), _nudge_all(tracker)
    )
    assert tracker.durations.wait("p", MODEL, 0.0) == pytest.approx(90.0, rel=0.05)


async def _nudge_all(tracker: Tracker) -> None:
    """The pauses of such old jobs are long; this is not about them."""
    for _ in range(20):
        await asyncio.sleep(0.02)
        for n in range(6):
            tracker.nudge("p:1", f"j{n}")


async def test_callbacks_make_questions_rare(tracker: Tracker) -> None:
    """Where the provider calls us we ask more rarely, but we do ask: its call may be lost."""
    provider = Provider(lambda job, count: DONE)
    began = now()
    await follow(tracker, provider, calls_back=True)
    assert SHORTEST * SLOW_FACTOR * 0.9 < now() - began < SLOWEST
