"""Small tools that every verb is given: the clock, new names, public URLs."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

import uuid_utils

from aquatint.domain.task import Micros, ResultImage
from aquatint.store.records import INLINE_LINK, KEPT_LINK

_COUNTER = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
SECOND = 1_000_000  # microseconds
STEP = 5 * SECOND  # a clock that differs by more has been set, and has not drifted
MOST_SLEW = 20_000  # microseconds that a clock is moved at once
INLINE = INLINE_LINK
ESCROW = "escrow"  # name of links that only keep a cleaned reference
PRIVATE_LINKS = (INLINE, ESCROW, KEPT_LINK)  # nothing public leads to them


class Clock:
    """Time in microseconds since 1970 that never jumps: set once, it follows the machine's own counter, and is then
    only moved by hundredths of a second to stay with others.

    A wall clock that is stepped would let leases and deadlines run out at once, or never. Processes that share a
    database set theirs by it, so that all mean the same moment. Tests give their own.
    """

    def __init__(self) -> None:
        self._offset = 0
        self.set(time.time_ns() // 1000)

    def set(self, now: Micros) -> None:
        """It is `now`."""
        self._offset = now - _counter()

    def slew(self, now: Micros) -> Micros:
        """Move a little towards `now`, as two machines' counters drift apart; how far it was off.

        A step of the other clock is not followed: leases and deadlines would jump with it.
        """
        off = now - self.now()
        if abs(off) < STEP:
            self._offset += max(-MOST_SLEW, min(MOST_SLEW, off))
        return off

    def now(self) -> Micros:
        return self._offset + _counter()


def _counter() -> Micros:
    """Microseconds since the machine started, sleep included where the system counts it."""
    return time.clock_gettime_ns(_COUNTER) // 1000


def new_id() -> str:
    """A UUID of version 7: lower case, hyphenated, sortable by time (RFC 9562)."""
    return str(uuid_utils.uuid7())


def new_token() -> str:
    """128 random bits for the secret part of a URL."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class PublicUrls:
    """Result URLs as callers reach them; `base` has no trailing slash."""

    base: str

    def file(self, token: str, name: str) -> str:
        return f"{self.base}/files/{token}/{name}"

    def image(self, image: ResultImage) -> str:
        return self.file(image.token, image.name)

    def token_of(self, url: str) -> str | None:
        """The token when `url` is one of ours, so that nobody fetches over HTTP what lies in the next room."""
        prefix = f"{self.base}/files/"
        if not url.startswith(prefix):
            return None
        token, separator, name = url[len(prefix) :].partition("/")
        return token if separator and token and "/" not in name else None
