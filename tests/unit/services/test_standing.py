"""Standing: every state of a call, read by this attempt or a later one, of this seat or another."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from aquatint.domain.call import OPEN, CallState, KeptImage, PaidCall, PendingImage
from aquatint.domain.errors import Broken, ContentRefused, EngineError, InputRefused, OutcomeUnknown
from aquatint.services.standing import Seat, Standing, read, unknown_error

SEAT = Seat("ours", "ours:1", "m-1")
MINE, EARLIER = 2, 1
AMBIGUOUS = (False, True)


def call(state: CallState, *, attempt: int = EARLIER, **more: Any) -> PaidCall:
    sent_at = None if state is CallState.INTENT else 1
    fields: dict[str, Any] = {
        "no": 1,
        "task_no": 1,
        "key": "k",
        "engine": "ours",
        "remote_model": "m-1",
        "account": "ours:1",
        "images": (0,),
        "resend_safe": False,
        "created_at": 0,
        "sent_at": sent_at,
    }
    return PaidCall(**{**fields, "attempt": attempt, "state": state, **more})


def kept(index: int) -> KeptImage:
    return KeptImage(index, "d" * 64, "image/png", 1, 1, 1)


def pile(found: Standing) -> str:
    """The list that the one call went to; `closed` beside it when its images are not to be bought."""
    piles = [name for name in ("open", "doubtful", "stale") if getattr(found, name)]
    return " ".join([*piles, *(["closed"] if found.closed else [])])


def of(*calls: PaidCall, attempt: int = MINE, ambiguous: bool = False) -> Standing:
    return read(calls, attempt, SEAT, ambiguous)


# state, attempt, resend_safe, seat: where the call goes; "?" stands for closed unless paying twice is wished
OTHER_ENGINE = {"engine": "gone"}
OTHER_ACCOUNT = {"account": "ours:2"}
OTHER_MODEL = {"remote_model": "m-2"}
OTHERS = [OTHER_ENGINE, OTHER_ACCOUNT, OTHER_MODEL]
PENDING = {"pending": (PendingImage(0, "https://a.invalid/0.png"),)}
RESENT = {"sent_at": 1, "resend_safe": True}  # an intent that an earlier run had sent

ROWS: list[tuple[PaidCall, str]] = [
    # nothing was sent
    *((call(CallState.INTENT, attempt=a, resend_safe=r), "open") for a, r in itertools.product((1, 2), AMBIGUOUS)),
    *((call(CallState.INTENT, resend_safe=r, **o), "stale") for o, r in itertools.product(OTHERS, AMBIGUOUS)),
    # it was sent, then adopted to be sent again, and that run died as well
    (call(CallState.INTENT, **RESENT), "open"),
    *((call(CallState.INTENT, **RESENT, **other), "doubtful ?") for other in OTHERS),
    # it was sent
    (call(CallState.SENT), "doubtful ?"),
    (call(CallState.SENT, resend_safe=True), "open"),
    *((call(CallState.SENT, resend_safe=r, **o), "doubtful ?") for o, r in itertools.product(OTHERS, AMBIGUOUS)),
    (call(CallState.SENT, attempt=MINE), "open"),
    # the provider has taken it
    *(
        (call(CallState.ACKNOWLEDGED, attempt=a, resend_safe=r), "open")
        for a, r in itertools.product((1, 2), AMBIGUOUS)
    ),
    (call(CallState.ACKNOWLEDGED, **OTHER_ACCOUNT), "open"),
    (call(CallState.ACKNOWLEDGED, **OTHER_MODEL), "open"),
    (call(CallState.ACKNOWLEDGED, **OTHER_ENGINE), "doubtful ?"),
    (call(CallState.ACKNOWLEDGED, resend_safe=True, **OTHER_ENGINE), "doubtful ?"),
    # its results lie there: whoever serves the task can fetch them
    (call(CallState.ACKNOWLEDGED, **PENDING), "open"),
    (call(CallState.ACKNOWLEDGED, **PENDING, **OTHER_ENGINE), "open"),
    # nobody knows
    *((call(CallState.UNKNOWN, attempt=a, resend_safe=r), "?") for a, r in itertools.product((1, 2), AMBIGUOUS)),
    (call(CallState.UNKNOWN, **OTHER_ENGINE), "?"),
]


def name(row: PaidCall) -> str:
    shown = [row.state.value, f"attempt {row.attempt}", row.engine, row.account, row.remote_model]
    more = [
        word for word, there in (("safe", row.resend_safe), ("links", row.pending), ("sent", row.sent_at)) if there
    ]
    return "-".join([*shown, *more])


@pytest.mark.parametrize("ambiguous", AMBIGUOUS)
@pytest.mark.parametrize(("row", "expected"), ROWS, ids=[name(row) for row, _ in ROWS])
def test_where_a_call_goes(row: PaidCall, expected: str, ambiguous: bool) -> None:
    """Each kind of row goes to its pile, and what may be paid is closed unless paying twice is wished."""
    found = of(row, ambiguous=ambiguous)
    closed = expected.endswith("?") and not ambiguous
    assert pile(found) == " ".join([*expected.removesuffix("?").split(), *(["closed"] if closed else [])])
    assert found.missing(1) == ([] if "open" in expected or closed else [0])
    if closed:
        assert isinstance(found.closed[0], OutcomeUnknown)
        assert found.closed[0].charged


def test_nothing_that_may_be_paid_is_missing() -> None:
    """Without the operator's wish no image of a call that may have left is ever to be bought again."""
    for row, _ in ROWS:
        if row.sent_at is not None:
            assert of(row).missing(1) == [], name(row)


