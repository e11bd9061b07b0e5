"""Claim: take work with a lease, keep the lease, give work back."""

from __future__ import annotations

from collections.abc import Sequence

from aquatint.domain.delivery import ClaimedDelivery
from aquatint.domain.task import ClaimedTask, Micros
from aquatint.services.tools import SECOND, Clock
from aquatint.store.base import Requeue, Store

TASK_LEASE = 60.0  # seconds that a claim holds without being renewed
DELIVERY_LEASE = 180.0  # seconds; longer than any one delivery may take


class TaskClaims:
    """Claims of the tasks of one lane that one worker process runs."""

    def __init__(self, store: Store, clock: Clock, owner: str, lane: str) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self.lane = lane

    async def take(self, limit: int) -> list[ClaimedTask]:
        """Up to `limit` due tasks, oldest first."""
        now = self._clock.now()
        return await self._store.claim(self._owner, self.lane, limit, now, now + int(TASK_LEASE * SECOND))

    async def give_back(self, claimed: ClaimedTask, why: str) -> None:
        """Let a task that did not finish here run again, without counting a failure."""
        now = self._clock.now()
        await self._store.requeue(Requeue(claimed.no, claimed.attempt, now, now, why, failed=False))

    async def due_in(self) -> float | None:
        """Seconds until the next waiting task may be claimed; None when none waits."""
        return _seconds_until(await self._store.next_due(self.lane), self._clock)


class Leases:
    """The leases of one worker process, whatever lane they are in."""

    def __init__(self, store: Store, clock: Clock, owner: str) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner

    async def renew(self) -> None:
        """Keep everything this process has claimed for another lease."""
        await self._store.renew(self._owner, self._clock.now() + int(TASK_LEASE * SECOND))


class DeliveryClaims:
    """Claims of the deliveries that one dispatcher sends."""

    def __init__(self, store: Store, clock: Clock, owner: str) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner

    async def take(self, limit: int, busy_hosts: Sequence[str]) -> list[ClaimedDelivery]:
        """Up to `limit` due deliveries, none of them to a busy host."""
        now = self._clock.now()
        lease_until = now + int(DELIVERY_LEASE * SECOND)
        return await self._store.claim_deliveries(self._owner, limit, now, lease_until, busy_hosts)

    async def due_in(self, busy_hosts: Sequence[str]) -> float | None:
        """Seconds until the next delivery to a host with room is due; None when there is none."""
        return _seconds_until(await self._store.next_delivery_due(busy_hosts), self._clock)


def _seconds_until(due: Micros | None, clock: Clock) -> float | None:
    return None if due is None else max(0.001, (due - clock.now()) / SECOND)
