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
    """The Seedream family with its documented limits, served by studio."""
    catalog = load("", {}, "")
    limits = {m.name: (m.n_max, m.references_max, m.references_plus_n_max) for m in catalog.models()}
    assert limits == {"seedream-4": (15, 14, 15), "seedream-4.5": (15, 14, 15), "seedream-5-lite": (4, 14, None)}
    assert catalog.engines() == {"studio"}


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
    with pytest.raises(UnknownModel, match=r"seedream-4, seedream-4\.5, seedream-5-lite"):
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
