"""Timestamps of the contract."""

from __future__ import annotations

import re

import hypothesis
import pytest
from hypothesis import strategies as st

from aquatint.domain.errors import InvalidInput
from aquatint.wire import times

LAST = 253402300799_999999  # 9999-12-31T23:59:59.999999Z


def test_the_contracts_example() -> None:
    """The documented shape to the letter."""
    assert times.render(1770760486_746688) == "2026-02-10T21:54:46.746688Z"
    assert times.render(0) == "1970-01-01T00:00:00.000000Z"
    assert times.render(1_000_000) == "1970-01-01T00:00:01.000000Z"


@hypothesis.settings(max_examples=200, deadline=None, database=None, derandomize=True)
@hypothesis.given(st.integers(0, LAST))
def test_there_and_back(micros: int) -> None:
    """Every microsecond survives, always with six digits and Z."""
    text = times.render(micros)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    assert times.parse("t", text) == micros


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T19:00:00.5-05:00", 500_000),
        ("1969-12-31T23:59:59Z", -1_000_000),
    ],
)
def test_zones(text: str, micros: int) -> None:
    """Any zone is understood, and times before 1970 are times."""
    assert times.parse("t", text) == micros


@pytest.mark.parametrize(
    "text", ["", "now", "2026-02-10", "2026-02-10T21:54:46", "2026-02-30T00:00:00Z", "1770761686", "Z"]
)
def test_what_is_no_time(text: str) -> None:
    """A time without a zone, or no time at all, is the caller's mistake."""
    with pytest.raises(InvalidInput, match="createdAfter"):
        times.parse("createdAfter", text)
