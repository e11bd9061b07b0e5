"""Preferences: what a caller would like of an answer (RFC 7240). What cannot be read counts as not said."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_WAIT = 60  # seconds

# One preference: a token, a value that may be quoted, and parameters, which none that we know has.
_PREFERENCE = re.compile(r"""[\s,]*(?P<name>[^\s,;="]+)\s*(?:=\s*(?P<value>"[^"]*"|[^\s,;"]*))?(?:[^,"]|"[^"]*")*""")
_SECONDS = re.compile(r"[0-9]{1,9}").fullmatch


def wait(values: Iterable[str]) -> int | None:
    """Seconds of the first `wait` in these `Prefer` fields, at most LONGEST_WAIT; None when nobody asked for any."""
    for value in values:
        for found in _PREFERENCE.finditer(value[:500]):
            if found["name"].lower() != "wait":
                continue
            text = (found["value"] or "").strip('"')
            seconds = int(text) if _SECONDS(text) else 0
            return min(seconds, LONGEST_WAIT) if seconds else None
    return None


def respond_async(values: Iterable[str]) -> bool:
    """Whether one of these `Prefer` fields asks for an answer before the work is done."""
    return any(
        found["name"].lower() == "respond-async" for text in values for found in _PREFERENCE.finditer(text[:2000])
    )
