"""Failures whose text is hostile reach whoever counts them."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path

import execnet

from support.reports import sendable


class Number(IntEnum):
    ONE = 1


def test_any_report_can_be_sent() -> None:
    """Half a surrogate, a type of ours, a path: nothing of it ends the run in place of the failure."""
    report = {"longrepr": "said 'a\udc80b'", "parts": [("x", Path("/y")), Number.ONE, None, 1.5, True]}
    taken = execnet.loads(execnet.dumps(sendable(report)))
    assert taken["longrepr"] == r"said 'a\udc80b'"
    assert taken["parts"][2:] == [None, 1.5, True]


def test_what_can_be_sent_stays_as_it_is() -> None:
    report = {"outcome": "failed", "location": ("tests/test_x.py", 3, "test_y"), "sections": [["log", "ä"]]}
    assert sendable(report) == report
