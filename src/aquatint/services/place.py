"""Place: where a waiting task stands in line, and when it may be done, from how its lane was served lately."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from aquatint.domain.history import Pulse
from aquatint.domain.task import Status, Task
from aquatint.services.tools import SECOND
from aquatint.store.base import Store
from aquatint.store.records import Served

MOST = 10_000  # tasks counted; whoever stands behind more is told so many
HISTORY = 200  # successes of the lane that an estimate rests on
ENOUGH = 5
FRESH = 10.0  # seconds that a lane's pace is believed


@dataclass(frozen=True, slots=True)
class Pace:
    """How a lane serves: seconds of a task (median and 90 %), and how many it has served at once."""

    median: float
    slow: float
    mean: float
    at_once: int


@dataclass(frozen=True, slots=True)
class Place:
    """`position` counts from 1. The estimates are seconds from now; None while the lane has no history."""

    position: int
    eta_p50: float | None
    eta_p90: float | None


class PlaceService:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._paces: dict[str, tuple[float, Pace | None]] = {}

    async def __call__(self, task: Task | Pulse) -> Place | None:
        """None for a task that does not wait."""
        if task.status is not Status.PENDING:
            return None
        ahead = await self._store.ahead(task.no, MOST)
        if ahead is None:
            return None
        pace = await self._pace(task.lane)
        if pace is None:
            return Place(ahead + 1, None, None)
        # Tasks ahead leave one by one as fast as all places together turn over; then comes the task itself.
        wait = ahead * pace.mean / pace.at_once
        return Place(ahead + 1, round(wait + pace.median, 1), round(wait * 1.25 + pace.slow, 1))

    async def _pace(self, lane: str) -> Pace | None:
        known = self._paces.get(lane)
        now = time.monotonic()
        if known is None or now - known[0] > FRESH:
            known = self._paces[lane] = (now, pace_of(await self._store.served(lane, HISTORY)))
        return known[1]


def pace_of(served: Sequence[Served]) -> Pace | None:
    """The pace behind these successes; None when they are too few."""
    if len(served) < ENOUGH:
        return None
    seconds = sorted((one.finished_at - one.started_at) / SECOND for one in served)
    edges = sorted([(one.started_at, 1) for one in served] + [(one.finished_at, -1) for one in served])
    at_once = running = 0
    for _, step in edges:
        running += step
        at_once = max(at_once, running)
    return Pace(
        median=seconds[len(seconds) // 2],
        slow=seconds[len(seconds) * 9 // 10],
        mean=sum(seconds) / len(seconds),
        at_once=max(1, at_once),
    )
