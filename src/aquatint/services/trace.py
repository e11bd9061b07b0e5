"""Trace: what happened to a task, attempt by attempt and paid call by paid call, in terms that hide no cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from aquatint.catalog.load import Catalog
from aquatint.domain import errors
from aquatint.domain.call import PaidCall
from aquatint.domain.errors import EngineError, UnknownModel
from aquatint.domain.task import Attempt, Task
from aquatint.services.query import QueryService
from aquatint.store.base import Store
from aquatint.store.records import Event


class Trace(msgspec.Struct, frozen=True):
    """The history of one task. Nothing in it comes from a provider's own text, except its codes and ids."""

    task: Task
    attempts: Sequence[Attempt]
    calls: Sequence[PaidCall]
    events: Sequence[Event]
    prices: Mapping[str, float]  # dollars an image, by remote model

    def cost(self, call: PaidCall) -> float | None:
        """Dollars of a call's images, when the catalog knows the price."""
        price = self.prices.get(call.remote_model)
        count = len(call.kept) if call.kept else len(call.images)
        return round(price * count, 6) if price is not None else None


class TraceService:
    def __init__(self, query: QueryService, store: Store, catalog: Catalog) -> None:
        self._query = query
        self._store = store
        self._catalog = catalog

    async def __call__(self, task_id: str, key_id: str) -> Trace:
        """Raises NotFound."""
        task = await self._query(task_id, key_id)
        return Trace(
            task=task,
            attempts=await self._store.attempts(task.no),
            calls=await self._store.calls(task.no),
            events=await self._store.events(task.no),
            prices=self._prices(task.model),
        )

    def _prices(self, model: str) -> dict[str, float]:
        """Dollars an image by remote model, as far as the catalog knows them."""
        try:
            routes = self._catalog.find(model).routes
        except UnknownModel:
            return {}
        return {
            remote: route.usd for route in routes for remote in (route.remote_model, route.edit_model) if route.usd
        }


def advice_of(kind: str) -> str:
    """What a caller can do about a failure of this class; empty when there is no such class."""
    found = getattr(errors, kind, None) if kind else None
    return found.advice if isinstance(found, type) and issubclass(found, EngineError) else ""
