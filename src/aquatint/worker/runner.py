"""The runner: claims tasks while there is room and runs each as an asyncio task of its own."""

from __future__ import annotations

import asyncio
import functools

from aquatint.domain.errors import StoreUnavailable
from aquatint.domain.task import ClaimedTask
from aquatint.services.claim import TASK_LEASE, TaskClaims
from aquatint.services.run import RunService
from aquatint.services.signals import Signals
from aquatint.telemetry import Logger
from aquatint.worker.loop import IDLE, REFUSED, wait

MOST_FETCHING = 64  # tasks that may wait for their references beside those that paint


class Runner:
    """Keeps `concurrency` engine places busy; `drain` seconds to finish when asked to stop.

    A few tasks more are claimed, so that their references are fetched, or their results stored, while others paint.
    """

    def __init__(
        self,
        claims: TaskClaims,
        run: RunService,
        signals: Signals,
        concurrency: int,
        drain: float,
        log: Logger,
    ) -> None:
        self._claims = claims
        self._run = run
        self._wake = signals.work
        self._most = concurrency + max(1, concurrency // 4)
        self._drain = drain
        self._log = log
        self._running: dict[str, tuple[ClaimedTask, asyncio.Task[float | None]]] = {}
        self._stopping = False
        signals.on_stop_task(self._stop_task)

    async def run(self) -> None:
        """Until `stop` is called."""
        renewed = asyncio.get_running_loop().time()
        while not self._stopping:
            try:
                claimed = await self._claim()
                now = asyncio.get_running_loop().time()
                if self._running and now - renewed > TASK_LEASE / 3:
                    await self._claims.renew()
                    renewed = now
                patience = 0.0 if claimed or self._stopping else self._patience()
            except StoreUnavailable as error:
                self._log.error("store.refused", why=str(error))
                patience = REFUSED
            if patience:
                await wait(self._wake, patience)

    async def stop(self) -> None:
        """Claim nothing more; let running tasks finish, and put those that do not back into the queue."""
        self._stopping = True
        self._wake.set()
        tasks = [task for _, task in self._running.values()]
        if tasks:
            self._log.info("runner.draining", tasks=len(tasks))
            await asyncio.wait(tasks, timeout=self._drain)
        for claimed, task in list(self._running.values()):
            task.cancel()
            await asyncio.wait([task])
            await self._claims.give_back(claimed, "the server is stopping")

    async def _claim(self) -> int:
        room = self._room()
        if room <= 0:
            return 0
        claimed = await self._claims.take(room)
        for task in claimed:
            running = asyncio.create_task(self._run(task), name=f"task {task.id}")
            self._running[task.id] = (task, running)
            running.add_done_callback(functools.partial(self._finished, task.id))
        return len(claimed)

    def _finished(self, task_id: str, task: asyncio.Task[float | None]) -> None:
        del self._running[task_id]
        if not task.cancelled():
            if (error := task.exception()) is not None:
                # Only the store can bring a run to this: its outcome was not written, so the lease will run out.
                self._log.error("task.unsettled", task=task_id, why=repr(error))
            elif (again_in := task.result()) is not None and again_in < IDLE:
                # The loop may already sleep, not knowing of this run: without a call it would come late.
                asyncio.get_running_loop().call_later(again_in, self._wake.set)
        if len(self._running) + 1 >= self._most:  # it was full: there may be something to claim
            self._wake.set()

    def _stop_task(self, task_id: str) -> None:
        if task_id in self._running:
            self._running[task_id][1].cancel()

    def _room(self) -> int:
        return self._most + min(self._run.fetching, MOST_FETCHING) - len(self._running)

    def _patience(self) -> float:
        """Seconds until there may be something to claim."""
        if self._room() <= 0:
            return IDLE
        due_in = self._claims.due_in()
        return IDLE if due_in is None else min(IDLE, due_in)
