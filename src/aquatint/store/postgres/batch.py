"""Batches: what concurrent callers ask for while a transaction is under way becomes the next one, as a whole."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from aquatint.domain.errors import StoreUnavailable
from aquatint.store.postgres.pool import Connection, Pool

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Connection, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]

MOST = 256  # items of one transaction
SIDE_BY_SIDE = 2  # transactions under way: while one waits for the disk the next is prepared


class Batcher(Generic[Item, Result]):
    """`work` writes the items in one transaction and answers each with a result, or with an error that is its own."""

    def __init__(self, pool: Pool, work: Work[Item, Result], *, side_by_side: int = SIDE_BY_SIDE) -> None:
        self._pool = pool
        self._work = work
        self._most_runs = side_by_side
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._runs: set[asyncio.Task[None]] = set()

    async def __call__(self, item: Item) -> Result:
        """Returns after the commit. Raises what `work` answered for the item, and StoreUnavailable."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._runs) < self._most_runs:
            run = asyncio.create_task(self._run(), name="batch")
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)
        return await future

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            results = await self._write([item for item, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    async def _write(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        try:
            return await self._pool.write(lambda db: self._work(db, items))
        except StoreUnavailable as error:
            return [error] * len(items)
        except Exception as error:  # noqa: BLE001  # belongs to who asked
            if len(items) == 1:
                return [error]
            # One of them cannot be written. Which one? The others must not suffer for it.
            return [result for item in items for result in await self._write([item])]

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._runs:
            await asyncio.wait(self._runs, timeout=10.0)


class Posted(Generic[Item]):
    """Items that nobody waits for, written together a moment later; the last of each name counts."""

    def __init__(
        self, pool: Pool, work: Callable[[Connection, Sequence[Item]], Awaitable[None]], linger: float
    ) -> None:
        self._pool = pool
        self._work = work
        self._linger = linger
        self._waiting: dict[object, Item] = {}
        self._run: asyncio.Task[None] | None = None

    def post(self, name: object, item: Item) -> None:
        self._waiting[name] = item
        if self._run is None or self._run.done():
            self._run = asyncio.create_task(self._write(), name="posted")

    async def flush(self) -> None:
        """Write what was posted so far."""
        if self._run is not None:
            await asyncio.wait([self._run])

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._linger)
            batch, self._waiting = self._waiting, {}
            await self._write_all(list(batch.values()))

    async def _write_all(self, items: Sequence[Item]) -> None:
        with contextlib.suppress(Exception):  # hints: whoever must be sure uses another way
            await self._pool.write(lambda db: self._work(db, items))
