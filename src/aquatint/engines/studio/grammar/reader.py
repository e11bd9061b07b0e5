"""Clause by clause: negations, strengths, colours, counts, places and references find what they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aquatint.engines.studio.grammar.draft import Draft
from aquatint.engines.studio.grammar.normal import Prepared, has_han
from aquatint.engines.studio.grammar.scan import Item
from aquatint.engines.studio.grammar.semantic import Judgement, judge
from aquatint.engines.studio.grammar.vocabulary import Entry
from aquatint.engines.studio.plan import Subject, Wish

_WISHES = frozenset({"style", "edit", "weather", "time", "season"})
_THINGS = frozenset({"subject", "undrawable", "unknown"})
_NEGATABLE = _WISHES | _THINGS
# Words that may stand between a colour and its thing ("a red and gold, very old boat").
_TRANSPARENT = frozenset({"link", "count", "mood", "strength", "connector"})

# Nobody writes longer ones; cutting there keeps the rules, which look around in a clause, linear.
_LONGEST_CLAUSE = 64


def read(items: Sequence[Item], prepared: Prepared) -> Draft:
    """Collect what the items ask for."""
    draft = Draft()
    for clause in _clauses(items):
        _read_references(clause, draft)
        judgement = judge(clause, prepared.folded)
        _note(clause, judgement, prepared, draft)
        reading = _Reading(clause, prepared, draft)
        for index, item in enumerate(clause):
            if index not in judgement.swallowed:
                reading.take(index, item)
        reading.close()
    return draft


def _clauses(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Split at punctuation, and at "and" or "then" before a new instruction."""
    clause: list[Item] = []
    for index, item in enumerate(items):
        if item.kind == "break" or (item.category == "connector" and _opens_instruction(items, index)):
            yield clause
            clause = []
        else:
            clause.append(item)
            if len(clause) >= _LONGEST_CLAUSE:
                yield clause
                clause = []
    yield clause


def _opens_instruction(items: Sequence[Item], index: int) -> bool:
    for item in items[index + 1 : index + 6]:
        if item.category not in ("filler", "link", "connector"):
            return item.category in ("verb", "keep", "negation")
    return False


def _read_references(clause: Sequence[Item], draft: Draft) -> None:
    for index, item in enumerate(clause):
        if item.kind == "reference" and item.number >= 1:
            draft.references.append((item.number, _role(clause, index)))


def _role(clause: Sequence[Item], index: int) -> str:
    """What an image gives: "image 2's palette", "the style of image 2", 图2的配色."""
    for item in clause[index + 1 :]:
        if _gives(item) and item.entry is not None and item.entry.variant != "forward":
            return item.entry.name
        if item.entry is None or item.entry.category != "link" or item.entry.name not in ("has", "as", "article"):
            break
    linked = False
    for item in reversed(clause[:index]):
        if item.entry is None:
            break
        if _gives(item):
            if linked or item.entry.name == "style":
                return item.entry.name
            break
        if item.entry.category not in ("link", "filler"):
            break
        linked = linked or item.entry.name == "of"
        if item.entry.name == "pivot":
            break
    return "content"


def _gives(item: Item) -> bool:
    return item.category == "role" and item.entry is not None and item.entry.name in ("style", "palette", "content")


def _note(clause: Sequence[Item], judgement: Judgement, prepared: Prepared, draft: Draft) -> None:
    """Write down what the clause's verbs asked for."""
    if judgement.recolor is not None:
        target, color = judgement.recolor
        draft.wishes.append((Entry("edit", "recolor"), Wish("recolor", color=color, target=target)))
        draft.understood += 2
    if judgement.unsupported is None:
        return
    begin, end = judgement.unsupported
    part = list(clause[begin:end])
    while part and part[0].category in ("connector", "link"):
        part = part[1:]
    if not part:
        return
    draft.unsupported.append(prepared.written[part[0].start : part[-1].end].strip())
    draft.understood += 1
    for item in part:
        if item.entry is not None and item.entry.category == "subject":
            if judgement.removes:
                draft.excluded.add(item.entry.name)
            elif judgement.adds:
                draft.show(Subject(item.entry.name, color=item.entry.color, variant=item.entry.variant))


def _is_text(item: Item) -> bool:
    return item.entry is not None and item.entry.name == "text_words"


