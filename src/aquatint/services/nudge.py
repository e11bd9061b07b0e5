"""Nudge: a provider says that one of its jobs is done, so ask after it now. Nothing of what it says is believed."""

from __future__ import annotations

from collections.abc import Mapping

from aquatint.domain.errors import EngineError, NotFound, Unauthenticated
from aquatint.engines.registry import AnyEngine
from aquatint.engines.remote import RemoteEngine
from aquatint.services.tools import SECOND, Clock
from aquatint.services.track import Tracker
from aquatint.store.base import Store


class NudgeService:
    def __init__(self, engines: Mapping[str, AnyEngine], tracker: Tracker, store: Store, clock: Clock) -> None:
        self._engines = engines
        self._tracker = tracker
        self._store = store
        self._clock = clock

    async def __call__(self, engine_name: str, headers: Mapping[str, str], body: bytes) -> None:
        """Wake whoever follows the job, here or in another process.

        Raises NotFound for an engine that calls nobody back here, Unauthenticated for a letter that it did not sign.
        """
        engine = self._engines.get(engine_name)
        if not isinstance(engine, RemoteEngine) or not engine.spec.calls_back:
            raise NotFound("there is no such callback")
        try:
            remote_id = await engine.verify(headers, body, self._clock.now() / SECOND)
        except EngineError:
            remote_id = None
        if remote_id is None:
            raise Unauthenticated
        if not self._tracker.nudge(engine.spec.account, remote_id):
            await self._store.announce("nudge", f"{engine.spec.account} {remote_id}")
