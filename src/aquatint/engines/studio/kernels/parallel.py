"""Running independent pieces of work on a few threads, with a result that never depends on how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

STRIP_ROWS = 256


def map_ordered(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """Apply `work` to every item on up to `threads` threads; results come in the order of `items`.

    NumPy and OpenCV release the interpreter lock on big arrays, so threads do help. Sum the results in list
    order: then float rounding is the same for any number of threads.
    """
    if threads <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(threads, len(items))) as pool:
        return list(pool.map(work, items))


def strips(height: int, rows: int = STRIP_ROWS) -> list[tuple[int, int]]:
    """Cut 0..height into (top, bottom) strips of at most `rows` rows, nearly equal in size."""
    count = max(1, -(-height // rows))
    return [(height * i // count, height * (i + 1) // count) for i in range(count)]


def run_strips(work: Callable[[int, int], None], height: int, threads: int, rows: int = STRIP_ROWS) -> None:
    """Call `work(top, bottom)` for every strip of a picture `height` rows high; each writes its own rows."""
    map_ordered(lambda strip: work(*strip), strips(height, rows), threads)
