"""Message hygiene (contract decision 46)."""

from __future__ import annotations

import re

import hypothesis
import pytest
from hypothesis import strategies as st

from aquatint.domain.errors import InvalidInput, NotFound, Unauthenticated
from aquatint.wire.hygiene import FORBIDDEN, tidy

pieces = st.lists(st.one_of(st.sampled_from([*FORBIDDEN, "time", "out", "500", " ", "…"]), st.text(max_size=5)))


@hypothesis.settings(max_examples=300, deadline=None, database=None, derandomize=True)
@hypothesis.given(pieces)
def test_nothing_forbidden_is_left(words: list[str]) -> None:
    """Whatever is put together, no forbidden word is in it afterwards, in any case, and no number in front."""
    message = tidy("".join(words))
    assert not [word for word in FORBIDDEN if word in message.lower()]
    assert re.match(r"[0-9]{3}", message) is None


def test_taking_out_does_not_put_together() -> None:
    """A word inside a word does not leave a forbidden one behind."""
    assert "nsfw" not in tidy("nsnsfwfw")
    assert "timeout" not in tidy("timetimeoutout")


@pytest.mark.parametrize(
    "error", [Unauthenticated(), NotFound("task not found"), InvalidInput("input.n", "is required")]
)
def test_our_own_messages_pass_unchanged(error: InvalidInput) -> None:
    """What the house itself says needs no tidying."""
    assert tidy(error.message) == error.message
