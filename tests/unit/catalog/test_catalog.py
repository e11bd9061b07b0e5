"""The catalog: built-in models, the operator's file, aliases, limits, sizes."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from aquatint.catalog.load import load
from aquatint.domain.errors import ConfigurationError, InvalidInput, UnknownModel
from aquatint.domain.size import Size, nearest_ratio, ratio_value


def test_built_in_models() -> None:
    """Every family with its documented limits."""
    catalog = load("", {}, "")
    limits = {m.name: (m.n_max, m.references_max, m.references_plus_n_max) for m in catalog.models()}
    seedream = {"seedream-4": (15, 14, 15), "seedream-4.5": (15, 14, 15), "seedream-5-lite": (4, 14, None)}
    assert {name: limits[name] for name in seedream} == seedream
    assert list(limits)[:3] == list(seedream), "the family at the heart comes first"
    assert limits["gpt-image-2/text-to-image"] == (10, 0, None)
    assert limits["grok-imagine/text-to-image-lite"] == (4, 0, None)
    assert limits["nano-banana-pro"][1] == 14


def test_every_model_has_its_ordered_routes() -> None:
    """Paid routes in order, and studio alone at the end, so that every model works with no key."""
    catalog = load("", {}, "")
    for model in catalog.models():
        assert [route.engine for route in model.routes if route.alone] == ["studio"], model.name
        assert model.routes[-1].alone
        assert len({route.name for route in model.routes}) == len(model.routes)
    assert [r.engine for r in catalog.find("seedream-4.5").routes] == [
        "modelark",
        "fal",
        "replicate",
        "maxapi",
        "studio",
    ]
    assert catalog.find("seedream-4.5").routes[0].remote_model == "seedream-4-5-251128"


def test_one_k_is_asked_for_as_two_where_nothing_smaller_is_made() -> None:
    """1k of 4.5 and lite is bought as 2k and shrunk; 4 makes it itself."""
    catalog = load("", {}, "")
    for name, asked in (
        ("seedream-4", (1280, 720)),
        ("seedream-4.5", (2848, 1600)),
        ("seedream-5-lite", (2848, 1600)),
    ):
        model = catalog.find(name)
        assert model.size("16:9", "1k", None) == Size(1280, 720)
        assert model.size_at(model.routes[0], "16:9", "1k", None) == Size(*asked)


def test_a_tier_that_has_not_every_ratio() -> None:
    """4k of GPT Image 2 exists for wide and tall ratios alone; others are refused (contract section 6.7)."""
    model = load("", {}, "").find("gpt-image-2/text-to-image")
    model.check(ratio="16:9", resolution="4k", n=1, references=0)
    with pytest.raises(InvalidInput, match="4k"):
        model.check(ratio="1:1", resolution="4k", n=1, references=0)
    with pytest.raises(InvalidInput, match="imageUrls"):
        load("", {}, "").find("gpt-image-2/image-to-image").check(ratio=None, resolution=None, n=1, references=0)


def test_route_all_to() -> None:
    """One setting sends every model to one engine."""
    assert load("", {}, "null").engines() == {"null"}


def test_aliases_mean_their_model() -> None:
    """An alias finds its model and is not one itself."""
    catalog = load("", {"seedream-4.6": "seedream-4.5"}, "")
    assert catalog.find("seedream-4.6") is catalog.find("seedream-4.5")
    assert "seedream-4.6" not in [model.name for model in catalog.models()]


def test_unknown_model_lists_close_matches() -> None:
    """A misspelt name is answered with what was probably meant, a strange one with everything."""
    catalog = load("", {}, "")
    with pytest.raises(UnknownModel, match=r"did you mean seedream-4\.5"):
        catalog.find("seedream-45")
    with pytest.raises(UnknownModel, match=r"seedream-4, seedream-4\.5, seedream-5-lite.*GET /api/v1/models"):
        catalog.find("qqq")
    with pytest.raises(UnknownModel) as caught:
        catalog.find("x" * 100_000)
    assert len(caught.value.message) < 300


def test_operators_file_adds_and_replaces(tmp_path: Path) -> None:
    """A further file adds a model with its own sizes and replaces a built-in one."""
    file = tmp_path / "more.toml"
    file.write_text(
        '[sizes.mine.1k]\n"1:1" = [512, 512]\n'
        '[models.mine]\ntitle = "Mine"\nfamily = "mine"\nsizes = "mine"\ndefault_resolution = "1k"\n'
        'routes = [{ engine = "studio", remote_model = "far" }]\n'
        '[models."seedream-4"]\ntitle = "Other"\nfamily = "x"\nsizes = "seedream"\nroutes = [{ engine = "studio" }]\n'
    )
    catalog = load(str(file), {"old": "mine"}, "")
    mine = catalog.find("old")
    assert mine.size(None, "1k", None) == Size(512, 512)
    assert mine.routes[0].remote_model == "far"
    assert (mine.n_max, mine.references_max) == (1, 0)
    assert catalog.find("seedream-4").title == "Other"


def test_all_mistakes_together(tmp_path: Path) -> None:
    """A broken file and a wrong alias are told at once."""
    file = tmp_path / "broken.toml"
    file.write_text('[models.a]\ntitle = "A"\nfamily = "a"\nsizes = "nowhere"\nroutes = []\n')
    with pytest.raises(ConfigurationError) as caught:
        load(str(file), {"x": "nothing", "y": "a"}, "")
    assert len(caught.value.problems) == 3
    for text, words in (("models = 5", "models"), ("[models.a]\ntitel = 1", "titel"), ("not toml", "toml")):
        file.write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            load(str(file), {}, "")
        assert any(words in problem.lower() for problem in caught.value.problems)
    with pytest.raises(ConfigurationError, match=r"missing\.toml"):
        load(str(tmp_path / "missing.toml"), {}, "")


def test_limits_of_n_and_references() -> None:
    """References and n together end at 15 where the table says so; text alone may have 15."""
    model = load("", {}, "").find("seedream-4")
    good = [(15, 0), (1, 14), (14, 1), (8, 7)]
    bad = [(16, 0), (0, 0), (2, 14), (15, 1), (1, 15)]
    for n, references in good:
        model.check(ratio=None, resolution=None, n=n, references=references)
    for n, references in bad:
        with pytest.raises(InvalidInput):
            model.check(ratio=None, resolution=None, n=n, references=references)


@hypothesis.settings(max_examples=200, deadline=None, database=None, derandomize=True)
@hypothesis.given(st.integers(15, 20_000), st.integers(15, 20_000))
def test_nearest_ratio_is_the_least_distortion(width: int, height: int) -> None:
    """No other listed ratio would stretch the picture less."""
    ratios = load("", {}, "").find("seedream-4").ratios

    def stretch(ratio: str) -> float:
        factor = ratio_value(ratio) / (width / height)
        return max(factor, 1 / factor)

    chosen = nearest_ratio(width, height, ratios)
    assert stretch(chosen) <= min(map(stretch, ratios)) * (1 + 1e-9)
    turned = nearest_ratio(height, width, ratios)
    if "21:9" not in (chosen, turned):
        assert ratio_value(chosen) * ratio_value(turned) == pytest.approx(1)
