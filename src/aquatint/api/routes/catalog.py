"""Models and the account: what a key may use and what it has left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aquatint.api.auth import Authenticator
from aquatint.api.operations import Operation
from aquatint.api.problems import answering, envelope
from aquatint.services.keys import KeyService
from aquatint.services.models import ModelService, OfferedModel
from aquatint.wire import answers


class ModelEngineData(msgspec.Struct, frozen=True):
    """The engine that serves the model now, in words that nobody can mistake for the real model."""

    name: str
    version: str
    title: str
    local: bool


class ModelData(msgspec.Struct, frozen=True):
    name: str
    title: str
    family: str
    engine: ModelEngineData | None
    points_per_image: int
    sizes: dict[str, dict[str, list[int]]]  # resolution -> ratio -> [width, height]
    parameters: dict[str, Any]  # JSON Schema of `input`


class ModelList(msgspec.Struct, frozen=True):
    models: list[ModelData]


@dataclass(frozen=True, slots=True)
class CatalogRoutes:
    list_models: ModelService
    keys: KeyService
    auth: Authenticator

    async def models(self, request: Request) -> Response:
        offered = self.list_models(await self.auth(request))
        return envelope(answers.ok(ModelList([_model(model) for model in offered])))

    async def account(self, request: Request) -> Response:
        key = await self.keys.current(await self.auth(request))
        data = answers.AccountData(
            key_id=key.id,
            name=key.name,
            points=key.points,
            models=list(key.models),
            requests_per_minute=key.requests_per_minute,
            weight=key.weight,
            max_running=key.max_running,
            max_pending=key.max_pending,
            priority_max=key.priority_max,
            admin=key.admin,
        )
        return envelope(answers.ok(data))


def _model(model: OfferedModel) -> ModelData:
    engine = model.engine
    return ModelData(
        name=model.name,
        title=model.title,
        family=model.family,
        engine=ModelEngineData(engine.name, engine.version, engine.title, engine.local) if engine else None,
        points_per_image=model.points_per_image,
        sizes={
            tier: {ratio: [size.width, size.height] for ratio, size in row.items()}
            for tier, row in model.sizes.items()
        },
        parameters=model.parameters,
    )


def operations(routes: CatalogRoutes) -> list[Operation]:
    """Every operation on models and the account."""
    return [
        Operation(
            "GET",
            "/api/v1/models",
            "listModels",
            "List models",
            answering(routes.models),
            ModelList,
            "Each model with its parameters as JSON Schema, its pixel sizes, and the engine that serves it here.",
            errors=(401,),
            tag="models",
        ),
        Operation(
            "GET",
            "/api/v1/account",
            "getAccount",
            "Read the key's own account",
            answering(routes.account),
            answers.AccountData,
            errors=(401,),
            tag="models",
        ),
    ]
