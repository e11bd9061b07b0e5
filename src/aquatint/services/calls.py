"""Calls: the operator's view of the journal of paid calls."""

from __future__ import annotations

from aquatint.domain.call import PaidCall
from aquatint.services.tools import Clock
from aquatint.store.base import Store


class CallService:
    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or Clock()

    async def listing(self, unknown: bool, limit: int) -> list[tuple[str, PaidCall]]:
        """Calls with their task's id, newest first; `unknown` leaves out those whose fate is known."""
        return await self._store.recent_calls(unknown, limit)

    async def resolve(self, call_no: int, charged: bool, note: str) -> bool:
        """What the operator found out about an unknown call; False when it is none."""
        return await self._store.resolve_call(call_no, charged, note, self._clock.now())
