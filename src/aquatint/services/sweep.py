"""Sweep: what time does to tasks, leases, links and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aquatint.assets.base import AssetStore
from aquatint.domain.task import Status, Task
from aquatint.services.settle import Outcome, SettleService
from aquatint.services.signals import Signals
from aquatint.services.tools import SECOND, Clock
from aquatint.store.base import Store
from aquatint.telemetry import Logger, names

BATCH = 500
UNFINISHED = "the task did not finish before its deadline"
UNSTARTED = "the task did not start in time"
UNSERVED = 600.0  # seconds without a process that has an engine set up, until its tasks wait elsewhere
YOUNG = 3600.0  # seconds in which an unclaimed file is left alone: its task may just be settling


class SweepService:
    """`lanes` are the engines that are set up here; `keep` bounds the memory of references."""

    def __init__(
        self,
        store: Store,
        assets: AssetStore,
        settle: SettleService,
        signals: Signals,
        clock: Clock,
        log: Logger,
        relane: Callable[[Task], str],
        lanes: Sequence[str],
        keep: float,
    ) -> None:
        self._store = store
        self._assets = assets
        self._settle = settle
        self._signals = signals
        self._clock = clock
        self._log = log
        self._relane = relane
        self._lanes = tuple(lanes)
        self._keep = int(keep * SECOND)

    async def strays(self) -> None:
        """Tasks of an engine that nobody has set up any more wait for the one that serves their model now."""
        seen_since = self._clock.now() - int(UNSERVED * SECOND)
        for task in await self._store.strays(self._lanes, seen_since, BATCH):
            lane = self._relane(task)
            await self._store.move(task.no, lane)
            self._log.info("task.moved", **names(task.id, task.trace), lane=lane)
            self._signals.work(lane)

    async def deadlines(self) -> None:
        """End tasks that nobody finished, or started, in time."""
        now = self._clock.now()
        unfinished = await self._store.overdue(now, BATCH)
        unstarted = await self._store.unstarted(now, BATCH)
        late = [*((task, UNFINISHED) for task in unfinished), *((task, UNSTARTED) for task in unstarted)]
        for task, message in late:
            if await self._settle(task, Outcome(Status.TIMEOUT, failure_message=message)):
                self._signals.stop_task(task.id)
                await self._store.announce("stop", task.id)

    async def leases(self) -> None:
        """Give back tasks whose worker stopped renewing its lease."""
        if released := await self._store.release_expired(self._clock.now()):
            self._log.warning("lease.expired", tasks=released)
            self._signals.work()

    async def retention(self) -> None:
        """Let expired URLs die and delete the bytes that no living URL claims."""
        while digests := await self._store.expire_links(self._clock.now(), BATCH):
            for digest in digests:
                await self._assets.delete_if_old(digest, 0.0)
        await self._store.forget_idempotency(self._clock.now(), BATCH)
        await self._store.forget_escrow(self._clock.now() - self._keep, BATCH)

    async def orphans(self) -> None:
        """Delete files that a crash left without a row."""
        async for digests in self._assets.digests():
            for digest in await self._store.unclaimed(digests):
                await self._assets.delete_if_old(digest, YOUNG)
