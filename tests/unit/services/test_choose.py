"""Names of other dialects to models, and sizes to ratios and resolutions."""

from __future__ import annotations

import pytest

from aquatint.catalog.load import load
from aquatint.domain.errors import UnknownModel
from aquatint.domain.key import Key
from aquatint.domain.size import Size
from aquatint.services.choose import Choice, ChooseService


@pytest.fixture(scope="module")
def choose() -> ChooseService:
    return ChooseService(load("", {"old": "seedream-4"}, ""), {"dall-e-3": "gpt-image-2", "mine": "seedream-5-lite"})


@pytest.mark.parametrize(
    ("name", "edit", "model"),
    [
        ("seedream-4.5", False, "seedream-4.5"),
        ("old", True, "seedream-4"),
        ("mine", False, "seedream-5-lite"),
        ("gpt-image-2", False, "gpt-image-2/text-to-image"),
        ("gpt-image-2", True, "gpt-image-2/image-to-image"),
        ("gpt-image-1", False, "gpt-image-2/text-to-image"),
        ("gpt-image-2.5-flare", True, "gpt-image-2/image-to-image"),
        ("chatgpt-image-latest", False, "gpt-image-2/text-to-image"),
        ("dall-e-3", True, "gpt-image-2/image-to-image"),
        ("grok-imagine", True, "grok-imagine/image-to-image"),
        ("gpt-image-2/text-to-image", True, "gpt-image-2/text-to-image"),  # said so, and refused later
    ],
)
def test_names(choose: ChooseService, name: str, edit: bool, model: str) -> None:
    assert choose(name, edit=edit).model == model


@pytest.mark.parametrize("name", ["", "dall-e-2", "gpt-5", "seedream-4.5 "])
def test_unknown_names(choose: ChooseService, name: str) -> None:
    with pytest.raises(UnknownModel):
        choose(name)


@pytest.mark.parametrize(
    ("model", "size", "ratio", "resolution"),
    [
        ("seedream-4.5", (2048, 2048), "1:1", "2k"),
        ("seedream-4.5", (1280, 720), "16:9", "1k"),
        ("seedream-4.5", (256, 256), "1:1", "1k"),
        ("seedream-4.5", (1920, 1080), "16:9", "2k"),
        ("seedream-4.5", (3840, 2160), "16:9", "2k"),
        ("seedream-4.5", (1024, 1792), "9:16", "1k"),
        ("seedream-4.5", (6240, 2656), "21:9", "4k"),
        ("seedream-4.5", (16, 16384), "9:16", "1k"),
        ("gpt-image-2", (1536, 1024), "3:2", "1k"),
        ("gpt-image-2", (4096, 4096), "1:1", "2k"),  # its 4k has no squares
    ],
)
def test_sizes(choose: ChooseService, model: str, size: tuple[int, int], ratio: str, resolution: str) -> None:
    """The shape counts more than the scale."""
    chosen = choose(model, Size(*size))
    assert (chosen.ratio, chosen.resolution) == (ratio, resolution)


def test_what_a_model_ignores_is_not_chosen() -> None:
    catalog = load("", {}, "")
    model = next(model for model in catalog.models() if "resolution" in model.ignores or "ratio" in model.ignores)
    chosen = ChooseService(catalog, {})(model.name, Size(1024, 1024))
    assert [getattr(chosen, name) for name in model.ignores] == [None] * len(model.ignores)
    assert isinstance(chosen, Choice)


def test_a_key_sees_what_it_may_use(choose: ChooseService) -> None:
    key = Key(id="k", name="k", prefix="", created_at=0, models=("seedream-5-lite",))
    assert choose.names(key) == {"seedream-5-lite": "seedream-5-lite", "mine": "seedream-5-lite"}
