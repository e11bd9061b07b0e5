"""The list of models with their parameters as JSON Schema (decision 31)."""

from __future__ import annotations

import jsonschema_rs
import pytest

from support.client import Client, Json, data_of
from support.keys import make_key
from support.server import Server

URL = "https://pictures.invalid/a.jpg"


@pytest.fixture
def models(client: Client) -> dict[str, Json]:
    return {model["name"]: model for model in data_of(client.get("/api/v1/models"))["models"]}


def test_the_family_and_who_serves_it(models: dict[str, Json], studio: Client) -> None:
    """Seedream first, each model with the engine that really serves it in words nobody can mistake."""
    assert list(models)[:3] == ["seedream-4", "seedream-4.5", "seedream-5-lite"]
    assert {"gpt-image-2/text-to-image", "nano-banana-2", "grok-imagine/text-to-image-pro"} <= set(models)
    assert {model["engine"]["name"] for model in models.values()} == {"null"}
    for model in data_of(studio.get("/api/v1/models"))["models"]:
        assert model["engine"]["name"] == "studio"
        assert model["engine"]["local"] is True
        assert "not" in model["engine"]["title"], "the title says what it is not"


@pytest.mark.parametrize("name", ["seedream-4", "seedream-4.5", "seedream-5-lite"])
def test_schemas_are_valid_and_agree_with_the_server(client: Client, models: dict[str, Json], name: str) -> None:
    """Each schema is JSON Schema 2020-12, and it accepts and refuses what submit accepts and refuses."""
    schema = models[name]["parameters"]
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.validator_for(schema)
    limit = 4 if name == "seedream-5-lite" else 15
    good: list[Json] = [
        {"prompt": "x"},
        {"prompt": "x", "ratio": "21:9", "resolution": "4k", "n": limit, "seed": 0, "fallback": False},
        {"prompt": "x", "imageUrls": [URL, {"url": URL}], "output_format": "webp", "unknown": 1},
    ]
    bad: list[Json] = [
        {},
        {"prompt": ""},
        {"prompt": "x", "ratio": "5:4"},
        {"prompt": "x", "resolution": "8k"},
        {"prompt": "x", "n": limit + 1},
        {"prompt": "x", "n": 0},
        {"prompt": "x", "imageUrls": [URL] * 15},
        {"prompt": "x", "imageUrls": [1]},
        {"prompt": "x", "seed": -1},
        {"prompt": "x", "output_format": "gif"},
    ]
    for fields in good:
        validator.validate(fields)
        assert client.try_submit({"model": name, "input": fields}).status_code == 200
    for fields in bad:
        assert not validator.is_valid(fields), fields
        assert client.try_submit({"model": name, "input": fields}).status_code == 400


def test_a_key_sees_the_models_it_may_use(null_server: Server) -> None:
    """A key with rights to one model sees that one."""
    _, secret = make_key(null_server, models=("seedream-4",))
    with null_server.client(secret) as client:
        assert [model["name"] for model in data_of(client.get("/api/v1/models"))["models"]] == ["seedream-4"]
