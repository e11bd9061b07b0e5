"""Opening everything before the first request, closing it after the last, and holding the data folder."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from starlette.applications import Starlette

from aquatint.bootstrap.tools import HouseTools
from aquatint.domain.errors import AquatintError, ConfigurationError, StoreUnavailable
from aquatint.telemetry import logger
from aquatint.worker.loop import Loop

START_SECONDS = 60.0  # how long a start waits for a database that is not there yet


class Life:
    """What is opened before the first request and closed after the last, in that order and back."""

    def __init__(
        self, tools: HouseTools, loops: Sequence[Loop], closers: Sequence[Callable[[], Awaitable[object]]]
    ) -> None:
        self._tools = tools
        self._loops = loops
        self._closers = closers
        self._stopping = False

    @asynccontextmanager
    async def alive(self, app: Starlette) -> AsyncIterator[None]:
        tools = self._tools
        await self._open_store()
        await tools.sandbox.open()
        await tools.door.open()
        await tools.assets.open()
        for engine in tools.engines.values():
            await engine.open()
        await tools.store.listen(self._hear)
        running = [asyncio.create_task(loop.run(), name=type(loop).__name__) for loop in self._loops]
        for task in running:
            task.add_done_callback(functools.partial(_shout, app))
        logger().info("server.started", owner=tools.owner)
        yield
        self._stopping = True
        tools.follow.close()
        logger().info("server.stopping", owner=tools.owner)
        # Side by side: each lane has its own patience, and a paid call under way must not wait behind another's.
        await asyncio.gather(*(loop.stop() for loop in self._loops))
        await asyncio.gather(*running)
        await _close([*self._closers, *(engine.close for engine in tools.engines.values())])
        await _close([tools.assets.close, tools.door.close, tools.sandbox.close, tools.store.close])

    async def ready(self) -> str:
        """Empty when requests can be served; else why not."""
        if self._stopping:
            return "the server is stopping"
        try:
            await self._tools.store.now()
            await self._tools.store.next_due("")
        except StoreUnavailable as error:
            return str(error)
        return ""

    async def _open_store(self) -> None:
        """The database may still be starting: servers and database often start together."""
        tools = self._tools
        end = asyncio.get_running_loop().time() + START_SECONDS
        while True:
            try:
                await tools.store.open()
                break
            except StoreUnavailable as error:
                if asyncio.get_running_loop().time() > end:
                    raise
                logger().warning("store.refused", why=str(error))
                await asyncio.sleep(1.0)
        if (now := await tools.store.now()) is not None:
            tools.clock.set(now)
        # A store that belongs to one process: whoever leased anything here before is dead.
        await tools.store.release_foreign(tools.owner, tools.clock.now())

    def _hear(self, what: str, which: str) -> None:
        """What another process announced."""
        tools = self._tools
        tools.signals.history()  # whatever it is, something was written
        match what:
            case "work":
                tools.signals.work(which or None)
            case "delivery":
                tools.signals.deliveries.set()
            case "stop":
                tools.signals.stop_task(which)
            case "nudge":
                account, _, remote_id = which.partition(" ")
                tools.tracker.nudge(account, remote_id)
            case _:
                pass


async def _close(closers: Sequence[Callable[[], Awaitable[object]]]) -> None:
    for close in closers:
        try:
            await close()
        except AquatintError as error:
            logger().error("server.unclean", why=repr(error))


def _shout(app: Starlette, task: asyncio.Task[None]) -> None:
    """A loop that ends by an error takes the process with it: a server that runs nothing must not look alive."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger().error("loop.broke", loop=task.get_name(), exc_info=error)
        app.state.broken = True
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Keep the data folder for this process alone while the block lasts.

    Whoever runs the application on SQLite holds it: the application takes leases from a past owner as from the dead.
    Raises ConfigurationError when another server holds it or it cannot be made.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError([f"the data folder {data_dir} cannot be used ({error.strerror})"]) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigurationError([f"another server is using the data folder {data_dir}"]) from None
    try:
        yield
    finally:
        os.close(lock)
