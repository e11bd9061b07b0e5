"""Three ways to write submits durably, side by side: `python -m bench.writers` (the table of decision 0003)."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from aquatint.domain.task import TaskInput
from aquatint.services.tools import new_id
from aquatint.store.records import NewTask
from aquatint.store.sqlite import schema, tasks
from aquatint.store.sqlite.writer import Writer

CALLERS = 64
SECONDS = 2.0
ROUNDS = 5
PROMPT = "a watercolor fox in the rain, " * 6
Submit = Callable[[NewTask], Awaitable[object]]


def task() -> NewTask:
    """A submit as a caller sends it."""
    now = time.time_ns() // 1000
    wanted = TaskInput(prompt=PROMPT, ratio="16:9")
    echo = b'{"model":"seedream-4.5","prompt":"' + PROMPT.encode() + b'"}'
    return NewTask(new_id(), "k", None, "seedream-4.5", "text_to_image", echo, wanted, None, now, now + 10**9, "null")


def opened(folder: Path, name: str) -> sqlite3.Connection:
    connection = schema.connect(folder / f"{name}.db")
    schema.migrate(connection)
    return connection


def one_by_one(connection: sqlite3.Connection) -> Submit:
    """A transaction a request, statements and commit in a thread."""
    thread = ThreadPoolExecutor(1)

    def write(new: NewTask) -> None:
        connection.execute("BEGIN IMMEDIATE")
        tasks.insert(connection, new, 0)
        connection.execute("COMMIT")

    loop = asyncio.get_running_loop()
    return lambda new: loop.run_in_executor(thread, write, new)


def grouped_in_a_thread(connection: sqlite3.Connection) -> Submit:
    """Groups, with statements and commit in a thread: what waited during one commit goes into the next."""
    waiting: list[tuple[NewTask, asyncio.Future[None]]] = []
    lock, wake = threading.Lock(), threading.Event()
    loop = asyncio.get_running_loop()

    def settle(futures: list[asyncio.Future[None]]) -> None:
        for future in futures:
            if not future.done():
                future.set_result(None)

    def work() -> None:
        while True:
            wake.wait()
            with lock:
                group, waiting[:] = list(waiting), []
                wake.clear()
            connection.execute("BEGIN IMMEDIATE")
            for new, _ in group:
                tasks.insert(connection, new, 0)
            connection.execute("COMMIT")
            loop.call_soon_threadsafe(settle, [future for _, future in group])

    threading.Thread(target=work, daemon=True).start()

    def submit(new: NewTask) -> asyncio.Future[None]:
        future: asyncio.Future[None] = loop.create_future()
        with lock:
            waiting.append((new, future))
            wake.set()
        return future

    return submit


def grouped_on_the_loop(connection: sqlite3.Connection) -> Submit:
    """What the store does: statements on the loop's thread, commit in a thread."""
    writer = Writer(connection)
    return lambda new: writer.run(lambda db: tasks.insert(db, new, 0))


async def measure(make: Callable[[sqlite3.Connection], Submit], folder: Path) -> tuple[float, float]:
    """Submits a second and p99 in milliseconds, with CALLERS callers that do a little work of their own each."""
    submit = make(opened(folder, f"{make.__name__}-{new_id()}"))
    waits: list[float] = []
    end = time.perf_counter() + SECONDS

    async def caller() -> None:
        while time.perf_counter() < end:
            started = time.perf_counter()
            await submit(task())
            waits.append(time.perf_counter() - started)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    waits.sort()
    return len(waits) / SECONDS, waits[int(len(waits) * 0.99)] * 1000


def main() -> None:
    ways = (one_by_one, grouped_in_a_thread, grouped_on_the_loop)
    results: dict[str, list[tuple[float, float]]] = {way.__name__: [] for way in ways}
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        for _ in range(ROUNDS):
            for way in ways:
                results[way.__name__].append(uvloop.run(measure(way, Path(folder))))
    print("| way | submits a second | p99, ms |\n|---|---|---|")
    for name, rounds in results.items():
        rate = statistics.median(rate for rate, _ in rounds)
        p99 = statistics.median(p99 for _, p99 in rounds)
        low, high = min(rate for rate, _ in rounds), max(rate for rate, _ in rounds)
        print(f"| {name} | {rate:,.0f} [{low:,.0f}..{high:,.0f}] | {p99:.1f} |")


if __name__ == "__main__":
    main()
