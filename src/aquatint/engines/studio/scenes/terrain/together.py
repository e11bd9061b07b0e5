"""Running two different pieces of work side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")


def together(first: Callable[[], First], second: Callable[[], Second], threads: int) -> tuple[First, Second]:
    """Do both, the second on another thread when more than one is allowed; they must not share anything mutable."""
    if threads <= 1:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(second)
        return first(), later.result()
