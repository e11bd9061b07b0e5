"""Verbs weighed: is a clause a change of look, a recolouring, or an edit that no classical engine can do?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aquatint.engines.studio.grammar.normal import has_han
from aquatint.engines.studio.grammar.scan import Item

# What an engine without understanding of content can change in a whole picture.
_LOOKS = frozenset({"style", "edit", "weather", "time", "season", "mood", "quote"})
_THINGS = frozenset({"subject", "undrawable", "unknown"})
_CONTENT = _LOOKS | _THINGS | {"color", "role", "reference"}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the verbs of one clause ask for; indices are into the clause."""

    swallowed: frozenset[int] = frozenset()  # items that must not be read again
    unsupported: tuple[int, int] | None = None  # items begin..end (exclusive) of a semantic edit
    removes: bool = False  # the semantic edit takes its things away: they count as excluded
    adds: bool = False  # the semantic edit puts its things in: a scene may still show them
    recolor: tuple[str, str] | None = None  # colour to change, colour to arrive at


def judge(clause: Sequence[Item], written: str) -> Judgement:
    """Weigh the verbs of one clause; the first that asks for a semantic edit decides."""
    swallowed: set[int] = set()
    for index, item in enumerate(clause):
        if item.category == "keep":
            swallowed |= _kept(clause, index)
        if item.category != "verb" or item.entry is None or index in swallowed:
            continue
        if _is_negated(clause, index):
            if item.entry.name == "add":
                continue  # the negation binds to the thing: "do not add people"
            swallowed |= {later for later in range(index, len(clause)) if clause[later].category not in _LOOKS}
            continue
        if item.entry.name == "doing" or _is_noun(clause, index):
            continue
        verdict = _weigh_verb(clause, index, chinese=has_han(written[item.start]))
        if verdict.unsupported is not None or verdict.recolor is not None:
            return Judgement(
                frozenset(swallowed | verdict.swallowed),
                verdict.unsupported,
                verdict.removes,
                verdict.adds,
                verdict.recolor,
            )
        swallowed |= verdict.swallowed
    return Judgement(frozenset(swallowed))


def _kept(clause: Sequence[Item], index: int) -> set[int]:
    """Things to keep as they are: no subject of the picture, nothing to report."""
    constraint = _THINGS | {"color", "mood", "count", "place", "role", "time"}
    reach = set(range(index, len(clause)))
    nothing_follows = all(item.category not in _CONTENT for item in clause[index + 1 :])
    if nothing_follows:  # "the composition unchanged", 人物不变
        reach |= set(range(index))
    return {position for position in reach if clause[position].category in constraint or position == index}


def _is_negated(clause: Sequence[Item], index: int) -> bool:
    """Whether a negation stands right before a verb, fillers aside: "don't change", 不要改变."""
    for item in reversed(clause[:index]):
        if item.category == "negation":
            return True
        if item.category not in ("filler", "link"):
            return False
    return False


def _is_noun(clause: Sequence[Item], index: int) -> bool:
    """Whether "of" follows: "a change of season" asks for nothing."""
    following = clause[index + 1].entry if index + 1 < len(clause) else None
    return following is not None and following.category == "link" and following.name == "of"


def _weigh_verb(clause: Sequence[Item], index: int, *, chinese: bool) -> Judgement:
    entry = clause[index].entry
    name = entry.name if entry is not None else ""
    pivot = index if chinese else _pivot(clause, index, name)
    sources = _content(clause, range(0 if chinese else index + 1, max(pivot, index)))
    results = _content(clause, range(pivot + 1, len(clause)))
    recolor = _recolor(clause, sources, results) if name in ("change", "turn", "replace") else None
    if recolor is not None:
        return Judgement(_span_of(clause, index, chinese), recolor=recolor)
    if not _is_semantic(name, clause, sources, results):
        # "turn day into night": what was, is not what shall be.
        return Judgement(_former(clause, sources, results))
    begin = _begin(clause, index) if chinese else index
    return Judgement(
        _span_of(clause, index, chinese),
        unsupported=(begin, len(clause)),
        removes=name == "remove",
        adds=name == "add",
    )


def _is_semantic(name: str, clause: Sequence[Item], sources: Sequence[int], results: Sequence[int]) -> bool:
    if name in ("wear", "move", "remove"):
        return True
    if name == "replace":
        return bool(sources or results)
    first = clause[results[0]] if results else None
    if first is None or (name == "change" and _entry_name(first) == "background" and len(results) == 1):
        return name == "change" and bool(sources or results)
    if first.kind == "reference":
        # The palette or the style of an image can be taken over; its things and its pose cannot.
        gives_look = any(_entry_name(clause[later]) in ("style", "palette") for later in results)
        return name in ("change", "add") and not gives_look
    if first.category in _LOOKS:
        return False
    if first.entry is not None and (first.entry.form or first.category == "role"):
        return False
    things_before = any(
        clause[source].category in _THINGS or _entry_name(clause[source]) == "background" for source in sources
    )
    if first.category == "color":
        # "add red" is a tint; "change the shirt to red" needs to know what a shirt is.
        return things_before or (name == "add" and len(results) > 1 and clause[results[1]].category in _THINGS)
    if first.kind == "unknown":
        named_as_style = any(clause[later].category == "role" for later in results)
        return not named_as_style and (name in ("change", "add") or things_before)
    return True


def _entry_name(item: Item) -> str:
    return item.entry.name if item.entry is not None else ""


def _content(clause: Sequence[Item], positions: range) -> list[int]:
    return [position for position in positions if clause[position].category in _CONTENT]


def _pivot(clause: Sequence[Item], index: int, name: str) -> int:
    """The item after which an English verb's result stands ("into", "to"), or the verb itself."""
    if name in ("turn", "change", "replace"):
        # "replace A with B", but "convert to B with a soft edge".
        names = ("pivot", "with") if name == "replace" else ("pivot",)
        for position in range(index + 1, len(clause)):
            entry = clause[position].entry
            if entry is not None and entry.category == "link" and entry.name in names:
                return position
    return index


def _recolor(clause: Sequence[Item], sources: Sequence[int], results: Sequence[int]) -> tuple[str, str] | None:
    old = [clause[source].entry for source in sources if clause[source].category == "color"]
    wanted = clause[results[0]].entry if results and clause[results[0]].category == "color" else None
    if wanted is None or not old or old[0] is None or len(_things(clause, results)) > 0:
        return None
    return old[0].name, wanted.name


def _things(clause: Sequence[Item], positions: Sequence[int]) -> list[int]:
    return [position for position in positions if clause[position].category in _THINGS]


def _former(clause: Sequence[Item], sources: Sequence[int], results: Sequence[int]) -> frozenset[int]:
    wanted = {clause[result].category for result in results}
    replaceable = wanted & {"time", "season", "weather", "color", "style"}
    return frozenset(source for source in sources if clause[source].category in replaceable)


def _begin(clause: Sequence[Item], index: int) -> int:
    """Where a Chinese edit begins: after the last style or edit before its verb (变成水彩再把人去掉)."""
    for position in range(index - 1, -1, -1):
        if clause[position].category in ("style", "edit", "connector"):
            return position + 1
    return 0


def _span_of(clause: Sequence[Item], index: int, chinese: bool) -> frozenset[int]:
    """What a verb takes with it: all up to the end of the clause, but for styles and references."""
    begin = _begin(clause, index) if chinese else index
    return frozenset(
        position for position in range(begin, len(clause)) if clause[position].category not in ("style", "reference")
    )
