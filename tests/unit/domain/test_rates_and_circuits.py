"""An account's rates, pauses and rests: plain values in, plain values out."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquatint.domain.provider import (
    BURST,
    LONGEST_PAUSE,
    LONGEST_REST,
    MINUTE,
    SECOND,
    SHUT_FAILURES,
    Admitted,
    CircuitRules,
    ProviderLimits,
    ProviderState,
    Verdict,
    Wait,
    admit,
    after,
    unprobed,
)

START = 1_700_000_000 * SECOND
RULES = CircuitRules(failures=5, rest=30 * SECOND)
PROBE = 60 * SECOND
NONE = ProviderLimits()


@dataclass
class Account:
    """An account with its state, and a clock that the test moves."""

    limits: ProviderLimits = NONE
    now: int = START
    state: ProviderState = field(default_factory=lambda: ProviderState("p:1"))

    def ask(self, images: int = 1, in_flight: int = 0) -> Admitted | Wait:
        answer, self.state = admit(self.state, self.limits, images, in_flight, PROBE, self.now)
        return answer

    def passes(self, images: int = 1, in_flight: int = 0) -> bool:
        return isinstance(self.ask(images, in_flight), Admitted)

    def end(self, verdict: Verdict, retry_after: float | None = None, times: int = 1) -> None:
        for _ in range(times):
            self.state = after(self.state, verdict, retry_after, RULES, self.now)

    def burst(self, images: int = 1, most: int = 1000) -> int:
        """How many calls pass at this very moment."""
        return next(n for n in range(most + 1) if n == most or not self.passes(images))


# rates


def test_no_limits() -> None:
    """0 is no limit."""
    assert Account().burst(9) == 1000


@pytest.mark.parametrize(
    ("per_minute", "burst"), [(60.0, 10), (600.0, 100), (6.0, 1), (1.0, 1), (0.5, 1), (7.0, 1), (12.0, 2)]
)
def test_a_burst_of_requests(per_minute: float, burst: int) -> None:
    """A sixth of a minute's requests pass at once, at least one; then one for each of its time."""
    account = Account(ProviderLimits(requests_per_minute=per_minute))
    assert account.burst() == burst
    waits = account.ask()
    assert isinstance(waits, Wait)
    account.now = waits.until - 1
    assert not account.passes()
    account.now += 1
    assert account.burst() == 1


def test_images_are_counted_by_number() -> None:
    """A call for more images uses up more of the images' rate, and the requests' rate but once."""
    account = Account(ProviderLimits(requests_per_minute=600, images_per_minute=60))
    assert account.passes(10)
    waits = account.ask(4)
    assert waits == Wait(START + 4 * SECOND)
    account.now += 4 * SECOND
    assert account.passes(4)


def test_a_call_that_is_larger_than_the_burst_passes_in_the_end() -> None:
    """A group of more images than the burst goes when the rate has room, and is paid for by waiting after it."""
    account = Account(ProviderLimits(images_per_minute=6))
    assert account.passes(4)
    waits = account.ask(4)
    assert waits == Wait(START + 40 * SECOND)
    account.now = waits.until
    assert account.passes(4)


def test_a_refused_call_costs_nothing() -> None:
    """Whoever asks in vain does not move the rate."""
    account = Account(ProviderLimits(requests_per_minute=60, images_per_minute=60))
    account.burst()
    before = account.state
    for _ in range(50):
        account.ask()
    assert account.state == before


def test_unused_rate_is_not_saved_up() -> None:
    """After a quiet hour no more pass at once than ever."""
    account = Account(ProviderLimits(requests_per_minute=60))
    account.burst()
    account.now += 60 * MINUTE
    assert account.burst() == 10


