"""Finds engines through the entry-point group `aquatint.engines`; our own walk the same road as plug-ins."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from aquatint.domain.errors import ConfigurationError
from aquatint.engines.base import Engine, EngineContext
from aquatint.engines.remote import RemoteEngine

GROUP = "aquatint.engines"
AnyEngine = Engine | RemoteEngine
Factory = Callable[[EngineContext], AnyEngine | None]


@functools.cache
def installed() -> Mapping[str, EntryPoint]:
    """Entry points by engine name, looked for once in a process.

    Raises ConfigurationError naming both packages when two claim one name.
    """
    found: dict[str, EntryPoint] = {}
    problems = []
    for point in entry_points(group=GROUP):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            problems.append(f"the engine name {point.name} is claimed by {_package(other)} and by {_package(point)}")
    if problems:
        raise ConfigurationError(problems)
    return found


def build(
    names: frozenset[str],
    contexts: Callable[[str], EngineContext],
    allow_testing: bool,
    required: frozenset[str] = frozenset(),
) -> dict[str, AnyEngine]:
    """Build the named engines, not yet open, without those that have no key.

    Raises ConfigurationError with every mistake: engines that are not installed, and `required` ones without a key.
    """
    points = installed()
    problems: list[str] = []
    engines: dict[str, AnyEngine] = {}
    for name in sorted(names):
        if name not in points:
            problems.append(f"a route wants the engine {name}; installed are {', '.join(sorted(points))}")
            continue
        try:
            engine = cast(Factory, points[name].load())(contexts(name))
        except ConfigurationError as error:
            problems += error.problems
            continue
        if engine is None:
            if name in required:
                problems.append(f"engines.route_all_to is {name}, which has no key: set {name}.api_key")
            continue
        if engine.spec.testing_only and not allow_testing:
            problems.append(f"the engine {name} is only for benchmarks and tests; engines.allow_testing is false")
        engines[name] = engine
    if problems:
        raise ConfigurationError(problems)
    return engines


def build_local(name: str, context: EngineContext) -> Engine:
    """One engine of this machine, for tools that need a painter."""
    return cast(Engine, cast(Factory, installed()[name].load())(context))


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
