"""Fault switches, carried in the prompt as `[[name]]` or `[[name:value]]`, or set for all calls by the admin page.

| switch | what the simulator does |
|---|---|
| `[[fail:CODE]]` | refuses with the provider's own error of that code, in the provider's own shape |
| `[[http:429]]`, `[[http:503:2]]` | answers with this status; with a count, only that often for this prompt |
| `[[retry-after:3]]` | adds the header to such an answer |
| `[[sleep:2]]` | takes so many seconds: before the answer, or as the length of a job |
| `[[drop]]` | accepts and charges, then cuts the connection without an answer |
| `[[refuse]]` | cuts the connection before anything is charged |
| `[[cut]]` | charges, and cuts the connection in the middle of the answer |
| `[[partial:1,3]]` | does not make these images (counted from 1), makes the others |
| `[[late:5]]` | results can be fetched only so many seconds after the job is said to be done |
| `[[silent]]`, `[[twice]]` | never makes its callback, or makes it twice |
| `[[forged]]` | signs its callback with another key |
| `[[expired]]` | result links are dead |
| `[[garbage]]` | result bytes are no image |
| `[[small]]` | images have half of the asked width and height |
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

_TOKEN = re.compile(r"\[\[([A-Za-z-]+)(?::([^\]]*))?\]\]")
_STATUSES = range(300, 600)


@dataclass(frozen=True, slots=True)
class Faults:
    """What to do wrong. Times in seconds; images are counted from 1."""

    fail: str = ""
    http: int = 0
    http_times: int = 0  # 0: every time
    retry_after: float | None = None
    sleep: float = 0.0
    drop: bool = False
    refuse: bool = False
    cut: bool = False
    partial: frozenset[int] = frozenset()
    late: float = 0.0
    silent: bool = False
    twice: bool = False
    forged: bool = False
    expired: bool = False
    garbage: bool = False
    small: bool = False

    def over(self, other: Faults) -> Faults:
        """These faults, and those of `other` where these have none."""
        mine = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return replace(other, **mine)


def parse(prompt: str) -> Faults:
    """The switches in a prompt. Raises ValueError for one that does not exist or has a bad value."""
    values: dict[str, object] = {}
    for name, value in _TOKEN.findall(prompt):
        reader = _READERS.get(name)
        if reader is None:
            raise ValueError(f"there is no fault switch [[{name}]]; there are {', '.join(sorted(_READERS))}")
        try:
            values.update(reader(value))
        except ValueError:
            raise ValueError(f"the fault switch [[{name}:{value}]] has a bad value") from None
    return Faults(**values)  # type: ignore[arg-type]  # the readers give each field its own type


def without(prompt: str) -> str:
    """The prompt as a painter should read it."""
    return _TOKEN.sub("", prompt).strip()


def _http(value: str) -> dict[str, object]:
    status, _, times = value.partition(":")
    if int(status) not in _STATUSES or int(times or 0) < 0:
        raise ValueError
    return {"http": int(status), "http_times": int(times or 0)}


def _seconds(value: str) -> float:
    seconds = float(value)
    if not 0 <= seconds < math.inf:
        raise ValueError
    return seconds


def _fail(value: str) -> dict[str, object]:
    if not value:
        raise ValueError
    return {"fail": value}


def _partial(value: str) -> dict[str, object]:
    images = frozenset(int(number) for number in value.split(","))
    if min(images) < 1:
        raise ValueError
    return {"partial": images}


def _flag(name: str) -> Callable[[str], dict[str, object]]:
    def read(value: str) -> dict[str, object]:
        if value:
            raise ValueError
        return {name: True}

    return read


_READERS: dict[str, Callable[[str], dict[str, object]]] = {
    "fail": _fail,
    "http": _http,
    "retry-after": lambda value: {"retry_after": _seconds(value)},
    "sleep": lambda value: {"sleep": _seconds(value)},
    "partial": _partial,
    "late": lambda value: {"late": _seconds(value)},
    **{
        name: _flag(name)
        for name in ("drop", "refuse", "cut", "silent", "twice", "forged", "expired", "garbage", "small")
    },
}
