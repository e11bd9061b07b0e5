"""Reads the catalog's data files and answers which model a name means."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

import msgspec

from aquatint.catalog.models import ModelSpec, Route
from aquatint.domain.errors import ConfigurationError, UnknownModel
from aquatint.domain.size import Size


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    family: str
    sizes: str
    routes: list[dict[str, str]]
    n_max: int = 1
    references_max: int = 0
    references_plus_n_max: int | None = None
    points: int = 1
    default_ratio: str = "1:1"
    default_resolution: str = "2k"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    sizes: dict[str, dict[str, dict[str, tuple[int, int]]]] = {}
    models: dict[str, _Model] = {}


class Catalog:
    """All models by public name, and the operator's aliases for them."""

    def __init__(self, models: Mapping[str, ModelSpec], aliases: Mapping[str, str]) -> None:
        self._models = dict(models)
        self._aliases = dict(aliases)

    def find(self, name: str) -> ModelSpec:
        """The model of this name. Raises UnknownModel naming it and listing close matches."""
        model = self._models.get(self._aliases.get(name, name))
        if model is None:
            close = difflib.get_close_matches(name[:100], self._models, n=3, cutoff=0.4) or sorted(self._models)
            raise UnknownModel(f"model: there is no model {name[:100]!r}; did you mean {', '.join(close)}?")
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
        for entry in sorted(resources.files("aquatint.catalog").iterdir(), key=lambda entry: entry.name)
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


def _read(files: Iterable[tuple[str, str]], route_all_to: str, problems: list[str]) -> dict[str, ModelSpec]:
    sizes: dict[str, dict[str, dict[str, tuple[int, int]]]] = {}
    models: dict[str, ModelSpec] = {}
    for file, text in files:
        try:
            content = msgspec.convert(tomllib.loads(text), _File)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            problems.append(f"{file}: {error}")
            continue
        sizes.update(content.sizes)
        for name, model in content.models.items():
            if model.sizes not in sizes:
                problems.append(f"{file}: model {name} wants the unknown size table {model.sizes}")
                continue
            models[name] = _spec(name, model, sizes[model.sizes], route_all_to)
    return models


def _spec(name: str, model: _Model, table: dict[str, dict[str, tuple[int, int]]], route_all_to: str) -> ModelSpec:
    routes = [{"engine": route_all_to}] if route_all_to else model.routes
    return ModelSpec(
        name=name,
        title=model.title,
        family=model.family,
        ratios=tuple(next(iter(table.values()))),
        resolutions=tuple(table),
        default_ratio=model.default_ratio,
        default_resolution=model.default_resolution,
        n_max=model.n_max,
        references_max=model.references_max,
        references_plus_n_max=model.references_plus_n_max,
        points=model.points,
        sizes={tier: {ratio: Size(*pixels) for ratio, pixels in row.items()} for tier, row in table.items()},
        routes=tuple(Route(route["engine"], route.get("remote_model", "")) for route in routes),
    )
