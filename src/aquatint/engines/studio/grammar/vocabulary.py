"""The lexicon in memory: entries by word, and the lengths that longest match has to try."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from aquatint.engines.studio.grammar.normal import fold, has_han, phrase_key

_TABLE_OF_CHARACTERS = "traditional.toml"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one word of the lexicon means."""

    category: str  # style, subject, weather, time, season, color, mood, edit, strength, negation, verb, ...
    name: str  # canonical name
    variant: str | None = None
    value: float = 1.0  # strength factor (0.45..1.6) or a count
    color: str | None = None
    mood: str | None = None  # strength words: meaning before a thing that has no strength
    finish: bool = False  # styles: may follow another style
    weak: bool = False  # styles: counts only when no other style was named
    form: bool = False  # subjects: the whole picture takes this form
    implies: tuple[tuple[str, str], ...] = ()
    option: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """One word as it stands in a file, for checks of the lexicon itself."""

    file: str
    table: str
    language: str  # en or zh
    word: str
    key: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All entries, and per first word or character the lengths to try, longest first."""

    entries: Mapping[str, Entry]
    word_lengths: Mapping[str, tuple[int, ...]]  # first English word -> lengths in words
    char_lengths: Mapping[str, tuple[int, ...]]  # first character of entries with Chinese -> lengths in characters
    simplified: Mapping[int, int]  # code point of a traditional character -> simplified


@cache
def load_vocabulary() -> Vocabulary:
    """Read the lexicon once per process. Raises ValueError when a file is malformed."""
    entries: dict[str, Entry] = {}
    for listed in listed_words():
        entries.setdefault(listed.key, listed.entry)
    for key, entry in [pair for pair in entries.items() if pair[0].endswith("风")]:
        entries.setdefault(key + "格", entry)  # 水彩风 is short for 水彩风格
    for key, entry in _counted_measures():
        entries.setdefault(key, entry)
    word_lengths: dict[str, set[int]] = {}
    char_lengths: dict[str, set[int]] = {}
    for key in entries:
        if has_han(key):
            char_lengths.setdefault(key[0], set()).add(len(key))
        else:
            words = key.split(" ")
            word_lengths.setdefault(words[0], set()).add(len(words))
    return Vocabulary(
        entries=MappingProxyType(entries),
        word_lengths=MappingProxyType(_longest_first(word_lengths)),
        char_lengths=MappingProxyType(_longest_first(char_lengths)),
        simplified=load_simplified(),
    )


@cache
def load_simplified() -> Mapping[int, int]:
    """Read the table traditional -> simplified, for `str.translate`."""
    pairs = str(_read(_TABLE_OF_CHARACTERS)["pairs"]).split()
    return MappingProxyType({ord(pair[0]): ord(pair[1]) for pair in pairs})


def listed_words() -> Iterator[Listed]:
    """Every word of every file, in file order. Raises ValueError on an unknown field or a missing category."""
    folder = files(__package__) / "lexicon"
    for name in sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml")):
        if name == _TABLE_OF_CHARACTERS:
            continue
        document = _read(name)
        for table, fields in document.items():
            if isinstance(fields, dict):
                yield from _words_of_table(name, table, fields, str(document.get("category", "")))


def _words_of_table(file: str, table: str, fields: dict[str, object], category: str) -> Iterator[Listed]:
    entry = _entry(table, fields, category)
    english = str(fields.get("en", "")).split(",")
    # A bare Chinese number is no word ("三" in 三亚): numbers are listed with their measure words instead.
    chinese = str(fields.get("zh_words" if entry.category == "count" else "zh", "")).split()
    for language, words in (("en", english), ("zh", chinese)):
        for word in words:
            key = phrase_key(word, load_simplified())
            if key:
                yield Listed(file, table, language, word.strip(), key, entry)


def _entry(table: str, fields: dict[str, object], category: str) -> Entry:
    known = {"category", "name", "variant", "value", "strength", "color", "mood", "finish", "weak", "form"}
    unknown = set(fields) - known - {"implies", "option", "en", "zh", "zh_words"}
    category = str(fields.get("category", category))
    if unknown or not category:
        raise ValueError(f"lexicon table {table}: unknown fields {sorted(unknown)} or no category")
    return Entry(
        category=category,
        name=str(fields.get("name", table)),
        variant=_optional(fields, "variant"),
        value=float(str(fields.get("value", fields.get("strength", 1.0)))),
        color=_optional(fields, "color"),
        mood=_optional(fields, "mood"),
        finish=bool(fields.get("finish", False)),
        weak=bool(fields.get("weak", False)),
        form=bool(fields.get("form", False)),
        implies=_pairs(fields, "implies"),
        option=_pairs(fields, "option"),
    )


def _optional(fields: dict[str, object], key: str) -> str | None:
    value = fields.get(key)
    return None if value is None else str(value)


def _pairs(fields: dict[str, object], key: str) -> tuple[tuple[str, str], ...]:
    value = fields.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"lexicon field {key} must be a table")
    return tuple((str(name), str(item)) for name, item in value.items())


def _counted_measures() -> Iterator[tuple[str, Entry]]:
    document = _read("count.toml")
    for table, fields in document.items():
        if isinstance(fields, dict):
            entry = _entry(table, fields, "count")
            for number in str(fields.get("zh", "")).split():
                for measure in str(document["measures"]).split():
                    yield fold(number + measure, load_simplified()), entry


def _longest_first(lengths: dict[str, set[int]]) -> dict[str, tuple[int, ...]]:
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


def _read(name: str) -> dict[str, object]:
    return tomllib.loads((files(__package__) / "lexicon" / name).read_text(encoding="utf-8"))