STEPS = st.lists(st.tuples(st.integers(0, 20 * SECOND), st.integers(1, 6)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, requests=st.sampled_from([0.5, 1, 7, 30, 60, 500]), images=st.sampled_from([1, 2.5, 10, 60, 500]))
def test_no_minute_holds_more_than_rate_and_burst(
    steps: list[tuple[int, int]], requests: float, images: float
) -> None:
    """Whatever comes when: any minute admits at most the rate and one burst, of requests and of images."""
    account = Account(ProviderLimits(requests_per_minute=requests, images_per_minute=images))
    admitted: list[tuple[int, int]] = []
    for pause, count in steps:
        account.now += pause
        if account.passes(count):
            admitted.append((account.now, count))
    largest = max(count for _, count in steps)
    for began, _ in admitted:
        within = [count for at, count in admitted if began <= at < began + MINUTE]
        assert len(within) <= requests + max(1.0, requests / BURST)
        assert sum(within) <= images + max(1.0, images / BURST, largest)


@settings(max_examples=150, deadline=None)
@given(
    counts=st.lists(st.integers(1, 6), min_size=2, max_size=40),
    images=st.sampled_from([3, 30, 90]),
    requests=st.sampled_from([0, 2, 20]),
)
def test_who_waits_as_told_passes(counts: list[int], images: float, requests: float) -> None:
    """Asking again at the very time that was named is enough: nobody waits in vain, and no rate is wasted."""
    account = Account(ProviderLimits(requests_per_minute=requests, images_per_minute=images))
    for count in counts:
        answer = account.ask(count)
        if isinstance(answer, Wait):
            account.now = answer.until
            assert account.passes(count)
    most = sum(counts) / images + (len(counts) / requests if requests else 0.0)
    assert account.now - START <= most * MINUTE


def test_in_flight() -> None:
    """With all places taken a call waits a moment; nothing is counted for it."""
    account = Account(ProviderLimits(in_flight=3, requests_per_minute=60))
    assert account.passes(in_flight=2)
    before = account.state
    waits = account.ask(in_flight=3)
    assert isinstance(waits, Wait)
    assert START < waits.until <= START + SECOND
    assert (waits.resting, account.state) == ("", before)


# pauses


@pytest.mark.parametrize("seconds", [0.5, 3.0, 3600.0])
def test_a_pause_that_the_provider_names(seconds: float) -> None:
    """Nothing passes before the time that it named, and then everything."""
    account = Account()
    account.end("slow down", seconds)
    until = START + int(seconds * SECOND)
    assert account.ask() == Wait(until)
    account.now = until
    assert account.burst() == 1000


def test_pauses_without_a_time_grow() -> None:
    """One pause after the other is longer, up to a bound; a success starts anew."""
    account = Account()
    pauses = []
    for _ in range(9):
        account.end("slow down")
        pauses.append(account.state.paused_until - account.now)
        account.now = account.state.paused_until
    assert pauses == [SECOND * n for n in (1, 2, 4, 8, 16, 32, 60, 60, 60)]
    assert max(pauses) == LONGEST_PAUSE
    account.end("good")
    account.end("slow down")
    assert account.state.paused_until - account.now == SECOND


def test_a_volley_is_one_pause() -> None:
    """Many calls that were refused together are one request to slow down, not many."""
    account = Account()
    account.end("slow down", times=20)
    assert account.state.paused_until == START + SECOND
    account.now = account.state.paused_until
    account.end("slow down")
    assert account.state.paused_until == account.now + 2 * SECOND


def test_the_longer_time_counts() -> None:
    """Of several named times the last to come is kept to."""
    account = Account()
    for seconds in (3.0, 9.0, 1.0):
        account.end("slow down", seconds)
    assert account.ask() == Wait(START + 9 * SECOND)
    account.end("slow down")
    assert account.ask() == Wait(START + 9 * SECOND)


def test_slowing_down_is_no_failure() -> None:
    """However often it is asked for, the account does not rest."""
    account = Account()
    account.end("slow down", 0.0, times=50)
    assert (account.state.failures, account.state.resting_until) == (0, 0)


# rests


def test_failures_in_a_row_open_the_circuit() -> None:
    """So many failures in a row rest the account; one success in between starts the count anew."""
    account = Account()
    account.end("bad", times=4)
    account.end("good")
    account.end("bad", times=4)
    assert account.passes()
    account.end("bad")
    assert account.ask() == Wait(START + RULES.rest, "bad")


@pytest.mark.parametrize("verdict", ["key", "balance"])
def test_a_key_or_a_balance(verdict: Verdict) -> None:
    """A refused key and an empty balance rest the account sooner, and are named to those who wait."""
    account = Account()
    account.end(verdict, times=SHUT_FAILURES - 1)
    assert account.passes()
    account.end(verdict)
    assert account.ask() == Wait(START + RULES.rest, verdict)


def test_different_failures_are_not_in_a_row() -> None:
    """A refused key after an outage is the first of its kind."""
    account = Account()
    account.end("bad", times=4)
    account.end("key", times=SHUT_FAILURES - 1)
    account.end("bad", times=4)
    assert account.passes()


def opened(verdict: Verdict = "bad") -> Account:
    """An account whose rest has just ended."""
    account = Account()
    account.end(verdict, times=RULES.failures if verdict == "bad" else SHUT_FAILURES)
    account.now = account.state.resting_until
    return account


def test_half_open_lets_one_call_through() -> None:
    """After the rest one call finds out; the others ask again within a second."""
    account = opened()
    assert account.passes()
    assert account.ask() == Wait(account.now + SECOND, "bad")
    account.now += PROBE - SECOND // 2
    assert account.ask() == Wait(account.now + SECOND // 2, "bad")


def test_a_probe_that_succeeds_closes_the_circuit() -> None:
    """All pass again, and the next rest is a short one."""
    account = opened()
    account.passes()
    account.end("good")
    assert account.burst() == 1000
    account.end("bad", times=RULES.failures)
    assert account.state.resting_until - account.now == RULES.rest


def test_a_probe_that_fails_rests_for_longer() -> None:
    """Each rest is twice the one before, up to a bound."""
    account = opened()
    rests = []
    for _ in range(7):
        assert account.passes()
        account.end("bad")
        rests.append(account.state.resting_until - account.now)
        account.now = account.state.resting_until
    assert rests == [n * SECOND for n in (60, 120, 240, 480, 600, 600, 600)]
    assert max(rests) == LONGEST_REST


def test_a_probe_that_is_never_heard_of() -> None:
    """When the time of a probe is over another call is let through."""
    account = opened()
    assert account.passes()
    account.now += PROBE
    assert account.passes()
    assert not account.passes()


def test_a_probe_that_says_nothing() -> None:
    """A probe that ended without a verdict makes way for another; the rest is neither over nor longer."""
    account = opened()
    account.passes()
    account.state = unprobed(account.state)
    assert account.passes()
    assert not account.passes()


def test_a_probe_that_must_slow_down() -> None:
    """It is neither a success nor a failure: after the pause another call finds out."""
    account = opened()
    account.passes()
    account.end("slow down", 5.0)
    assert account.ask() == Wait(account.now + 5 * SECOND)
    account.now += 5 * SECOND
    assert account.passes()
    assert not account.passes()


@pytest.mark.parametrize("verdict", ["key", "balance"])
def test_a_probe_that_fails_otherwise(verdict: Verdict) -> None:
    """One refused key after an outage proves nothing of the key: it takes as many as ever."""
    account = opened()
    account.passes()
    account.end(verdict)
    assert account.passes()
    account.end(verdict, times=SHUT_FAILURES - 1)
    assert account.ask() == Wait(account.state.resting_until, verdict)


def test_a_key_that_stays_wrong() -> None:
    """A probe that finds the key still refused goes back to rest at once."""
    account = opened("key")
    assert account.passes()
    account.end("key")
    assert account.ask() == Wait(account.now + 2 * RULES.rest, "key")


@pytest.mark.parametrize("verdict", ["bad", "key", "balance"])
def test_stragglers_do_not_lengthen_a_rest(verdict: Verdict) -> None:
    """Failures of calls that were sent before the rest change neither its end nor its reason."""
    account = Account()
    account.end("bad", times=RULES.failures)
    rested = account.state
    account.now += SECOND
    account.end(verdict, times=20)
    assert account.state == rested
    assert account.ask() == Wait(START + RULES.rest, "bad")


def test_a_straggler_that_succeeds_ends_the_rest() -> None:
    """A success shows that the provider works, whenever its call was sent."""
    account = Account()
    account.end("bad", times=RULES.failures)
    account.end("good")
    assert account.passes()


VERDICTS = st.tuples(
    st.sampled_from(["good", "slow down", "bad", "key", "balance", "ask"]),
    st.one_of(st.none(), st.floats(0, 100)),
    st.integers(0, 90 * SECOND),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(VERDICTS, max_size=60))
def test_no_account_is_shut_for_ever(steps: list[tuple[str, float | None, int]]) -> None:
    """Whatever happened to it, an account lets a call through again within its longest rest and pause."""
    account = Account(ProviderLimits(requests_per_minute=60))
    for what, retry_after, pause in steps:
        account.now += pause
        if what == "ask":
            account.ask()
        else:
            account.end(what, retry_after)  # type: ignore[arg-type]
    account.now += max(LONGEST_REST, LONGEST_PAUSE, 100 * SECOND, PROBE)
    assert account.passes()
