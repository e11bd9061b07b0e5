"""Timestamps of the contract: UTC, six fractional digits, `Z`."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

from aquatint.domain.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def render(micros: int) -> str:
    """`2026-02-10T21:54:46.686768Z` from microseconds since 1970."""
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_to_the_second(seconds)}.{rest:06d}Z"


@functools.lru_cache(maxsize=256)  # a busy server renders the same few seconds over and over
def _to_the_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def parse(path: str, text: str) -> int:
    """Microseconds since 1970 from an ISO 8601 time with a zone. Raises InvalidInput."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(path, "is not an ISO 8601 time such as 2026-02-10T21:54:46Z") from None
    if moment.tzinfo is None:
        raise InvalidInput(path, "has no time zone; end it with Z for UTC")
    return (moment - _EPOCH) // timedelta(microseconds=1)
