"""The one writer: transactions of concurrent requests committed in groups.

Statements run on the event loop's thread, where they cost microseconds and nobody fights for the interpreter
lock; only COMMIT, which waits for the disk, runs in a thread. Whatever is asked for while one commit is under
way becomes the next group. docs/decisions/0003 has the measurements.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from aquatint.domain.errors import StoreUnavailable

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], object]

SLICE = 0.002  # seconds of statements between two turns of the event loop
GROUP = 1024  # operations in one transaction at most


class Writer:
    """Runs operations in order; each is atomic, and its future resolves only after the commit is durable."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: deque[tuple[Operation, asyncio.Future[object] | None]] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-commit")
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="sqlite-writer")

    async def run(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Run `operation` in a transaction; an exception that it raises undoes only itself."""
        if self._closing:
            raise StoreUnavailable("the store is closing")
        future: asyncio.Future[object] = self._loop.create_future()
        self._waiting.append((operation, future))
        self._wake.set()
        return await future  # type: ignore[return-value]  # the future carries what the operation returned

    def post(self, operation: Operation) -> None:
        """Run `operation` after those already asked for, without waiting. Its failure changes nothing else."""
        self._waiting.append((operation, None))
        self._wake.set()

    async def close(self) -> None:
        """Commit what was asked for and stop."""
        self._closing = True
        self._wake.set()
        await self._task
        self._thread.shutdown()

    async def _run(self) -> None:
        while not (self._closing and not self._waiting):
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            group: list[_Taken] = []
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                await self._execute_group(group)
                await self._loop.run_in_executor(self._thread, self._connection.execute, "COMMIT")
            except sqlite3.Error as error:
                self._undo()
                if not group and error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    await asyncio.sleep(0.02)  # another process writes; nothing was taken from the queue
                    continue
                group += [_Taken(future) for _, future in self._waiting]
                self._waiting.clear()
                for taken in group:
                    taken.error = StoreUnavailable(f"the database refused: {error}")
            for taken in group:
                taken.answer()

    async def _execute_group(self, group: list[_Taken]) -> None:
        execute = self._connection.execute
        slice_end = time.monotonic() + SLICE
        for _ in range(GROUP):
            if not self._waiting:
                return
            operation, future = self._waiting.popleft()
            taken = _Taken(future)
            group.append(taken)
            execute("SAVEPOINT one")
            try:
                taken.value = operation(self._connection)
            except sqlite3.OperationalError as error:
                taken.error = StoreUnavailable(f"the database refused: {error}")
                execute("ROLLBACK TO one")
            except Exception as error:  # noqa: BLE001  # belongs to whoever asked; undo only this operation
                taken.error = error
                execute("ROLLBACK TO one")
            execute("RELEASE one")
            if time.monotonic() > slice_end:
                await asyncio.sleep(0)
                slice_end = time.monotonic() + SLICE

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class _Taken:
    """One operation of a group and what came of it."""

    __slots__ = ("error", "future", "value")

    def __init__(self, future: asyncio.Future[object] | None) -> None:
        self.future = future
        self.value: object = None
        self.error: Exception | None = None

    def answer(self) -> None:
        if self.future is None or self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)
