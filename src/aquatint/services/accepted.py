"""Accepted: when submit answers left, for the seconds in which a callback must not overtake them."""

from __future__ import annotations

from aquatint.domain.task import Micros
from aquatint.services.tools import SECOND, Clock

CROWD = 100_000  # tasks remembered at most


class Accepted:
    """Remembers the answers of the last `seconds`; 0 remembers none. In memory: after a restart nobody waits."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._keep = int(seconds * SECOND)
        self._left: dict[str, Micros] = {}  # in the order of time

    def note(self, task_id: str) -> None:
        """The answer with this id is leaving now."""
        if not self._keep:
            return
        now = self._clock.now()
        self._left[task_id] = now
        while self._left:
            oldest = next(iter(self._left))
            if now - self._left[oldest] <= self._keep and len(self._left) <= CROWD:
                break
            del self._left[oldest]

    def at(self, task_id: str) -> Micros:
        """When the answer left; 0 when that is too long ago to matter, or was in another process."""
        return self._left.get(task_id, 0)
