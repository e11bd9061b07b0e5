"""Route: which of a model's routes serves a task here, and which comes next when one fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aquatint.catalog.models import ModelSpec, Route
from aquatint.domain.errors import EngineError, InvalidInput, Misconfigured
from aquatint.domain.task import Mode
from aquatint.engines.base import EngineSpec
from aquatint.engines.registry import AnyEngine


@dataclass(frozen=True, slots=True)
class RouteRules:
    """The operator's word on falling back."""

    fallback: bool
    fallback_to_studio: bool


@dataclass(frozen=True, slots=True)
class Need:
    """What a task asks of a route."""

    mode: Mode
    resolution: str
    references: int


class RouteService:
    """Knows the engines that are set up here; which of them runs in this very process is not its question."""

    def __init__(self, engines: Mapping[str, AnyEngine], rules: RouteRules) -> None:
        self._engines = engines
        self._rules = rules

    def lane(self, model: ModelSpec, need: Need) -> str:
        """The engine to wait for. Raises InvalidInput when no route here takes such a task."""
        routes = self._usable(model, need)
        if routes:
            return routes[0].engine
        if not self._present(model):
            return next(iter(self._engines), model.routes[0].engine)  # nothing serves it: the run says so
        raise InvalidInput(
            "input",
            f"nothing that serves {model.name} here takes {_words(need)}; fewer images or another size may do",
        )

    def choose(self, model: ModelSpec, need: Need, lane: str, failed: Sequence[str]) -> Route:
        """The route that the task takes now. Raises Misconfigured when nothing serves the model any more."""
        usable = [route for route in self._usable(model, need) if route.name not in failed]
        mine = [route for route in usable if route.engine == lane]
        if mine or usable:
            return (mine or usable)[0]
        raise Misconfigured("no engine serves this model here")

    def next(
        self, model: ModelSpec, need: Need, failed: Sequence[str], asked: bool, error: EngineError
    ) -> Route | None:
        """Where the task goes after `error`; None when it stays.

        Never when a charge may stand, and not for what another provider would refuse as well.
        """
        if not (asked or self._rules.fallback) or error.charged or error.advice == "fix":
            return None
        if error.failure_reason == "CONTENT_MODERATION":
            return None
        return next((route for route in self._usable(model, need) if route.name not in failed), None)

    def serving(self, model: ModelSpec) -> EngineSpec | None:
        """What serves the model's plainest task here, for the list of models."""
        routes = self._usable(model, None)
        return self._engines[routes[0].engine].spec if routes else None

    def _present(self, model: ModelSpec) -> list[Route]:
        return [route for route in model.routes if route.engine in self._engines]

    def _usable(self, model: ModelSpec, need: Need | None) -> list[Route]:
        """Routes in order. One that serves alone does so where no other can, or as the last resort."""
        present = self._present(model)
        others = [route for route in present if not route.alone]
        if not others:
            chosen = present
        elif self._rules.fallback_to_studio:
            chosen = others + [route for route in present if route.alone]
        else:
            chosen = others
        if need is None:
            return chosen
        return [route for route in chosen if route.fits(need.mode, need.resolution, need.references)]


def _words(need: Need) -> str:
    images = f" with {need.references} reference images" if need.references else ""
    return f"{need.mode.replace('_', '-')} in {need.resolution}{images}"
