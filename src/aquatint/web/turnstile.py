"""The turnstile: how often somebody may try keys at the login."""

from __future__ import annotations

import time
from collections.abc import Callable

SPAN = 60.0  # seconds
EACH = 10  # failed tries of one address in that time
ALL = 300  # of everybody
REMEMBERED = 10_000  # addresses


class Turnstile:
    """Counts failures only: whoever knows a key is never kept waiting by it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since = now()
        self._failures: dict[str, int] = {}
        self._total = 0

    def open_for(self, address: str) -> bool:
        self._turn()
        return self._failures.get(address, 0) < EACH and self._total < ALL

    def failed(self, address: str) -> None:
        self._turn()
        self._total += 1
        if address in self._failures or len(self._failures) < REMEMBERED:
            self._failures[address] = self._failures.get(address, 0) + 1

    def _turn(self) -> None:
        if self._now() - self._since >= SPAN:
            self._since = self._now()
            self._failures.clear()
            self._total = 0
