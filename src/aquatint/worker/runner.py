"""The runner: claims tasks of one lane while there is room and runs each as an asyncio task of its own."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Set
from dataclasses import dataclass

from aquatint.domain.errors import StoreUnavailable
from aquatint.domain.task import ClaimedTask
from aquatint.services.claim import TaskClaims
from aquatint.services.run import RunService
from aquatint.services.signals import Signals
from aquatint.telemetry import Logger, names
from aquatint.worker.loop import IDLE, REFUSED, wait

MOST_FETCHING = 64  # tasks that may wait for their references beside those that paint
DRAIN_LOOK = 0.1  # seconds between two looks whether a paid call is still under way
SETTLING = 5.0  # seconds in which a task whose paid call is over should have written its outcome


@dataclass(frozen=True, slots=True)
class Drain:
    """What a stop waits for, in seconds: tasks that can simply run again, and paid calls that cannot be taken up."""

    seconds: float
    paid_seconds: float


class Runner:
    """Keeps `concurrency` places of the lane's engine busy.

    An engine of this machine is `ahead` of its places by a few tasks, so that their references are fetched, or their
    results stored, while others paint. What a remote engine does can go on after a restart, except while a paid call
    is between its sending and its answer.
    """

    def __init__(
        self,
        claims: TaskClaims,
        run: RunService,
        signals: Signals,
        concurrency: int,
        drain: Drain,
        log: Logger,
        *,
        remote: bool,
    ) -> None:
        self._claims = claims
        self._lane = claims.lane
        self._run = run
        self._wake = signals.work_event(claims.lane)
        self._most = concurrency if remote else concurrency + max(1, concurrency // 4)
        self._drain = drain
        self._remote = remote
        self._log = log
        self._running: dict[str, tuple[ClaimedTask, asyncio.Task[float | None]]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.stopped = asyncio.Event()
        signals.on_stop_task(self._stop_task)

    def running(self) -> list[int]:
        """Numbers of the tasks that it runs."""
        return [claimed.no for claimed, _ in self._running.values()]

    def let_go(self, lost: Set[int]) -> None:
        """Stop what another worker may have by now: this one was cut off for longer than its leases hold."""
        for claimed, task in list(self._running.values()):
            if claimed.no in lost and not task.done():
                self._log.warning("lease.lost", **names(claimed.id, claimed.trace), attempt=claimed.attempt)
                task.cancel()

    async def run(self) -> None:
        """Until `stop` is called."""
        while not self._stopping:
            try:
                claimed = await self._claim()
                patience = 0.0 if claimed or self._stopping else await self._patience()
            except StoreUnavailable as error:
                self._log.error("store.refused", why=str(error))
                patience = REFUSED
            if patience:
                await wait(self._wake, patience)

    async def stop(self) -> None:
        """Claim nothing more; let running tasks finish, and put those that do not back into the queue."""
        self._stopping = True
        self._wake.set()
        if self._running:
            self._log.info("runner.draining", lane=self._lane, tasks=len(self._running))
            await (self._drain_remote() if self._remote else self._drain_local())
        for claimed, task in list(self._running.values()):
            task.cancel()
            await asyncio.wait([task])
            try:
                await self._claims.give_back(claimed, "the server is stopping")
            except StoreUnavailable as error:  # its lease runs out
                self._log.error("store.refused", why=str(error))
        for chore in list(self._chores):
            await chore
        self.stopped.set()

    async def _drain_local(self) -> None:
        await asyncio.wait([task for _, task in self._running.values()], timeout=self._drain.seconds)

    async def _drain_remote(self) -> None:
        """Wait for paid calls, and for the ends of the tasks that they were made for; jobs that a provider has taken
        are followed on after the restart.
        """
        clock = asyncio.get_running_loop().time
        end, ended_by = clock() + self._drain.paid_seconds, 0.0
        bought: set[str] = set()
        while (left := end - clock()) > 0:
            delicate = {name for name, (claimed, _) in self._running.items() if self._run.delicate(claimed)}
            if delicate:
                bought |= delicate
                ended_by = clock() + SETTLING
            elif clock() >= ended_by or not bought & self._running.keys():
                break
            await asyncio.wait(
                [task for _, task in self._running.values()],
                timeout=min(left, DRAIN_LOOK),
                return_when=asyncio.FIRST_COMPLETED,
            )

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
        claimed, _ = self._running.pop(task_id)
        if not task.cancelled():
            if (error := task.exception()) is not None:
                # Only the store can bring a run to this: its outcome was not written, so the lease will run out.
                self._log.error("task.unsettled", **names(task_id, claimed.trace), why=repr(error))
            elif (again_in := task.result()) is not None and again_in < IDLE:
                # The loop may already sleep, not knowing of this run: without a call it would come late.
                asyncio.get_running_loop().call_later(again_in, self._wake.set)
        if len(self._running) + 1 >= self._most:  # it was full: there may be something to claim
            self._wake.set()

    def _stop_task(self, task_id: str) -> None:
        if task_id in self._running:
            claimed, task = self._running[task_id]
            task.cancel()
            if self._remote:
                chore = asyncio.create_task(self._abandon(claimed, task), name=f"abandon {task_id}")
                self._chores.add(chore)
                chore.add_done_callback(self._chores.discard)

    async def _abandon(self, claimed: ClaimedTask, task: asyncio.Task[float | None]) -> None:
        await asyncio.wait([task])
        try:
            await self._run.abandon(claimed)
        except StoreUnavailable as error:
            self._log.error("store.refused", why=str(error))

    def _room(self) -> int:
        return self._most + min(self._run.fetching(self._lane), MOST_FETCHING) - len(self._running)

    async def _patience(self) -> float:
        """Seconds until there may be something to claim."""
        if self._room() <= 0:
            return IDLE
        due_in = await self._claims.due_in()
        return IDLE if due_in is None else min(IDLE, due_in)
