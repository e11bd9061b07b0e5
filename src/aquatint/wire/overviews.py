"""The operator's overview as the API shows it. Times are ISO 8601, spans are seconds."""

from __future__ import annotations

import msgspec

from aquatint.wire.answers import LaneData


class StepData(msgspec.Struct, frozen=True):
    """One step of the window; p50 and p90 are seconds from submit to success."""

    at: str
    succeeded: int
    failed: int
    cancelled: int
    p50: float | None
    p90: float | None


class SharesData(msgspec.Struct, frozen=True):
    """So long at most for half, nine in ten, and 99 of 100 of the successes."""

    p50: float
    p90: float
    p99: float


class CauseData(msgspec.Struct, frozen=True):
    """`cause` is a class of docs/reference/errors.md, deadline or other."""

    cause: str
    tasks: int


class ProviderData(msgspec.Struct, frozen=True):
    """One provider account. `state` is open (calls pass), slowed, resting (after failures) or trying (one call)."""

    account: str
    state: str
    ailment: str  # bad, key, balance, or empty
    failures: int  # in a row
    until: str | None


class UsageData(msgspec.Struct, frozen=True):
    """One key. What was deleted meanwhile counts for the key named `deleted`, which has no id."""

    key_id: str | None
    name: str
    prefix: str
    admin: bool
    revoked: bool
    points: int | None
    tasks: int  # that ended in the window
    succeeded: int
    images: int
    waiting: int
    running: int


class OverviewData(msgspec.Struct, frozen=True):
    """`since`: with more than 20 000 tasks in the window the numbers begin later than it."""

    at: str
    since: str
    window_seconds: int
    step_seconds: int
    lanes: list[LaneData]
    providers: list[ProviderData]
    unknown_calls: int  # paid calls whose outcome nobody knows
    steps: list[StepData]
    total: SharesData | None  # from submit to success
    wait: SharesData | None  # from submit to the start of the attempt that succeeded
    causes: list[CauseData]
    keys: list[UsageData]