@dataclass(slots=True)
class _Reading:
    """The state while one clause is read from left to right."""

    clause: Sequence[Item]
    prepared: Prepared
    draft: Draft
    negated: bool = False
    listing: bool = False  # a negation has found its thing; "or" and "and" may add another
    strength: Entry | None = None
    wished: bool = False  # a wish stands earlier in the clause
    colors: list[str] = field(default_factory=list)  # said last, perhaps of the thing that follows
    count: int = 1
    place: str | None = None
    shown: int = -1  # index in draft.subjects of the subject named last in this clause

    def take(self, index: int, item: Item) -> None:
        """Read one item."""
        category = item.category
        if category not in _TRANSPARENT and category not in _THINGS and category != "color":
            self._release_colors()
        if category == "connector":
            self._bind_back()
            self.negated = self.negated or (self.listing and self._continues(index))
        elif category == "negation":
            self.negated, self.listing = True, False
        elif self.negated and self._is_negatable(index, item):
            self._exclude(item)
        elif item.kind == "unknown":
            self._miss(item)
        elif item.entry is not None:
            self._take_term(item, item.entry)

    def close(self) -> None:
        """Bind what waited for something that did not come."""
        self._bind_back()
        self._drop_strength()
        self._release_colors()

    def _bind_back(self) -> None:
        """A strength that ends its part of the sentence belongs to what came before: "blur it slightly"."""
        if self.strength is not None and self.wished and self.draft.strengthen_last(self.strength.value):
            self.strength = None

    def _take_term(self, item: Item, entry: Entry) -> None:
        category = entry.category
        if category in _WISHES:
            self.draft.wish(entry, self.strength.value if self.strength is not None else 1.0)
            self.strength, self.wished = None, True
        elif category == "strength":
            if self.strength is None or entry.name != "somewhat":  # 更强烈一些 is strong, not a little
                self._drop_strength()
                self.strength = entry
        elif category == "subject":
            self._show(entry)
        elif category == "undrawable":
            self.draft.undrawable.append(self.prepared.written[item.start : item.end])
            self._release_colors()  # a red hat makes no red girl
            self._drop_strength()
            self.count, self.place = 1, None
        elif category == "color":
            self._drop_strength()
            self.colors.append(entry.name)
        elif category == "mood":
            self._drop_strength()
            self.draft.moods.append(entry.name)
        elif category == "count":
            self.count = max(1, int(entry.value))
        elif category == "place":
            self._place(entry.name)
        if category in _WISHES or category in ("subject", "undrawable", "color", "mood"):
            self.draft.understood += 1
            self.draft.implied += entry.implies
            self.draft.options.update(entry.option)

    def _show(self, entry: Entry) -> None:
        self._drop_strength()
        if entry.form:  # a red poster is a poster in reds
            self._release_colors()
        color = entry.color or (self.colors.pop() if self.colors else None)
        self._release_colors()
        self.draft.show(Subject(entry.name, self.count, color, self.place, entry.variant))
        names = [subject.name for subject in self.draft.subjects]
        self.shown = len(names) - 1 - names[::-1].index(entry.name)
        self.count, self.place = 1, None

    def _place(self, place: str) -> None:
        if self.shown >= 0:
            subject = self.draft.subjects[self.shown]
            self.draft.subjects[self.shown] = Subject(
                subject.name, subject.count, subject.color, subject.place or place, subject.variant
            )
        else:
            self.place = place

    def _miss(self, item: Item) -> None:
        self._drop_strength()
        self._release_colors()
        word = self.prepared.written[item.start : item.end]
        self.draft.ignored.append(word)
        # Chinese words have two characters as a rule; an unknown run counts as that many words.
        self.draft.missed += max(1, len(word) // 2) if has_han(word) else 1
        self.count = 1

    def _is_negatable(self, index: int, item: Item) -> bool:
        """Whether a negation binds here: to a thing or a wish, or to a mood or colour that no thing follows."""
        if item.category in _NEGATABLE:
            return True
        if item.category not in ("mood", "color"):
            return _is_text(item)
        return not any(later.category in _THINGS for later in self.clause[index + 1 : index + 3])

    def _exclude(self, item: Item) -> None:
        if item.entry is None:
            self.draft.excluded.add(self.prepared.folded[item.start : item.end])
        else:
            # "no roses" leaves other flowers, "no neon" leaves other nights.
            self.draft.excluded.add("text" if _is_text(item) else item.entry.variant or item.entry.name)
            self.draft.understood += 1
        self.negated, self.listing = False, True
        self.strength = None
        self.colors.clear()
        self.count = 1

    def _continues(self, index: int) -> bool:
        """Whether a list under a negation goes on: "no people or cars, but a dog"."""
        connector = self.clause[index]
        if self.prepared.folded[connector.start : connector.end] in ("but", "但", "但是", "plus", "while"):
            return False
        for item in self.clause[index + 1 :]:
            if item.category in (_THINGS | {"weather", "style"}) or _is_text(item):
                return True
            if item.category not in ("filler", "link"):
                return False
        return False

    def _drop_strength(self) -> None:
        if self.strength is not None and self.strength.mood is not None:
            self.draft.moods.append(self.strength.mood)
        self.strength = None

    def _release_colors(self) -> None:
        self.draft.colors += self.colors
        self.colors.clear()
