"""The lexicon as data: size, order in the house, both languages, every word means what its table says."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from aquatint.engines.studio.grammar import parse
from aquatint.engines.studio.grammar.normal import has_han
from aquatint.engines.studio.grammar.vocabulary import Listed, listed_words, load_simplified

WORDS = list(listed_words())
CONTENT = ("style", "subject", "weather", "time", "season", "color", "mood", "edit", "undrawable")
GRAMMAR = ("strength", "negation", "verb", "keep", "connector", "link", "role", "count", "place", "filler")


def _tables() -> dict[tuple[str, str], list[Listed]]:
    tables: dict[tuple[str, str], list[Listed]] = defaultdict(list)
    for listed in WORDS:
        if listed.entry.category in CONTENT:
            tables[listed.file, listed.table].append(listed)
    return tables


TABLES = _tables()


def test_it_is_large_in_both_languages() -> None:
    content = Counter(listed.language for listed in WORDS if listed.entry.category != "filler")
    assert content["en"] >= 700
    assert content["zh"] >= 700


def test_every_word_stands_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for listed in WORDS:
        places[listed.key].append(f"{listed.file}:{listed.table}")
    assert {key: where for key, where in places.items() if len(where) > 1} == {}


def test_languages_and_categories_are_in_their_place() -> None:
    for listed in WORDS:
        assert has_han(listed.word) == (listed.language == "zh"), listed
        assert listed.entry.category in CONTENT + GRAMMAR, listed
        if listed.entry.category == "strength":
            assert 0.45 <= listed.entry.value <= 1.6, listed


def test_chinese_words_are_simplified() -> None:
    simplified = load_simplified()
    raw = {char for listed in WORDS if listed.language == "zh" for char in listed.word}
    assert {char for char in raw if ord(char) in simplified} <= {"著"}  # 显著 is simplified; 著 alone is 着


def test_implications_name_things_that_exist() -> None:
    names = {(listed.entry.category, listed.entry.name) for listed in WORDS}
    for listed in WORDS:
        for implied in listed.entry.implies:
            assert implied in names, listed


@pytest.mark.parametrize("table", sorted(TABLES), ids="/".join)
def test_every_word_of_a_table_gives_the_same_plan(table: tuple[str, str]) -> None:
    plans: dict[str, list[str]] = {}
    languages = set()
    for listed in TABLES[table]:
        languages.add(listed.language)
        # What was said is kept as written; everything else must be the same in both languages.
        plan = replace(parse(listed.word), prompt="", undrawable=(), options={})
        plans.setdefault(repr(plan), []).append(listed.word)
        assert plan.ignored == (), listed
    assert languages == {"en", "zh"}
    assert len(plans) == 1, plans


@pytest.mark.parametrize("table", sorted(TABLES), ids="/".join)
def test_a_word_means_its_entry(table: tuple[str, str]) -> None:
    listed = TABLES[table][0]
    entry, plan = listed.entry, parse(listed.word)
    said: dict[str, list[str | None]] = {
        "style": [wish.name for wish in plan.styles],
        "subject": [subject.name for subject in plan.subjects],
        "weather": [wish.name for wish in plan.weather],
        "time": [plan.time],
        "season": [plan.season],
        "color": [*plan.colors],
        "mood": [*plan.moods],
        "edit": [wish.name for wish in plan.edits],
        "undrawable": [entry.name] if plan.undrawable else [],
    }
    assert said[entry.category][:1] == [entry.name]
    assert dict(entry.option).items() <= plan.options.items()


def test_wanted_names_are_all_there() -> None:
    """The styles, edits and subjects that the studio promises."""
    names: dict[str, set[str]] = defaultdict(set)
    for listed in WORDS:
        names[listed.entry.category].add(listed.entry.name)
    assert names["style"] >= {
        "watercolor",
        "oil",
        "gouache",
        "pencil",
        "charcoal",
        "ink",
        "ink_wash",
        "cartoon",
        "pointillism",
        "mosaic",
        "stained_glass",
        "woodcut",
        "pixel_art",
        "halftone",
        "low_poly",
        "vintage",
        "black_and_white",
        "cyberpunk",
        "paper_cut",
    }
    assert names["subject"] >= {
        "mountain",
        "lake",
        "sea",
        "beach",
        "forest",
        "desert",
        "flower_field",
        "flower",
        "city",
        "street",
        "village",
        "temple",
        "pagoda",
        "space",
        "planet",
        "galaxy",
        "shanshui",
        "still_life",
        "cat",
        "dog",
        "bird",
        "horse",
        "fish",
        "deer",
        "people",
        "boat",
        "car",
        "plane",
        "train",
        "portrait",
        "logo",
        "icon",
        "poster",
        "abstract",
        "fractal",
        "geometric",
        "product",
    }
    assert names["edit"] >= {
        "blur_background",
        "relight",
        "sharpen",
        "denoise",
        "upscale",
        "crop",
        "outpaint",
        "collage",
        "warm",
        "cool",
        "brighten",
        "darken",
        "contrast",
        "saturate",
        "desaturate",
        "vignette",
        "grain",
        "bloom",
        "flip",
    }
    assert names["weather"] >= {"rain", "snow", "fog", "storm", "clear", "clouds", "wind"}
    assert names["season"] == {"spring", "summer", "autumn", "winter"}
    assert names["time"] == {"dawn", "sunrise", "morning", "noon", "day", "golden_hour", "sunset", "dusk", "night"}
