"""The store port: what each transaction promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from aquatint.domain.call import CallEnd, NewCall, PaidCall, PendingImage
from aquatint.domain.delivery import ClaimedDelivery, Delivery, DeliveryAttempt, DeliveryState, ReplayFilter
from aquatint.domain.history import Edge, Happened, Pulse
from aquatint.domain.key import Key
from aquatint.domain.lane import LaneState
from aquatint.domain.provider import Admitted, CircuitRules, ProviderLimits, ProviderState, Verdict, Wait
from aquatint.domain.task import (
    Attempt,
    ClaimedTask,
    Micros,
    Task,
    TaskFilter,
)
from aquatint.store.records import (
    Crowd,
    Escrowed,
    Event,
    Finished,
    Link,
    NewTask,
    Requeue,
    Served,
    Settlement,
    Submitted,
)

NO_LIMITS: Mapping[str, int] = MappingProxyType({})
ALL = 2**31 - 1  # a limit that is none


class Store(Protocol):
    """Every write is one transaction. When it returns the write survives SIGKILL, except where it says so.

    Reads see committed state. Both raise StoreUnavailable when the database refuses; then nothing of the transaction
    stands.
    """

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    # tasks
    async def submit(self, task: NewTask, max_pending: int) -> Submitted:
        """Insert the task, its idempotency row, hold, links and event together.

        Raises Conflict (idempotency key reused for another body), QuotaExceeded, RateLimited (backlog full).
        """
        ...

    async def task(self, task_id: str) -> Task | None: ...

    async def tasks(self, wanted: TaskFilter) -> list[Task]: ...

    async def promised(self, key_id: str, first: str, last: str, limit: int) -> list[Task]:
        """Tasks made under idempotency keys from `first` to `last`, the newest first.

        Both have the same length and only small letters and digits, which every database puts in the same order.
        """
        ...

    async def delete(self, task_no: int, now: Micros) -> bool:
        """Forget what the caller sent and got of a task that has ended; False when it has not.

        Its row stays without an owner, for the ledger, the paid calls and the statistics; its links expire now.
        """
        ...

    async def finished(self, since: Micros, limit: int) -> list[Finished]:
        """Tasks of all keys that ended since then, the last one first."""
        ...

    async def crowds(self) -> list[Crowd]: ...

    async def events(self, task_no: int, after: int = 0, limit: int = ALL) -> list[Event]:
        """The history of a task, or what came after an event of it.

        Writes of one task wait for each other before they take an event's id, so nobody who reads on from the last
        id that he saw misses one.
        """
        ...

    # following
    async def edge(self) -> Edge:
        """How far the history of all tasks goes, and who may still write below that."""
        ...

    async def happened(
        self, after: int, until: int, limit: int, tasks: Sequence[int] = (), keys: Sequence[str] = ()
    ) -> list[Happened]:
        """Events with `after` < id <= `until` of any of these tasks and of all tasks of these keys, the oldest first.

        It looks at every event of that range, so callers keep the range small.
        """
        ...

    async def pulses(self, tasks: Sequence[int], keys: Sequence[str], limit: int) -> list[Pulse]:
        """How these tasks stand, and up to `limit` running ones of these keys; a task may come twice."""
        ...

    async def tasks_of(self, numbers: Sequence[int]) -> list[Task]:
        """The tasks with these numbers, in no order."""
        ...

    async def attempts(self, task_no: int) -> list[Attempt]: ...

    async def claim(
        self,
        owner: str,
        lane: str,
        limit: int,
        now: Micros,
        lease_until: Micros,
        model_limits: Mapping[str, int] = NO_LIMITS,
        models: Sequence[str] = (),
    ) -> list[ClaimedTask]:
        """Take up to `limit` due tasks of the lane in their order; each gets the next attempt number and its row.

        The order: batch last, higher priority first, then the fair turns of the keys. No key runs more than its
        `max_running`, no model more than its limit, over all workers. A paused lane gives nothing. With `models`,
        only tasks of these. Durable a moment later: a crash before that only means that the task waits again.
        """
        ...

    async def ahead(self, task_no: int, most: int) -> int | None:
        """How many tasks of its lane would be taken before a waiting one, up to `most`; None when it waits not."""
        ...

    async def lanes(self) -> list[LaneState]: ...

    async def pause_lane(self, lane: str, paused: bool) -> None:
        """Let nothing of the lane be taken, or take it up again; what runs goes on either way."""
        ...

    async def served(self, lane: str, limit: int) -> list[Served]:
        """The lane's last successes, newest first."""
        ...

    async def unstarted(self, now: Micros, limit: int) -> list[Task]:
        """Waiting tasks that were to start by now."""
        ...

    async def next_due(self, lane: str) -> Micros | None:
        """When the earliest waiting task of the lane may be claimed."""
        ...

    async def attend(self, owner: str, engines: Sequence[str], works: Sequence[str], now: Micros) -> None:
        """A process is there: it has these engines set up, and takes the tasks of `works`. To be said often."""
        ...

    async def leave(self, owner: str) -> None:
        """A process ends."""
        ...

    async def strays(self, lanes: Sequence[str], seen_since: Micros, limit: int) -> list[Task]:
        """Waiting tasks of lanes that are none of these, nor set up in any process seen since then."""
        ...

    async def move(self, task_no: int, lane: str) -> None:
        """Let a waiting task wait in another lane."""
        ...

    def mark_submitted(self, task_no: int, attempt: int, engine: str, at: Micros) -> None:
        """The engine has started. Written a moment later, in which an attempt that ends at once may never show it."""
        ...

    def note_progress(self, task_no: int, attempt: int, fraction: float) -> None:
        """Written a moment later, kept only while the attempt owns the task."""
        ...

    async def renew(
        self, owner: str, tasks: Sequence[int], deliveries: Sequence[int], lease_until: Micros
    ) -> list[int]:
        """Keep these claims of the owner for longer; the numbers of the tasks that are still its own."""
        ...

    async def settle(self, outcome: Settlement) -> bool:
        """Write the outcome, events, ledger, links and delivery; False when the attempt lost the task.

        Calls of the task that are still open end with it: what was sent becomes unknown.
        """
        ...

    async def requeue(self, how: Requeue) -> bool:
        """Close the attempt and let the task wait again; its shown status never goes back."""
        ...

    async def release_foreign(self, owner: str, now: Micros) -> int:
        """Give back every task and delivery leased to any other owner (who is known to be dead)."""
        ...

    async def release_expired(self, now: Micros) -> int: ...

    async def overdue(self, now: Micros, limit: int) -> list[Task]:
        """Unfinished tasks whose deadline has passed."""
        ...

    # paid calls
    async def calls(self, task_no: int) -> list[PaidCall]:
        """The journal of a task, oldest first."""
        ...

    async def intend(self, task_no: int, attempt: int, calls: Sequence[NewCall], now: Micros) -> list[PaidCall]:
        """Journal calls before anything leaves. Raises LeaseLost when the attempt has lost the task."""
        ...

    async def adopt(self, call_no: int, task_no: int, attempt: int) -> None:
        """A later attempt goes on with a call of an earlier one. Raises LeaseLost."""
        ...

    async def admit(
        self, call: PaidCall, attempt: int, limits: ProviderLimits, probe_for: Micros, now: Micros
    ) -> Admitted | Wait:
        """Mark the call as sent if the account lets it pass now. Raises LeaseLost."""
        ...

    async def acknowledge(
        self,
        call_no: int,
        at: Micros,
        *,
        remote_id: str = "",
        request_id: str = "",
        handle: dict[str, str] | None = None,
        pending: tuple[PendingImage, ...] = (),
    ) -> None:
        """The provider has the call: keep what is needed to go on from here after a crash."""
        ...

    async def end_call(
        self, call_no: int, end: CallEnd, verdict: Verdict | None, retry_after: float | None, rules: CircuitRules
    ) -> None:
        """Write how a call ended, and what it says about the account (None: nothing).

        It belongs to the call, not to the attempt: an answer that comes after its attempt lost the task is still
        written down, because it tells what was paid.
        """
        ...

    async def recent_calls(self, unknown: bool, limit: int) -> list[tuple[str, PaidCall]]:
        """Calls with their task's id, newest first; `unknown` leaves out those whose fate is known."""
        ...

    async def resolve_call(self, call_no: int, charged: bool, note: str, at: Micros) -> bool:
        """The operator has found out what became of an unknown call; False when it is none."""
        ...

    async def providers(self) -> list[ProviderState]: ...

    # references
    async def escrowed(self, source: str, since: Micros) -> Escrowed | None:
        """The cleaned reference behind a source, when it was fetched at `since` or later."""
        ...

    async def escrow(self, source: str, reference: Escrowed, link: Link) -> None:
        """Remember a cleaned reference; the link keeps its bytes."""
        ...

    # deliveries
    async def claim_deliveries(
        self, owner: str, limit: int, now: Micros, lease_until: Micros, busy_hosts: Sequence[str]
    ) -> list[ClaimedDelivery]:
        """Take up to `limit` due deliveries whose host is not busy. Durable a moment later, as `claim`."""
        ...

    async def put_back_deliveries(self, numbers: Sequence[int], next_at: Micros) -> None:
        """Give back claimed deliveries that were not sent; the claim counts as no try."""
        ...

    async def next_delivery_due(self, busy_hosts: Sequence[str]) -> Micros | None: ...

    async def record_delivery(
        self, delivery_no: int, attempt: DeliveryAttempt, state: DeliveryState, next_at: Micros | None
    ) -> None:
        """Log one try and what happens next. Durable a moment later: a crash before that repeats the callback."""
        ...

    async def deliveries(self, task_no: int) -> list[Delivery]: ...

    async def redeliver(self, task_no: int, now: Micros) -> bool:
        """Make the task's delivery due now with a fresh schedule; False when it never had one."""
        ...

    async def replay(self, wanted: ReplayFilter, now: Micros, limit: int) -> int:
        """Make many deliveries due now with a fresh schedule, the oldest first; how many."""
        ...

    # keys
    async def add_key(self, key: Key, secret_hash: bytes) -> None: ...

    async def key_by_hash(self, secret_hash: bytes) -> Key | None: ...

    async def keys(self) -> list[Key]: ...

    async def revoke_key(self, key_id: str, at: Micros) -> bool: ...

    async def grant_points(self, key_id: str, points: int) -> int | None:
        """Add points to a key that counts them, or make it count them from here; the new balance, None if unknown."""
        ...

    # links and assets
    async def add_link(self, link: Link) -> None: ...

    async def link(self, token: str) -> Link | None: ...

    async def expire_links(self, now: Micros, limit: int) -> list[str]:
        """Mark expired links and return the digests that no living link claims any more."""
        ...

    async def unclaimed(self, digests: Sequence[str]) -> list[str]: ...

    async def forget_idempotency(self, now: Micros, limit: int) -> int: ...

    async def secret(self, name: str, fresh: bytes) -> bytes:
        """The secret of this name, the same for every process; `fresh` becomes it when there is none yet."""
        ...

    # other processes
    async def listen(self, hear: Callable[[str, str], None]) -> None:
        """Call `hear(what, which)` whenever another process, or this one, announces something.

        `work` names a lane in which a task waits, `delivery` a due callback, `stop` a task that somebody ended,
        `nudge` an account and a job of it. Hints only: whoever misses one finds out a little later. A store that
        belongs to one process announces nothing.
        """
        ...

    async def announce(self, what: str, which: str) -> None: ...

    async def now(self) -> Micros | None:
        """The database's own time, which all processes share; None when it is this machine's anyway."""
        ...

    async def forget_escrow(self, before: Micros, limit: int) -> int:
        """Forget references fetched before a time; their bytes live as long as their links."""
        ...
