"""The dispatcher: claims due deliveries and sends each on its own; slow or dead hosts only ever delay themselves."""

from __future__ import annotations

import asyncio
import functools
from collections import defaultdict

from aquatint.domain.delivery import ClaimedDelivery
from aquatint.domain.errors import StoreUnavailable
from aquatint.services.claim import DeliveryClaims
from aquatint.services.deliver import DeliverService, Tried
from aquatint.services.signals import Signals
from aquatint.telemetry import Logger, names
from aquatint.worker.hosts import Hosts
from aquatint.worker.loop import IDLE, REFUSED, wait

PROMPT = 1.0  # seconds after which a callback's place goes to another: its receiver is slow, and the others are not
MOST = 3  # times as many as there are places may then be in flight


class Dispatcher:
    """`concurrency` callbacks in flight, of which `hosts` says how many go to one host. Those that take long count no
    more, as they cost only a socket: receivers that hang must not keep the others waiting.
    """

    def __init__(
        self,
        claims: DeliveryClaims,
        deliver: DeliverService,
        signals: Signals,
        concurrency: int,
        hosts: Hosts,
        log: Logger,
    ) -> None:
        self._claims = claims
        self._deliver = deliver
        self._wake = signals.deliveries
        self._concurrency = concurrency
        self._hosts = hosts
        self._log = log
        self._sending: set[asyncio.Task[Tried]] = set()
        self._numbers: dict[asyncio.Task[Tried], int] = {}
        self._began: dict[asyncio.Task[Tried], float] = {}  # in the order of their beginning
        self._stopping = False

    def sending(self) -> list[int]:
        """Numbers of the deliveries under way."""
        return list(self._numbers.values())

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
        """Send nothing more. What is under way is cut and comes due again: at least once, never lost."""
        self._stopping = True
        self._wake.set()
        if self._sending:
            await asyncio.wait(self._sending, timeout=2.0)
        for task in list(self._sending):
            task.cancel()
        if self._sending:
            await asyncio.wait(self._sending)

    async def _claim(self) -> int:
        room = self._room()
        if room <= 0:
            return 0
        claimed = await self._claims.take(min(room, self._hosts.room()), self._hosts.busy())
        not_now: dict[float, list[int]] = defaultdict(list)
        for delivery in claimed:
            if wait_for := self._hosts.admits(delivery.host):
                not_now[wait_for].append(delivery.no)
            else:
                self._send(delivery)
        for wait_for, numbers in not_now.items():
            await self._claims.put_back(numbers, wait_for)
        return len(claimed)

    def _room(self) -> int:
        prompt = len(self._began) - self._slow()
        return min(self._concurrency - prompt, MOST * self._concurrency - len(self._sending))

    def _slow(self) -> int:
        slow, since = 0, asyncio.get_running_loop().time() - PROMPT
        for began in self._began.values():
            if began > since:
                break
            slow += 1
        return slow

    def _send(self, delivery: ClaimedDelivery) -> None:
        self._hosts.sent(delivery.host)
        task = asyncio.create_task(self._deliver(delivery), name=f"delivery {delivery.id}")
        self._sending.add(task)
        self._numbers[task] = delivery.no
        self._began[task] = asyncio.get_running_loop().time()
        task.add_done_callback(functools.partial(self._sent, delivery))

    def _sent(self, delivery: ClaimedDelivery, task: asyncio.Task[Tried]) -> None:
        was_full = self._room() <= 0 or self._hosts.full(delivery.host)
        self._sending.discard(task)
        self._numbers.pop(task, None)
        self._began.pop(task, None)
        which = names(delivery.task_id, delivery.trace)
        if task.cancelled():
            self._hosts.cut(delivery.host)
        elif (error := task.exception()) is not None:
            self._hosts.cut(delivery.host)
            self._log.error("delivery.broke", **which, delivery=delivery.id, why=repr(error))
        else:
            tried = task.result()
            if self._hosts.ended(delivery.host, delivery.no, tried.answered):
                self._log.warning("host.rests", **which, host=delivery.host)
            if tried.again_in is not None and tried.again_in < IDLE:
                # The loop may already sleep, not knowing of this try: without a call it would come late.
                asyncio.get_running_loop().call_later(tried.again_in, self._wake.set)
        if was_full:
            self._wake.set()

    async def _patience(self) -> float:
        if self._room() <= 0:
            return PROMPT / 4
        due_in = await self._claims.due_in(self._hosts.busy())
        return min(seconds for seconds in (IDLE, due_in, self._hosts.next_open()) if seconds is not None)
