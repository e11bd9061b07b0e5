"""Reads the catalog's data files and answers which model a name means."""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from aquatint.catalog.models import MODES, ModelSpec, Route
from aquatint.domain.errors import ConfigurationError, UnknownModel
from aquatint.domain.size import Size
from aquatint.domain.task import Mode


class _Route(msgspec.Struct, forbid_unknown_fields=True):
    engine: str
    remote_model: str = ""
    edit_model: str = ""
    modes: tuple[Mode, ...] = MODES
    resolutions: tuple[str, ...] = ()
    references_max: int | None = None
    tiers: dict[str, str] = {}
    sizes: str = ""
    alone: bool = False
    usd: float | None = None
    options: dict[str, Any] = {}


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    family: str
    sizes: str
    routes: list[_Route]
    n_max: int = 1
    references_min: int = 0
    references_max: int = 0
    references_plus_n_max: int | None = None
    points: int = 1
    default_ratio: str = "1:1"
    default_resolution: str = "2k"
    ignores: tuple[Literal["ratio", "resolution"], ...] = ()
    concurrency: int | None = None
    resend_ambiguous: bool = False


_Table = dict[str, dict[str, tuple[int, int]]]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    sizes: dict[str, _Table] = {}
    models: dict[str, _Model] = {}


class Catalog:
    """All models by public name, and the operator's aliases for them."""

    def __init__(self, models: Mapping[str, ModelSpec], aliases: Mapping[str, str]) -> None:
        self._models = dict(models)
        self._aliases = dict(aliases)

    def get(self, name: str) -> ModelSpec | None:
        """The model of this name, if there is one."""
        return self._models.get(self._aliases.get(name, name))

    def find(self, name: str) -> ModelSpec:
        """The model of this name. Raises UnknownModel naming it and listing close matches."""
        model = self.get(name)
        if model is None:
            close = difflib.get_close_matches(name[:100], self._models, n=3, cutoff=0.4)
            hint = f"did you mean {', '.join(close)}?" if close else f"there are {', '.join([*self._models][:3])}, …"
            raise UnknownModel(f"model: there is no model {name[:100]!r}; {hint} GET /api/v1/models lists all")
        return model

    def models(self) -> list[ModelSpec]:
        return list(self._models.values())

    def engines(self) -> frozenset[str]:
        """Names of all engines that some route wants."""
        return frozenset(route.engine for model in self._models.values() for route in model.routes)


def load(extra_file: str, aliases: Mapping[str, str], route_all_to: str) -> Catalog:
    """The built-in files, then the operator's. Raises ConfigurationError with every mistake."""
    problems: list[str] = []
    files = [
        (entry.name, entry.read_text(encoding="utf-8"))
        for entry in sorted(resources.files("aquatint.catalog").iterdir(), key=lambda entry: _place(entry.name))
        if entry.name.endswith(".toml")
    ]
    if extra_file:
        try:
            files.append((extra_file, Path(extra_file).read_text(encoding="utf-8")))
        except OSError as error:
            problems.append(f"catalog.file: {extra_file} cannot be read ({error.strerror})")
    models = _read(files, route_all_to, problems)
    problems += [f"catalog.aliases: {a} means {n}, which is no model" for a, n in aliases.items() if n not in models]
    if problems:
        raise ConfigurationError(problems)
    return Catalog(models, aliases)


def _place(file: str) -> tuple[bool, str]:
    """The family at the heart first."""
    return file != "seedream.toml", file


def _read(files: Iterable[tuple[str, str]], route_all_to: str, problems: list[str]) -> dict[str, ModelSpec]:
    tables: dict[str, _Table] = {}
    found: dict[str, tuple[str, _Model]] = {}
    for file, text in files:
        try:
            content = _parsed(text)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            problems.append(f"{file}: {error}")
            continue
        tables.update(content.sizes)
        found.update({name: (file, model) for name, model in content.models.items()})
    models: dict[str, ModelSpec] = {}
    for name, (file, model) in found.items():
        mistakes = _mistakes(model, tables)
        problems += [f"{file}: model {name} {mistake}" for mistake in mistakes]
        if not mistakes:
            models[name] = _spec(name, model, tables, route_all_to)
    return models


@functools.lru_cache(maxsize=16)
def _parsed(text: str) -> _File:
    """A start reads the catalog several times, to check it and to use it."""
    return msgspec.convert(tomllib.loads(text), _File)


def _mistakes(model: _Model, tables: Mapping[str, _Table]) -> list[str]:
    unknown = {name for name in (model.sizes, *(route.sizes for route in model.routes)) if name} - set(tables)
    if unknown:
        return [f"wants the unknown size table {name}" for name in sorted(unknown)]
    mistakes = []
    table = tables[model.sizes]
    if model.default_resolution not in table:
        mistakes.append(f"has the default resolution {model.default_resolution}, which its sizes do not list")
    for route in model.routes:
        own = tables[route.sizes] if route.sizes else table
        for tier, row in table.items():
            asked = own.get(route.tiers.get(tier, tier))
            if route.resolutions and tier not in route.resolutions:
                continue
            if asked is None or not set(row) <= set(asked):
                mistakes.append(f"has a route to {route.engine} without sizes for {tier}")
    return mistakes


def _spec(name: str, model: _Model, tables: Mapping[str, _Table], route_all_to: str) -> ModelSpec:
    table = tables[model.sizes]
    routes = [_Route(route_all_to)] if route_all_to else model.routes
    if route_all_to:  # a route to that engine that the model has anyway knows the model's name there
        routes = [route for route in model.routes if route.engine == route_all_to] or routes
    return ModelSpec(
        name=name,
        title=model.title,
        family=model.family,
        ratios=tuple(dict.fromkeys(ratio for row in table.values() for ratio in row)),
        resolutions=tuple(table),
        default_ratio=model.default_ratio,
        default_resolution=model.default_resolution,
        n_max=model.n_max,
        references_min=model.references_min,
        references_max=model.references_max,
        references_plus_n_max=model.references_plus_n_max,
        points=model.points,
        sizes=_sizes(table),
        routes=tuple(_route(route, tables) for route in routes),
        ignores=model.ignores,
        concurrency=model.concurrency,
        resend_ambiguous=model.resend_ambiguous,
    )


def _route(route: _Route, tables: Mapping[str, _Table]) -> Route:
    return Route(
        engine=route.engine,
        remote_model=route.remote_model,
        edit_model=route.edit_model,
        modes=route.modes,
        resolutions=route.resolutions,
        references_max=route.references_max,
        tiers=route.tiers,
        sizes=_sizes(tables[route.sizes]) if route.sizes else None,
        alone=route.alone,
        usd=route.usd,
        options=route.options,
    )


def _sizes(table: _Table) -> dict[str, dict[str, Size]]:
    return {tier: {ratio: Size(*pixels) for ratio, pixels in row.items()} for tier, row in table.items()}
