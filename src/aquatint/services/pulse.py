"""Pulse: how followed tasks stand between their events, in two queries for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aquatint.domain.history import Pulse
from aquatint.domain.task import TERMINAL, Status
from aquatint.services.listener import Moved
from aquatint.services.place import Place, PlaceService
from aquatint.store.base import Store

RUNNING = 1000  # running tasks, of all followed keys together, whose progress is looked at
PLACES = 10  # places in line looked up at once; with more waiting tasks each has its turn later


class PulseService:
    def __init__(self, store: Store, place: PlaceService) -> None:
        self._store = store
        self._place = place
        self._places: dict[int, Place | None] = {}  # of waiting tasks, the longest known first

    async def __call__(self, tasks: Sequence[int], keys: Sequence[str]) -> Mapping[int, tuple[str, Moved]]:
        """The key and the standing of each of these tasks that has not ended, and of what runs of these keys."""
        pulses = {pulse.no: pulse for pulse in await self._store.pulses(tasks, keys, RUNNING)}
        await self._look_up([pulse for pulse in pulses.values() if pulse.status is Status.PENDING])
        return {
            no: (pulse.key_id, Moved(no, pulse.id, pulse.status, pulse.progress, self._places.get(no)))
            for no, pulse in pulses.items()
            if pulse.status not in TERMINAL and (pulse.status is not Status.PENDING or no in self._places)
        }

    async def _look_up(self, waiting: Sequence[Pulse]) -> None:
        known, self._places = self._places, {}
        first = {pulse.no: pulse for pulse in waiting}
        turn = [no for no in first if no not in known] + [no for no in known if no in first]
        looked_up = {no: await self._place(first[no]) for no in turn[:PLACES]}
        self._places = {no: known[no] for no in turn[PLACES:] if no in known} | looked_up
