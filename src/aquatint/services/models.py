"""Models: what a key may use here, and which engine serves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aquatint.catalog import schema
from aquatint.catalog.load import Catalog
from aquatint.catalog.models import ModelSpec
from aquatint.domain.key import Key
from aquatint.domain.size import Size
from aquatint.services.route import RouteService


@dataclass(frozen=True, slots=True)
class ServingEngine:
    """The engine that serves a model now, in words that nobody can mistake for the real model."""

    name: str
    version: str
    title: str
    local: bool


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """One model as offered here; `parameters` is the JSON Schema of its input."""

    name: str
    title: str
    family: str
    engine: ServingEngine | None
    points_per_image: int
    sizes: Mapping[str, Mapping[str, Size]]
    parameters: dict[str, object]


class ModelService:
    def __init__(self, catalog: Catalog, route: RouteService) -> None:
        self._catalog = catalog
        self._route = route

    def __call__(self, key: Key) -> list[OfferedModel]:
        """The models that the key may use."""
        return [self._offered(model) for model in self._catalog.models() if key.may_use(model.name)]

    def _offered(self, model: ModelSpec) -> OfferedModel:
        spec = self._route.serving(model)
        return OfferedModel(
            name=model.name,
            title=model.title,
            family=model.family,
            engine=ServingEngine(spec.name, spec.version, spec.title, spec.local) if spec else None,
            points_per_image=model.points,
            sizes=model.sizes,
            parameters=schema.parameters(model),
        )
