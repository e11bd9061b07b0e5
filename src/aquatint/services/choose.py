"""Choose: the model of the catalog behind another dialect's name, and its ratio and resolution nearest to a size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

from aquatint.catalog.load import Catalog
from aquatint.catalog.models import ModelSpec
from aquatint.domain.errors import UnknownModel
from aquatint.domain.key import Key
from aquatint.domain.size import Size

GPT_IMAGE = ("gpt-image", "chatgpt-image")  # OpenAI's models of all years, whose place one family here takes
GPT_IMAGE_FAMILY = "gpt-image-2"
SHAPE_WEIGHT = 4.0  # a wrong shape disturbs more than a wrong scale


@dataclass(frozen=True, slots=True)
class Choice:
    """A model by its own name; ratio and resolution None: its defaults."""

    model: str
    ratio: str | None = None
    resolution: str | None = None


class ChooseService:
    """`names` are the operator's: what callers may say, and the model or family that it means."""

    def __init__(self, catalog: Catalog, names: Mapping[str, str]) -> None:
        self._catalog = catalog
        self._names = dict(names)

    def __call__(self, name: str, size: Size | None = None, *, edit: bool = False) -> Choice:
        """The model for such a request. Raises UnknownModel."""
        model = self._model(name, edit=edit)
        if size is None:
            return Choice(model.name)
        resolution, ratio = _nearest(model, size)
        return Choice(
            model.name,
            None if "ratio" in model.ignores else ratio,
            None if "resolution" in model.ignores else resolution,
        )

    def names(self, key: Key) -> dict[str, str]:
        """Every name that means a model which the key may use, models first, with that model's own name."""
        found = {model.name: model.name for model in self._catalog.models() if key.may_use(model.name)}
        families = [model.family for model in self._catalog.models()]
        for name in (*families, *self._names):
            try:
                chosen = self._model(name, edit=False).name
            except UnknownModel:
                continue
            if key.may_use(chosen):
                found.setdefault(name, chosen)
        return found

    def _model(self, name: str, *, edit: bool) -> ModelSpec:
        wanted = self._names.get(name, name)
        if (model := self._catalog.get(wanted)) is not None:
            return model
        family = self._family(wanted)
        if not family and wanted.startswith(GPT_IMAGE):
            family = self._family(GPT_IMAGE_FAMILY)
        if not family:
            return self._catalog.find(wanted)  # raises, and says what there is
        return next((model for model in family if _serves(model, edit=edit)), family[0])

    def _family(self, name: str) -> list[ModelSpec]:
        return [model for model in self._catalog.models() if model.family == name]


def _serves(model: ModelSpec, *, edit: bool) -> bool:
    return model.references_max > 0 if edit else model.references_min == 0


def _nearest(model: ModelSpec, wanted: Size) -> tuple[str, str]:
    """Resolution and ratio whose pixels differ least from the wanted ones, the shape before the scale."""

    def distance(of: tuple[str, str]) -> float:
        size = model.sizes[of[0]][of[1]]
        shape = abs(log(size.width / size.height) - log(wanted.width / wanted.height))
        return SHAPE_WEIGHT * shape + abs(log(size.width * size.height) - log(wanted.width * wanted.height))

    return min(((tier, ratio) for tier, row in model.sizes.items() for ratio in row), key=distance)
