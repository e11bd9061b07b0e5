"""Opening everything before the first request, closing it after the last, and holding the data folder."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette

from aquatint.domain.errors import AquatintError, ConfigurationError
from aquatint.engines.registry import AnyEngine
from aquatint.net.http import HttpDoor
from aquatint.sandbox.pool import Sandbox
from aquatint.services.tools import Clock
from aquatint.settings import Settings
from aquatint.store.base import Store
from aquatint.telemetry import logger
from aquatint.worker.loop import Loop


@dataclass(frozen=True, slots=True)
class Life:
    """What is opened before the first request and closed after the last, in that order and back."""

    settings: Settings
    store: Store
    sandbox: Sandbox
    door: HttpDoor
    engines: dict[str, AnyEngine]
    loops: tuple[Loop, ...]
    closers: tuple[Callable[[], object], ...]
    clock: Clock
    owner: str

    @asynccontextmanager
    async def alive(self, app: Starlette) -> AsyncIterator[None]:
        await self.store.open()
        # This process holds the data folder, so whoever leased anything here before is dead.
        await self.store.release_foreign(self.owner, self.clock.now())
        await self.sandbox.open()
        await self.door.open()
        for engine in self.engines.values():
            await engine.open()
        running = [asyncio.create_task(loop.run(), name=type(loop).__name__) for loop in self.loops]
        for task in running:
            task.add_done_callback(functools.partial(_shout, app))
        logger().info("server.started", owner=self.owner)
        yield
        logger().info("server.stopping", owner=self.owner)
        # Side by side: each lane has its own patience, and a paid call under way must not wait behind another's.
        await asyncio.gather(*(loop.stop() for loop in self.loops))
        await asyncio.gather(*running)
        await _close([*self.closers, *(engine.close for engine in self.engines.values())])
        await _close([self.door.close, self.sandbox.close, self.store.close])


async def _close(closers: list[Callable[[], object]]) -> None:
    for close in closers:
        try:
            await close()  # type: ignore[misc]  # every one of them is async
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

    Whoever runs the application holds it: the application takes leases from a past owner as from the dead.
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
