"""A provider account as all workers see it: its limits, its pauses, and whether it rests after failures.

Plain values in and out; the store keeps one state for each account and changes it under its own lock.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from aquatint.domain.task import Micros

SECOND = 1_000_000
MINUTE = 60 * SECOND
BURST = 6  # a rate lets a sixth of its minute through at once
LONGEST_REST = 600 * SECOND
LONGEST_PAUSE = 60 * SECOND
SHUT_FAILURES = 3  # a key or a balance that failed so often in a row is not tried by every task

Verdict = Literal["good", "slow down", "bad", "key", "balance"]  # what a call's end says about the account
Ailment = Literal["", "bad", "key", "balance"]


class ProviderLimits(msgspec.Struct, frozen=True):
    """What the operator lets one provider key do, counted over all workers. 0: no limit."""

    in_flight: int = 0  # paid calls that are open at once
    requests_per_minute: float = 0
    images_per_minute: float = 0
    polls_per_second: float = 0  # of one process


class CircuitRules(msgspec.Struct, frozen=True):
    """When an account rests: after so many failures in a row, for so many microseconds, doubling."""

    failures: int
    rest: Micros


class ProviderState(msgspec.Struct, frozen=True):
    """What is known of one account. Times are microseconds since 1970; 0 is never."""

    account: str
    requests_at: Micros = 0  # theoretical arrival time of the next request (GCRA)
    images_at: Micros = 0
    paused_until: Micros = 0  # the provider asked us to slow down
    pauses: int = 0  # in a row
    failures: int = 0  # in a row
    ailment: Ailment = ""
    rests: int = 0  # in a row
    resting_until: Micros = 0
    probe_until: Micros = 0  # a call is under way that finds out whether the rest is over


class Admitted(msgspec.Struct, frozen=True):
    """The call may be sent now."""


class Wait(msgspec.Struct, frozen=True):
    """Not yet; ask again at `until`. `resting` says why when the account rests after failures."""

    until: Micros
    resting: Ailment = ""


def admit(
    state: ProviderState, limits: ProviderLimits, images: int, in_flight: int, probe_for: Micros, now: Micros
) -> tuple[Admitted | Wait, ProviderState]:
    """Whether a call for so many images may be sent now, and the state with it counted.

    After a rest one call is let through for `probe_for` microseconds, and the others wait for what it finds.
    """
    if state.resting_until > now:
        return Wait(state.resting_until, state.ailment), state
    if state.resting_until and state.probe_until > now:
        return Wait(min(state.probe_until, now + SECOND), state.ailment), state
    if limits.in_flight and in_flight >= limits.in_flight:
        return Wait(now + SECOND // 4), state
    requests, requests_at = _spend(state.requests_at, limits.requests_per_minute, 1, now)
    pictures, images_at = _spend(state.images_at, limits.images_per_minute, images, now)
    until = max(state.paused_until, requests, pictures)
    if until > now:
        return Wait(until), state
    probe_until = now + probe_for if state.resting_until else 0
    counted = msgspec.structs.replace(state, requests_at=requests_at, images_at=images_at, probe_until=probe_until)
    return Admitted(), counted


def _spend(arrival: Micros, per_minute: float, cost: int, now: Micros) -> tuple[Micros, Micros]:
    """When `cost` may pass at this rate, and the next theoretical arrival if it passes now (GCRA)."""
    if not per_minute:
        return now, arrival
    each = MINUTE / per_minute
    burst = max(1.0, per_minute / BURST, cost)
    arrival = int(max(arrival, now) + cost * each)
    return int(arrival - burst * each), arrival


def after(
    state: ProviderState, verdict: Verdict, retry_after: float | None, rules: CircuitRules, now: Micros
) -> ProviderState:
    """The state once a call has ended. `retry_after` is in seconds."""
    match verdict:
        case "good":
            return msgspec.structs.replace(
                state, pauses=0, failures=0, ailment="", rests=0, resting_until=0, probe_until=0
            )
        case "slow down":
            # A call that was sent before the pause says nothing new, unless it names a time.
            late = state.paused_until > now
            own = 0 if late else min(LONGEST_PAUSE, SECOND << state.pauses)
            pause = own if retry_after is None else int(retry_after * SECOND)
            return msgspec.structs.replace(
                state,
                paused_until=max(state.paused_until, now + pause),
                pauses=state.pauses if late else min(state.pauses + 1, 6),
                probe_until=0,
            )
        case "bad" | "key" | "balance":
            if state.resting_until > now:
                return state  # it was sent before the rest, which it neither lengthens nor explains
            same = state.ailment in ("", verdict)
            failures = state.failures + 1 if same else 1
            failed = msgspec.structs.replace(state, failures=failures, ailment=verdict, probe_until=0)
            most = rules.failures if verdict == "bad" else SHUT_FAILURES
            if failures < most and not (state.resting_until and same):
                # Also after a rest for another reason: one refused key proves nothing yet.
                return msgspec.structs.replace(failed, resting_until=0)
            rest = min(LONGEST_REST, rules.rest << min(state.rests, 10))
            return msgspec.structs.replace(failed, rests=state.rests + 1, resting_until=now + rest)


def unprobed(state: ProviderState) -> ProviderState:
    """The state once a call has ended, or gave its results, without a verdict: another may find out."""
    return msgspec.structs.replace(state, probe_until=0)
