"""Role: which part of the house a process is. The default is all of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """`engines` and `models` narrow what a worker takes; empty is everything. `concurrency` overrides the setting."""

    api: bool = True
    work: bool = True
    engines: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    concurrency: int | None = None
