"""Finds engines through the entry-point group `aquatint.engines`; our own walk the same road as plug-ins."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from aquatint.domain.errors import ConfigurationError
from aquatint.engines.base import Engine, EngineContext

GROUP = "aquatint.engines"


def installed() -> dict[str, EntryPoint]:
    """Entry points by engine name. Raises ConfigurationError naming both packages when two claim one name."""
    found: dict[str, EntryPoint] = {}
    problems = []
    for point in entry_points(group=GROUP):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            problems.append(f"the engine name {point.name} is claimed by {_package(other)} and by {_package(point)}")
    if problems:
        raise ConfigurationError(problems)
    return found


def build(names: frozenset[str], contexts: Callable[[str], EngineContext], allow_testing: bool) -> dict[str, Engine]:
    """Build the named engines, not yet open. Raises ConfigurationError with every mistake."""
    points = installed()
    problems: list[str] = []
    engines: dict[str, Engine] = {}
    for name in sorted(names):
        if name not in points:
            problems.append(f"a route wants the engine {name}; installed are {', '.join(sorted(points))}")
            continue
        factory = cast(Callable[[EngineContext], Engine], points[name].load())
        engine = factory(contexts(name))
        if engine.spec.testing_only and not allow_testing:
            problems.append(f"the engine {name} is only for benchmarks and tests; engines.allow_testing is false")
        engines[name] = engine
    if problems:
        raise ConfigurationError(problems)
    return engines


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
