"""What the reader collects from a prompt, and how it becomes a Plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from aquatint.engines.studio.grammar.vocabulary import Entry
from aquatint.engines.studio.plan import Plan, Subject, Wish

WEAKEST, STRONGEST = 0.45, 1.6


@dataclass(slots=True)
class Draft:
    """A plan in the making; lives for one call of the reader."""

    wishes: list[tuple[Entry, Wish]] = field(default_factory=list)  # styles, edits, weather, time, season, in order
    subjects: list[Subject] = field(default_factory=list)
    colors: list[str] = field(default_factory=list)
    moods: list[str] = field(default_factory=list)
    excluded: set[str] = field(default_factory=set)
    references: list[tuple[int, str]] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    undrawable: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    implied: list[tuple[str, str]] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    understood: int = 0  # content words with a meaning
    missed: int = 0  # content words without one

    def wish(self, entry: Entry, strength: float) -> None:
        """Add a style, edit, weather, time or season with its strength factor."""
        factor = min(STRONGEST, max(WEAKEST, round(entry.value * strength, 3)))
        self.wishes.append((entry, Wish(entry.name, factor, variant=entry.variant)))

    def strengthen_last(self, strength: float) -> bool:
        """Bind a strength to the wish named last ("blur the background slightly")."""
        if not self.wishes:
            return False
        entry, _ = self.wishes.pop()
        self.wish(entry, strength)
        return True

    def show(self, subject: Subject) -> None:
        """Add a subject; named twice it stays one, with the details of both."""
        for index, known in enumerate(self.subjects):
            if known == subject:
                return
            if known.name == subject.name and (subject.variant in (None, known.variant) or known.variant is None):
                self.subjects[index] = replace(
                    known,
                    count=max(known.count, subject.count),
                    color=known.color or subject.color,
                    place=known.place or subject.place,
                    variant=known.variant or subject.variant,
                )
                return
        self.subjects.append(subject)

    def plan(self, prompt: str, text: tuple[str, ...]) -> Plan:
        """Settle what was collected: implications, conflicts, order."""
        implied = self._implied
        styles, unused = _settle_styles([pair for pair in self.wishes if pair[0].category == "style"])
        if not styles:
            styles = tuple(Wish(name) for name in implied("style"))
        weather = [wish for entry, wish in self.wishes if entry.category == "weather"]
        weather += [Wish(name) for name in implied("weather")]
        for name in implied("subject"):
            self.show(Subject(name))
        changes = [
            wish for entry, wish in self.wishes if entry.category != "style" and wish.name not in self.excluded
        ]
        edits = [wish for entry, wish in self.wishes if entry.category == "edit"]
        total = self.understood + self.missed
        return Plan(
            prompt=prompt,
            styles=styles,
            subjects=tuple(s for s in self.subjects if not {s.name, s.variant} & self.excluded),
            edits=self._allowed(edits),
            time=self._first("time"),
            season=self._first("season"),
            weather=self._allowed(weather),
            colors=tuple(dict.fromkeys(color for color in self.colors if color not in self.excluded)),
            moods=tuple(dict.fromkeys(mood for mood in self.moods if mood not in self.excluded)),
            excluded=frozenset(self.excluded),
            text=text,
            references=_settle_references(self.references),
            unsupported=tuple(dict.fromkeys(self.unsupported)),
            ignored=tuple(dict.fromkeys(self.ignored)),
            coverage=round(self.understood / total, 3) if total else 1.0,
            options=self.options,
            changes=_once(changes),
            undrawable=tuple(dict.fromkeys(self.undrawable)),
            unused=unused,
        )

    def _implied(self, category: str) -> list[str]:
        return [name for kind, name in self.implied if kind == category and name not in self.excluded]

    def _allowed(self, wishes: Iterable[Wish]) -> tuple[Wish, ...]:
        return _once(wish for wish in wishes if wish.name not in self.excluded)

    def _first(self, category: str) -> str | None:
        said = [entry.name for entry, _ in self.wishes if entry.category == category]
        wanted = [name for name in (*said, *self._implied(category)) if name not in self.excluded]
        return wanted[0] if wanted else None


def _once(wishes: Iterable[Wish]) -> tuple[Wish, ...]:
    """Each name once, at its first place; a strength or a variant said later still counts."""
    found: dict[str, Wish] = {}
    for wish in wishes:
        known = found.get(wish.name)
        if known is None or wish.color is not None:
            found[wish.name if wish.color is None else f"{wish.name}/{wish.target}/{wish.color}"] = wish
        else:
            strength = known.strength if known.strength != 1.0 else wish.strength
            found[wish.name] = replace(known, strength=strength, variant=known.variant or wish.variant)
    return tuple(found.values())


def _settle_styles(said: list[tuple[Entry, Wish]]) -> tuple[tuple[Wish, ...], tuple[str, ...]]:
    """One renderer first, then finishes; further renderers are left out."""
    finishes = {entry.name for entry, _ in said if entry.finish}
    firm = [pair for pair in said if not pair[0].weak]
    wishes = _once(wish for _, wish in (firm or said))
    renderers = [wish for wish in wishes if wish.name not in finishes]
    order = renderers[:1] + [wish for wish in wishes if wish.name in finishes]
    return tuple(order), tuple(wish.name for wish in renderers[1:])


def _settle_references(said: list[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Each image and role once; an image that gives style or palette is no content unless that was said apart."""
    giving = {number for number, role in said if role != "content"}
    kept = [(number, role) for number, role in said if role != "content" or number not in giving]
    return tuple(dict.fromkeys(kept))
