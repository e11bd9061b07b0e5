"""Prefer (RFC 7240): `wait` is found wherever it stands, and what makes no sense counts as not said."""

from __future__ import annotations

import pytest

from aquatint.wire import preferences


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        (["wait=10"], 10),
        (["WAIT=10"], 10),
        (["wait = 10"], 10),
        (['wait="10"'], 10),
        (["respond-async, wait=10"], 10),
        (["respond-async", "wait=7"], 7),
        (["wait=5, wait=50"], 5),
        (['handling=lenient; note="a, wait=3", wait=9'], 9),
        (["return=minimal;x=1,wait=4;y=2"], 4),
        (["wait=61"], 60),
        (["wait=999999999"], 60),
        (["wait=60"], 60),
        (["wait=0"], None),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait=ten"], None),
        (["wait=²"], None),
        (["wait"], None),
        (["wait="], None),
        (["wait=9999999999999999"], None),
        (["await=10"], None),
        (["x=wait=10"], None),
        ([""], None),
        ([',,;=""\'\x7f'], None),
        ([], None),
    ],
)
def test_wait(values: list[str], seconds: int | None) -> None:
    assert preferences.wait(values) == seconds


def test_a_long_field_is_no_work() -> None:
    """Whatever is sent, it is read in one go."""
    for value in ("wait=" * 500, '"' * 5000, "a=" + '"x' * 2000, "a;" * 4000, " ," * 4000):
        assert preferences.wait([value]) is None
