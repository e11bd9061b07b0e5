"""Registry and casting: modules are found by name, and the table sends each prompt to the right scene."""

from __future__ import annotations

import importlib
import inspect

import pytest

from aquatint.engines.studio import registry
from aquatint.engines.studio.casting import cast, read_table, stand_ins
from aquatint.engines.studio.direction import Repertoire, direct_photo, direct_text
from aquatint.engines.studio.plan import Plan, Subject, Wish

KINDS = [
    ("styles", "paint", registry.style_names, registry.style),
    ("scenes", "compose", registry.scene_names, registry.scene),
    ("edits", "apply", registry.edit_names, registry.edit),
]
ALL = Repertoire(
    frozenset({"watercolor", "oil", "wash", "ink_wash"}),
    frozenset({"abstract", "landscape", "neon_city", "shanshui"}),
    frozenset({"snow"}),
)


@pytest.mark.parametrize(("package", "function", "names", "load"), KINDS)
def test_every_module_keeps_the_house_signature(package: str, function: str, names, load) -> None:  # type: ignore[no-untyped-def]
    for name in names():
        loaded = load(name)
        module = importlib.import_module(f"aquatint.engines.studio.{package}.{name}")
        public = [n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__]
        assert function in public
        assert len(inspect.signature(loaded).parameters) == 2
        assert loaded.__doc__


@pytest.mark.parametrize(("package", "function", "names", "load"), KINDS)
@pytest.mark.parametrize("name", ["base", "nothing", "__init__", "../engine", "os", ""])
def test_nothing_else_can_be_loaded(package: str, function: str, names, load, name: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LookupError):
        load(name)


def test_house_styles_are_there() -> None:
    assert {"watercolor", "wash"} <= registry.style_names()
    assert "abstract" in registry.scene_names()


def test_casting_table_is_sound() -> None:
    table = read_table()
    assert {"abstract", "landscape", "neon_city"} <= set(table)
    for role in table.values():
        assert not set(role.subjects) & set(role.also)


def _plan(*subjects: str, **more: object) -> Plan:
    return Plan("prompt", subjects=tuple(Subject(s) for s in subjects), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("plan", "scene"),
    [
        (_plan("mountain", "lake"), "landscape"),
        (_plan("street"), "neon_city"),
        (_plan(styles=(Wish("cyberpunk"),)), "neon_city"),
        (_plan(season="winter"), "landscape"),
        (_plan("shanshui"), "shanshui"),
        (_plan("mountain", styles=(Wish("ink_wash"),)), "shanshui"),
        (_plan("boat", "lake"), "landscape"),
        (_plan("cat"), None),
        (_plan("cat", "mountain"), None),
        (_plan(), None),
    ],
)
def test_the_first_subject_decides(plan: Plan, scene: str | None) -> None:
    assert cast(plan, ALL.scenes).scene == scene


def test_a_scene_not_written_yet_is_passed_over() -> None:
    assert cast(_plan("shanshui"), frozenset({"abstract", "landscape"})).scene == "landscape"


def test_later_subjects_that_cannot_be_shown_are_reported() -> None:
    direction = direct_text(_plan("mountain", "cat"), ALL)
    assert direction.scene == "landscape"
    assert "cat" in direction.warnings[0]
    assert not direction.shortfall


def test_an_undrawable_subject_becomes_a_poster_and_says_so() -> None:
    direction = direct_text(_plan(undrawable=("dragon",)), ALL)
    assert direction.scene == "abstract"
    assert "dragon" in direction.shortfall
    assert "dragon" in direction.warnings[0]


def test_a_scene_is_not_painted_over_in_its_own_style() -> None:
    direction = direct_text(_plan("street", styles=(Wish("cyberpunk"),)), ALL)
    assert direction.styles == ()
    assert direction.warnings == ()


def test_photo_directions() -> None:
    painted = direct_photo(_plan(styles=(Wish("oil", 0.5),), changes=(Wish("snow"),)), ALL)
    assert [w.name for w in (*painted.edits, *painted.styles)] == ["snow", "oil"]
    assert (painted.shortfall, painted.warnings) == ("", ())
    unknown = direct_photo(_plan("cat"), ALL)
    assert unknown.styles == (Wish("wash"),)
    assert unknown.shortfall
    assert unknown.warnings
    partly = direct_photo(_plan(styles=(Wish("oil"), Wish("holography")), changes=(Wish("rain"),)), ALL)
    assert [w.name for w in partly.styles] == ["oil"]
    assert "holography" in partly.warnings[0]
    assert "rain" in partly.warnings[1]


def test_semantic_edits_are_previews() -> None:
    direction = direct_photo(_plan(unsupported=("wear a hat",), styles=(Wish("oil"),)), ALL)
    assert direction.not_done == ("wear a hat",)
    assert "wear a hat" in direction.shortfall
    assert [w.name for w in direction.styles] == ["oil"]


def test_edits_are_made_on_scenes_too() -> None:
    every = Repertoire(ALL.styles, ALL.scenes, frozenset({"warm", "vignette", "crop", "upscale"}))
    asked = tuple(Wish(name) for name in ("warm", "vignette", "crop", "upscale"))
    direction = direct_text(_plan("mountain", edits=asked), every)
    assert [wish.name for wish in direction.edits] == ["warm"]
    assert [wish.name for wish in direction.on_top] == ["vignette"]
    assert "crop" in direction.warnings[0]
    assert "upscale" not in direction.warnings[0]


def test_only_a_stand_in_poster_shows_its_prompt() -> None:
    assert direct_text(_plan("abstract"), ALL).title == ""
    assert direct_text(_plan("abstract", text=("Hello", "World")), ALL).title == "Hello World"
    assert direct_text(_plan(undrawable=("dragon",)), ALL).title == "prompt"


def test_a_kind_that_no_scene_draws_is_reported() -> None:
    plan = Plan("prompt", subjects=(Subject("mountain"), Subject("bird", variant="peacock")))
    assert stand_ins(plan) == ("peacock as a plain bird",)
    assert stand_ins(_plan("bird")) == ()
    every = Repertoire(ALL.styles, frozenset({"animals"}), frozenset())
    direction = direct_text(Plan("prompt", subjects=(Subject("bird", variant="peacock"),)), every)
    assert any("peacock" in warning for warning in direction.warnings)


def test_a_poster_of_something_is_about_the_thing() -> None:
    assert cast(_plan("poster", "mountain"), ALL.scenes).scene == "landscape"
    assert cast(_plan("poster"), ALL.scenes).scene == "abstract"
    assert direct_text(_plan("poster"), ALL).title == "prompt"
