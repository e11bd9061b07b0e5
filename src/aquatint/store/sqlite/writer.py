"""The one writer: operations of concurrent requests share transactions, and whoever must be sure waits for the disk.

Statements run on the event loop's thread, where they cost microseconds and nobody fights for the interpreter
lock; only COMMIT, which waits for the disk, runs in a thread. Whatever is asked for while one commit is under
way becomes the next group. docs/decisions/0003 has the measurements.
"""

from __future__ import annotations

import asyncio
import contextlib
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
LINGER = 0.01  # seconds that operations which nobody waits for may wait for company before they are committed


class Writer:
    """Runs operations in order; each is atomic, whatever happens to its neighbours."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: deque[_Asked] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-commit")
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="sqlite-writer")

    async def run(self, operation: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Run `operation`; an exception that it raises undoes only itself.

        A durable one returns after the commit. Otherwise it returns as soon as its statements have run, in order
        with all others; the commit follows within about LINGER, and a crash before that undoes it.
        """
        if self._closing:
            raise StoreUnavailable("the store is closing")
        future: asyncio.Future[object] = self._loop.create_future()
        self._waiting.append(_Asked(operation, future, durable))
        self._wake.set()
        return await future  # type: ignore[return-value]  # it carries what the operation returned

    def post(self, operation: Operation) -> None:
        """Run `operation` after those already asked for, without waiting. Its failure changes nothing else."""
        self._waiting.append(_Asked(operation, None, durable=False))
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
            group: list[_Asked] = []
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                await self._fill(group)
                await self._loop.run_in_executor(self._thread, self._connection.execute, "COMMIT")
            except _HalfDone:
                self._undo()
                await self._one_by_one(group)
            except sqlite3.Error as error:
                self._undo()
                if not group and error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    await asyncio.sleep(0.02)  # another process writes; nothing was taken from the queue
                    continue
                group += self._waiting
                self._waiting.clear()
                for asked in group:
                    asked.error = StoreUnavailable(f"the database refused: {error}")
            for asked in group:
                asked.answer()

    async def _fill(self, group: list[_Asked]) -> None:
        """Execute what waits; linger for more while nothing in the group needs the disk."""
        urgent = False
        commit_at = time.monotonic() + LINGER
        while True:
            slice_end = time.monotonic() + SLICE
            while self._waiting and len(group) < GROUP:
                asked = self._waiting.popleft()
                group.append(asked)
                self._execute(asked)
                urgent = urgent or asked.durable
                if time.monotonic() > slice_end:
                    await asyncio.sleep(0)
                    slice_end = time.monotonic() + SLICE
            left = commit_at - time.monotonic()
            if urgent or self._closing or left <= 0 or len(group) >= GROUP:
                return
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._wake.wait()

    def _execute(self, asked: _Asked) -> None:
        """One operation within the group. Raises _HalfDone when it failed after it had changed something."""
        before = self._connection.total_changes
        try:
            asked.value = asked.operation(self._connection)
        except Exception as error:  # belongs to whoever asked
            asked.fail(error)
            if self._connection.total_changes != before or not self._connection.in_transaction:
                raise _HalfDone from error
        if not asked.durable:
            asked.answer()

    async def _one_by_one(self, group: list[_Asked]) -> None:
        """Run a group again, each operation in a transaction of its own, because one of them broke the shared one."""
        for asked in group:
            asked.error = None
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                asked.value = asked.operation(self._connection)
                await self._loop.run_in_executor(self._thread, self._connection.execute, "COMMIT")
            except Exception as error:  # noqa: BLE001  # belongs to whoever asked
                asked.fail(error)
                self._undo()

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class _HalfDone(Exception):
    """The shared transaction holds half of an operation and must be undone."""


class _Asked:
    """One operation, who waits for it, and what came of it."""

    __slots__ = ("durable", "error", "future", "operation", "value")

    def __init__(self, operation: Operation, future: asyncio.Future[object] | None, durable: bool) -> None:
        self.operation = operation
        self.future = future
        self.durable = durable
        self.value: object = None
        self.error: Exception | None = None

    def fail(self, error: Exception) -> None:
        refused = isinstance(error, sqlite3.OperationalError)
        self.error = StoreUnavailable(f"the database refused: {error}") if refused else error

    def answer(self) -> None:
        if self.future is None or self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)
