"""The parser of event streams, by the rules of the HTML standard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquatint_client._sse import MAX_PENDING, Message, SseParser, TooLong

STREAM = (
    "\ufeffretry: 1500\n\n"
    ": a comment\n"
    'id: 1\nevent: task.submitted\ndata: {"a":\r\ndata: 1}\r\n\r\n'
    "data\n\n"
    "event: nothing\n\n"
    "id: 2\rdata:  ünïcödé ✓\r\r"
    "id: bad\0id\nignored: x\ndata: last\n\n"
    "id\ndata: no id any more\n\n"
    "data: never ended"
).encode()
EXPECTED = [
    Message("task.submitted", '{"a":\n1}', "1", "1"),
    Message("message", "", "1", ""),
    Message("message", " ünïcödé ✓", "2", "2"),
    Message("message", "last", "2", ""),
    Message("message", "no id any more", "", ""),
]


def test_a_whole_stream() -> None:
    parser = SseParser()
    assert parser.feed(STREAM) == EXPECTED
    assert parser.retry == 1.5


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_however_it_is_cut(cuts: list[int]) -> None:
    """Also within a character and between CR and LF."""
    parser, found, start = SseParser(), [], 0
    for end in [*sorted(cuts), len(STREAM)]:
        found += parser.feed(STREAM[start:end])
        start = end
    assert found == EXPECTED


@given(st.binary(max_size=300))
def test_nothing_breaks_it(data: bytes) -> None:
    whole = SseParser().feed(data)
    parser = SseParser()
    assert [one for byte in data for one in parser.feed(bytes([byte]))] == whole


def test_an_endless_event_is_refused() -> None:
    parser = SseParser()
    for _ in range(MAX_PENDING // 65536 - 1):
        parser.feed(b"x" * 65536)
    with pytest.raises(TooLong):
        parser.feed(b"x" * 131072)
