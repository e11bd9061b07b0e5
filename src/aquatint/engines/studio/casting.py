"""Casting: which scene can show what the plan asks for, read from a table."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from importlib.resources import files

import msgspec

from aquatint.engines.studio.plan import Plan

# Forms that any scene may take: they lead only when nothing else is named.
_FORMS = frozenset({"poster"})


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the casting table; the table itself explains the fields."""

    subjects: tuple[str, ...]
    also: tuple[str, ...]
    words: tuple[str, ...]
    with_words: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    embodies: tuple[str, ...] = ()  # styles that the scene has by nature
    sets_text: bool = False  # places the quoted text itself, such as on signs


@dataclass(frozen=True, slots=True)
class Casting:
    """The scene chosen for a plan, and what it will not show."""

    scene: str | None  # None: no scene shows the main subject
    role: Role | None = None
    missing: tuple[str, ...] = ()  # subjects asked for that the scene cannot show


def read_table() -> dict[str, Role]:
    """Read casting.toml. Raises msgspec.ValidationError when an entry is malformed."""
    text = (files("aquatint.engines.studio.scenes") / "casting.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Role])


def stand_ins(plan: Plan, table: Mapping[str, tuple[str, ...]] | None = None) -> tuple[str, ...]:
    """What the picture will only show as the plain thing of its kind: ("unicorn as a plain horse", ...)."""
    if table is None:
        text = (files("aquatint.engines.studio.scenes") / "stand_ins.toml").read_text(encoding="utf-8")
        table = msgspec.convert(tomllib.loads(text), dict[str, tuple[str, ...]])
    return tuple(f"{s.variant} as a plain {s.name}" for s in plan.subjects if s.variant in table.get(s.name, ()))


def cast(plan: Plan, available: Set[str], table: Mapping[str, Role] | None = None) -> Casting:
    """Choose among the `available` scenes.

    The first subject decides: passing off something else as it would be a lie. Subjects that come later and
    that the scene cannot show are reported as missing.
    """
    roles = {name: role for name, role in (table or read_table()).items() if name in available}
    words = _words(plan)
    said = [subject.name for subject in plan.subjects]
    # "A poster of a mountain" is about the mountain.
    names = [name for name in said if name not in _FORMS] or said
    if not names:
        chosen = next((name for name, role in roles.items() if words & set(role.words)), None)
        return Casting(chosen, roles[chosen] if chosen else None)
    for lead in names:
        chosen = _scene_for(lead, words, roles)
        shows = {*roles[chosen].subjects, *roles[chosen].also, *roles[chosen].with_words} if chosen else set()
        if chosen and names[0] in shows:
            missing = tuple(name for name in names if name not in shows)
            return Casting(chosen, roles[chosen], missing)
    return Casting(None, missing=tuple(names))


def _scene_for(lead: str, words: Set[str], roles: Mapping[str, Role]) -> str | None:
    for name, role in roles.items():
        if words & set(role.with_words.get(lead, ())):
            return name
    return next((name for name, role in roles.items() if lead in role.subjects), None)


def _words(plan: Plan) -> set[str]:
    named = {wish.name for wish in (*plan.styles, *plan.weather)} | set(plan.moods)
    return (named | {word for word in (plan.time, plan.season) if word}) - plan.excluded
