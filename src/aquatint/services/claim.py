"""Claim: take work with a lease, keep the lease, give work back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from aquatint.domain.delivery import ClaimedDelivery
from aquatint.domain.task import ClaimedTask, Micros
from aquatint.services.tools import SECOND, Clock
from aquatint.store.base import NO_LIMITS, Store
from aquatint.store.records import Requeue


class TaskClaims:
    """Claims of the tasks of one lane that one worker process runs."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        owner: str,
        lane: str,
        lease: float,
        models: Sequence[str] = (),
        model_limits: Mapping[str, int] = NO_LIMITS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._lease = int(lease * SECOND)
        self._models = tuple(models)
        self._model_limits = model_limits
        self.lane = lane

    async def take(self, limit: int) -> list[ClaimedTask]:
        """Up to `limit` due tasks, in their order."""
        now = self._clock.now()
        return await self._store.claim(
            self._owner, self.lane, limit, now, now + self._lease, self._model_limits, self._models
        )

    async def give_back(self, claimed: ClaimedTask, why: str) -> None:
        """Let a task that did not finish here run again, without counting a failure."""
        now = self._clock.now()
        await self._store.requeue(Requeue(claimed.no, claimed.attempt, now, now, why, failed=False))

    async def due_in(self) -> float | None:
        """Seconds until the next waiting task may be claimed; None when none waits."""
        return _seconds_until(await self._store.next_due(self.lane), self._clock)


class Leases:
    """The leases of one worker process: of tasks, whatever lane they are in, and of deliveries."""

    def __init__(self, store: Store, clock: Clock, owner: str, lease: float) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._lease = int(lease * SECOND)

    async def renew(self, tasks: Collection[int], deliveries: Collection[int]) -> set[int]:
        """Keep for another lease what this process is working on; the numbers of the tasks that are still its.

        Nothing else is renewed: a task whose run ended without a word, as the store refused, must come back.
        """
        if (now := await self._store.now()) is not None:
            self._clock.set(now)
        lease_until = self._clock.now() + self._lease
        return set(await self._store.renew(self._owner, list(tasks), list(deliveries), lease_until))


class DeliveryClaims:
    """Claims of the deliveries that one dispatcher sends."""

    def __init__(self, store: Store, clock: Clock, owner: str, lease: float) -> None:
        self._store = store
        self._lease = int(lease * SECOND)
        self._clock = clock
        self._owner = owner

    async def take(self, limit: int, busy_hosts: Sequence[str]) -> list[ClaimedDelivery]:
        """Up to `limit` due deliveries, none of them to a busy host."""
        now = self._clock.now()
        lease_until = now + self._lease
        return await self._store.claim_deliveries(self._owner, limit, now, lease_until, busy_hosts)

    async def put_back(self, deliveries: Sequence[int], seconds: float) -> None:
        """Claimed, and not to be sent now: they come due again later, and no try is counted."""
        await self._store.put_back_deliveries(deliveries, self._clock.now() + int(seconds * SECOND))

    async def due_in(self, busy_hosts: Sequence[str]) -> float | None:
        """Seconds until the next delivery to a host with room is due; None when there is none."""
        return _seconds_until(await self._store.next_delivery_due(busy_hosts), self._clock)


def _seconds_until(due: Micros | None, clock: Clock) -> float | None:
    return None if due is None else max(0.001, (due - clock.now()) / SECOND)
