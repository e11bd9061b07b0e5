"""One attempt at one delivery: a signed POST, and the verdict on it."""

from __future__ import annotations

import email.utils
import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from aquatint.net.errors import BadUrl, BlockedAddress
from aquatint.net.http import HttpDoor, PostOutcome
from aquatint.webhooks.signature import SHARED_SECRET_HEADER, Signer

TRACE_HEADER = "traceparent"  # W3C Trace Context
TIMEOUT_SECONDS = 60.0  # receivers download our files before they answer
LONGEST_RETRY_AFTER = 24 * 3600.0

_WORTH_ANOTHER_TRY = frozenset((404, 408, 409, 425, 429))


class Letter(msgspec.Struct, frozen=True):
    """One delivery. `delivery_id` and `body` are the same on every attempt."""

    delivery_id: str
    url: str  # the caller's callBackUrl, byte for byte
    body: bytes
    per_key_secret: str | None = None  # sent as x-maxapi-webhook-secret; printable ASCII
    traceparent: str = ""  # sent when there is one, so that the receiver's trace goes on with ours


class AttemptLog(msgspec.Struct, frozen=True):
    """What the delivery log keeps: HTTP status if there was one, start of the answer's body, milliseconds."""

    status: int | None
    excerpt: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""

    log: AttemptLog


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again: not before `after` seconds when the receiver asked for a pause, else as the schedule
    says.
    """

    after: float | None
    reason: str
    log: AttemptLog


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Trying again cannot help."""

    reason: str
    log: AttemptLog


Verdict = Delivered | Retry | GiveUp


class Sender:
    """Makes deliveries through the door; knows nothing of schedules, queues or stores."""

    def __init__(self, door: HttpDoor, secrets: Sequence[str], *, timeout: float = TIMEOUT_SECONDS) -> None:
        """`secrets` sign every letter, newest first; none: unsigned. Raises ValueError for an unreadable
        one.
        """
        self._door = door
        self._signer = Signer(secrets)
        self._timeout = timeout

    async def send(self, letter: Letter, now: float) -> Verdict:
        """POST the letter once. `now` is Unix seconds: the signature's timestamp. Never raises for the
        receiver.
        """
        headers = {"Content-Type": "application/json"}
        headers |= self._signer.headers(letter.delivery_id, int(now), letter.body)
        if letter.per_key_secret:
            headers[SHARED_SECRET_HEADER] = letter.per_key_secret
        if letter.traceparent:
            headers[TRACE_HEADER] = letter.traceparent
        try:
            outcome = await self._door.post(letter.url, letter.body, headers, timeout=self._timeout)
        except (BadUrl, BlockedAddress) as error:
            return GiveUp(error.message, AttemptLog(None, "", 0))
        return _judge(outcome, now)


def _judge(outcome: PostOutcome, now: float) -> Verdict:
    log = AttemptLog(outcome.status, _readable(outcome.body_excerpt), round(outcome.duration_ms))
    status = outcome.status
    if status is None:
        return Retry(None, outcome.error or "no answer", log)
    if 200 <= status < 300:
        return Delivered(log)
    reason = f"the receiver answered with status {status}"
    if 300 <= status < 400:
        # What could be followed has been followed.
        return Retry(None, f"{reason}, a redirect that is not followed", log)
    if status in _WORTH_ANOTHER_TRY or status >= 500:
        return Retry(_retry_after(outcome.headers.get("retry-after"), now), reason, log)
    return GiveUp(reason, log)


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait, from a number of seconds or an HTTP date (RFC 9110, 10.2.3); None when unreadable or
    past.
    """
    if not value:
        return None
    try:
        seconds = (
            float(value) if value.strip().isdigit() else email.utils.parsedate_to_datetime(value).timestamp() - now
        )
    except (ValueError, OverflowError):
        return None
    return min(seconds, LONGEST_RETRY_AFTER) if math.isfinite(seconds) and seconds > 0 else None


def _readable(excerpt: bytes) -> str:
    """Text that any database and terminal can take: no control characters but tab and newline."""
    text = excerpt.decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() or letter in "\t\n" else " " for letter in text)
