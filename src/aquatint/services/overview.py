"""Overview: what the operator wants to see at one glance, counted from what ended lately."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aquatint.domain.errors import StoreUnavailable
from aquatint.domain.key import Key
from aquatint.domain.lane import LaneState
from aquatint.domain.provider import ProviderState
from aquatint.domain.task import Micros, Status
from aquatint.services.survey import SurveyService
from aquatint.services.tools import SECOND, Clock
from aquatint.store.base import Store
from aquatint.store.records import Crowd, Finished

MOST = 20_000  # ended tasks counted; when there are more, the numbers begin with the oldest of these
BUCKETS = {3600: 60, 86400: 1800}  # seconds of a window, and of each of its steps
FRESH = 2.0  # seconds that an overview is believed, however many look
SHARES = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the window. Seconds are those from submit to end of its successes."""

    at: Micros
    succeeded: int
    failed: int
    cancelled: int
    p50: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a key did in the window, and has in the lines. Without a key: tasks that were deleted."""

    key: Key | None
    tasks: int
    succeeded: int
    images: int
    waiting: int
    running: int


@dataclass(frozen=True, slots=True)
class Overview:
    """`since` is from where on the numbers are whole."""

    at: Micros
    window: int
    step: int
    since: Micros
    lanes: tuple[LaneState, ...]
    providers: tuple[ProviderState, ...]
    unknown_calls: int
    steps: tuple[Step, ...]
    total: tuple[float, ...] | None  # seconds from submit to end, by SHARES; None without a success
    wait: tuple[float, ...] | None  # seconds from submit to the start of the last attempt
    causes: tuple[tuple[str, int], ...]
    usages: tuple[Usage, ...]


class OverviewService:
    def __init__(self, store: Store, survey: SurveyService, clock: Clock) -> None:
        self._store = store
        self._survey = survey
        self._clock = clock
        self._asking = asyncio.Lock()
        self._made: dict[int, tuple[float, Overview]] = {}

    async def __call__(self, window: int) -> Overview:
        """Of the last `window` seconds, one of BUCKETS. Raises StoreUnavailable."""
        async with self._asking:
            made = self._made.get(window)
            if made is None or time.monotonic() - made[0] > FRESH:
                made = self._made[window] = (time.monotonic(), await self._look(window))
            return made[1]

    async def _look(self, window: int) -> Overview:
        survey = await self._survey()
        if survey is None:
            raise StoreUnavailable("the database did not say in time what waits in it")
        now, step = self._clock.now(), BUCKETS[window] * SECOND
        start = now // step * step - (window * SECOND - step)
        finished = await self._store.finished(start, MOST)
        since = finished[-1].ended_at if len(finished) == MOST else start
        good = [one for one in finished if one.status is Status.SUCCESS]
        return Overview(
            at=now,
            window=window,
            step=BUCKETS[window],
            since=since,
            lanes=survey.lanes,
            providers=survey.providers,
            unknown_calls=sum(survey.unknown_calls.values()),
            steps=_steps(finished, start, step, now),
            total=_shares([one.ended_at - one.created_at for one in good]),
            wait=_shares([one.started_at - one.created_at for one in good if one.started_at is not None]),
            causes=_causes(finished),
            usages=_usages(finished, await self._store.keys(), await self._store.crowds()),
        )


def _steps(finished: Sequence[Finished], start: Micros, step: Micros, now: Micros) -> tuple[Step, ...]:
    rows: list[list[Finished]] = [[] for _ in range(start, now + 1, step)]
    for one in finished:
        rows[min(len(rows) - 1, max(0, (one.ended_at - start) // step))].append(one)
    return tuple(_step(start + number * step, row) for number, row in enumerate(rows))


def _step(at: Micros, row: Sequence[Finished]) -> Step:
    counts = Counter(one.status for one in row)
    shares = _shares([one.ended_at - one.created_at for one in row if one.status is Status.SUCCESS])
    return Step(
        at=at,
        succeeded=counts[Status.SUCCESS],
        failed=counts[Status.FAILURE] + counts[Status.TIMEOUT],
        cancelled=counts[Status.CANCELLED],
        p50=shares[0] if shares else None,
        p90=shares[1] if shares else None,
    )


def _shares(spans: list[Micros]) -> tuple[float, ...] | None:
    if not spans:
        return None
    spans.sort()
    return tuple(round(spans[min(len(spans) - 1, int(share * len(spans)))] / SECOND, 3) for share in SHARES)


def _causes(finished: Sequence[Finished]) -> tuple[tuple[str, int], ...]:
    counts: Counter[str] = Counter()
    for one in finished:
        if one.status is Status.TIMEOUT:
            counts["deadline"] += 1
        elif one.status is Status.FAILURE:
            counts[one.cause or "other"] += 1
    return tuple(counts.most_common())


def _usages(finished: Sequence[Finished], keys: Sequence[Key], crowds: Sequence[Crowd]) -> tuple[Usage, ...]:
    known = {key.id: key for key in keys}
    crowd = {one.key_id: one for one in crowds}
    tasks = Counter(one.key_id for one in finished)
    good = Counter(one.key_id for one in finished if one.status is Status.SUCCESS)
    images: Counter[str] = Counter()
    for one in finished:
        images[one.key_id] += one.images
    ids = [key.id for key in keys if key.revoked_at is None or tasks[key.id] or key.id in crowd]
    ids += [other for other in sorted({*tasks, *crowd}) if other not in known]
    found = [
        Usage(
            known.get(one) or (_unlisted(one) if one else None),
            tasks[one],
            good[one],
            images[one],
            crowd[one].waiting if one in crowd else 0,
            crowd[one].running if one in crowd else 0,
        )
        for one in ids
    ]
    return tuple(sorted(found, key=lambda usage: -usage.tasks))


def _unlisted(key_id: str) -> Key:
    """The key of the settings, which has no row."""
    return Key(key_id, key_id, "", 0, admin=True)