def test_every_open_state_is_in_the_table() -> None:
    """The table above knows each state that a call can be in while its task runs."""
    assert {row.state for row, _ in ROWS} == OPEN | {CallState.UNKNOWN}


SETTLED: list[tuple[dict[str, Any], type[EngineError] | None]] = [
    ({"outcome": "made", "kept": (kept(0),), "charged": True}, None),
    ({"outcome": "not sent"}, None),
    ({"outcome": "failed", "failure": "Unavailable"}, None),
    ({"outcome": "failed", "failure": "EngineRateLimited"}, None),
    ({"outcome": "failed", "failure": "Broken", "charged": True}, Broken),
    ({"outcome": "refused", "failure": "ContentRefused"}, ContentRefused),
    ({"outcome": "refused", "failure": "InputRefused"}, InputRefused),
    ({"outcome": "refused", "failure": "ContentRefused", "charged": True}, ContentRefused),
    ({"outcome": "lost", "failure": "Broken", "charged": True}, Broken),
    ({"outcome": "lost", "charged": True}, Broken),
    ({"outcome": "abandoned", "charged": True}, Broken),
    ({"outcome": "failed", "failure": "NoSuchClass", "charged": True}, Broken),
]


@pytest.mark.parametrize(("fields", "kind"), SETTLED, ids=str)
def test_a_settled_call(fields: dict[str, Any], kind: type[EngineError] | None) -> None:
    """What was refused or billed is final and says why; what failed free of charge may be bought anew."""
    row = call(CallState.SETTLED, code="c-1", **fields)
    found = of(row)
    assert pile(found) == ("" if kind is None else "closed")
    assert found.missing(1) == ([0] if kind is None and not row.kept else [])
    if kind is not None:
        error = found.closed[0]
        assert (type(error), error.code, error.charged) == (kind, "c-1", row.charged)


def test_a_partial_call() -> None:
    """Images that a finished call did not give are closed; those that it gave are kept."""
    row = call(CallState.SETTLED, images=(0, 1, 2), kept=(kept(1),), outcome="made", failure="Broken", charged=True)
    found = of(row)
    assert (list(found.kept), sorted(found.closed), found.missing(4)) == ([1], [0, 2], [3])


@pytest.mark.parametrize("ambiguous", AMBIGUOUS)
def test_a_group_that_was_cut(ambiguous: bool) -> None:
    """What a cut answer did not bring is bought again only by the operator's wish."""
    row = call(
        CallState.SETTLED, images=(0, 1), kept=(kept(0),), outcome="made", failure="OutcomeUnknown", charged=True
    )
    found = of(row, ambiguous=ambiguous)
    assert found.missing(2) == ([1] if ambiguous else [])
    assert [error.kind for error in found.closed.values()] == ([] if ambiguous else ["OutcomeUnknown"])


def test_several_calls() -> None:
    """The journal as a whole says what is left to buy."""
    found = of(
        call(CallState.SETTLED, images=(0,), kept=(kept(0),), outcome="made", charged=True),
        call(CallState.ACKNOWLEDGED, images=(1,)),
        call(CallState.SENT, images=(2,)),
        call(CallState.SETTLED, images=(3,), outcome="failed"),
        call(CallState.INTENT, images=(4,)),
    )
    assert [row.images for row in found.open] == [(1,), (4,)]
    assert (list(found.kept), list(found.closed), found.missing(6)) == ([0], [2], [3, 5])


def test_no_journal() -> None:
    """A task without calls buys all its images."""
    assert of().missing(3) == [0, 1, 2]


def test_the_words_of_an_unknown_outcome() -> None:
    """The caller is told that it may have been billed, and that it is not sent again."""
    error = unknown_error()
    assert (error.kind, error.charged, error.retryable) == ("OutcomeUnknown", True, False)
    assert "may have been billed" in error.message
