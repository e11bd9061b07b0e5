"""The lane: the line of tasks in front of one engine."""

from __future__ import annotations

import msgspec

from aquatint.domain.task import Micros


class LaneState(msgspec.Struct, frozen=True):
    """One lane as the operator sees it."""

    name: str
    paused: bool
    waiting: int
    running: int
    oldest_at: Micros | None  # when the longest waiting task was submitted
    workers: int = 0  # processes that take its tasks
