"""The pool: hands jobs to warm workers in order of arrival and replaces every worker that a job has cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

from aquatint.sandbox.errors import SandboxCrashed, SandboxError, SandboxRefused, SandboxTimedOut
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.process import OnProgress, WorkerProcess

_JOBS_PER_WORKER = 500  # then a fresh one: bounds what libraries leak
_FIRST_RESTART_PAUSE = 0.5
_LONGEST_RESTART_PAUSE = 30.0

_log = logging.getLogger(__name__)


class Sandbox:
    """Up to `size` warm worker processes. A crash, a bomb or a hang costs its own job and nothing else.

    One worker starts at once; the others start when all are busy, so that an idle server stays small.
    `warm` names modules that every worker imports before its first job; `search_path` names folders that
    workers look for modules in, before the server's own.
    """

    def __init__(
        self,
        size: int,
        limits: Limits,
        *,
        warm: tuple[str, ...] = (),
        search_path: tuple[str, ...] = (),
    ) -> None:
        if size < 1:
            raise ValueError("a sandbox needs at least one worker")
        self._size = size
        self._limits = limits
        self._warm = warm
        self._search_path = search_path
        self._idle: list[WorkerProcess] = []
        self._permits = asyncio.Semaphore(0)  # one per idle worker; wakes waiters in order of arrival
        self._workers: set[WorkerProcess] = set()
        self._chores: set[asyncio.Task[None]] = set()
        self._planned = 0  # workers that exist or are being started
        self._waiting = 0
        self._open = False

    async def open(self) -> None:
        """Start the first worker and wait until it is warm. Raises SandboxCrashed when it cannot start here."""
        self._open = True
        self._planned = 1
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Kill all workers; jobs under way and in the queue end with SandboxCrashed. Safe to call twice."""
        self._open = False
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await asyncio.gather(*(worker.kill_and_wait() for worker in tuple(self._workers)))
        self._workers.clear()
        self._idle.clear()
        for _ in range(self._waiting):
            self._permits.release()

    async def run(
        self, target: str, request: bytes, *, wall_limit: float, on_progress: OnProgress | None = None
    ) -> bytes:
        """Call `target` ("package.module:function") in a worker and return what it returns.

        The function is `(request: bytes, progress: Callable[[float, str], None]) -> bytes`. `wall_limit` is
        in seconds and starts when a worker is free. `on_progress` is called in the event loop and must not
        raise. Cancelling the caller kills the worker at once. Raises SandboxRefused, SandboxCrashed,
        SandboxTimedOut.
        """
        worker = await self._take()
        keep = False
        try:
            async with asyncio.timeout(min(wall_limit, self._limits.wall)):
                result = await worker.run(target, request, self._limits.cpu_seconds, on_progress)
            keep = True
            return result
        except TimeoutError as error:
            raise SandboxTimedOut("the work took longer than allowed") from error
        except SandboxRefused:
            keep = True
            raise
        except SandboxCrashed as crash:
            keep = crash.worker_usable
            raise
        finally:
            self._give_back(worker, keep)

    async def _take(self) -> WorkerProcess:
        while True:
            self._waiting += 1
            try:
                if self._open:
                    self._grow()
                    await self._permits.acquire()
            finally:
                self._waiting -= 1
            if not self._open:
                raise SandboxCrashed("the sandbox is closed")
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._give_back(worker, keep=False)  # something outside killed it while it was idle

    def _give_back(self, worker: WorkerProcess, keep: bool) -> None:
        if keep and worker.alive and worker.jobs < _JOBS_PER_WORKER and self._open:
            self._idle.append(worker)
            self._permits.release()
            return
        worker.kill()
        if self._open:
            self._keep_busy(self._replace(worker))

    def _grow(self) -> None:
        """Start one more worker when more jobs wait than workers are idle or on their way."""
        coming = self._planned - len(self._workers)
        if self._planned < self._size and self._waiting > len(self._idle) + coming:
            self._planned += 1
            self._keep_busy(self._start_whatever_it_takes())

    def _keep_busy(self, work: Coroutine[None, None, None]) -> None:
        chore = asyncio.create_task(work)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    async def _replace(self, worker: WorkerProcess) -> None:
        await worker.kill_and_wait()
        self._workers.discard(worker)
        await self._start_whatever_it_takes()

    async def _start_whatever_it_takes(self) -> None:
        """Never give up: a pool that cannot start workers now may be able to when memory is free again."""
        pause = _FIRST_RESTART_PAUSE
        while True:
            try:
                return await self._start()
            except (SandboxError, OSError) as error:
                _log.warning("worker.start_failed: %s; next try in %.1f s", error, pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_RESTART_PAUSE)

    async def _start(self) -> None:
        worker = await WorkerProcess.start(self._limits, self._warm, self._search_path)
        self._workers.add(worker)
        self._idle.append(worker)
        self._permits.release()
