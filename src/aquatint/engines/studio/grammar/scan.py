"""Longest match over the lexicon: a prepared prompt becomes terms, unknown words, references and breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from aquatint.engines.studio.grammar.normal import HAN_CLASS, QUOTE_MARK, Prepared, has_han
from aquatint.engines.studio.grammar.vocabulary import Entry, Vocabulary

ItemKind = Literal["term", "unknown", "reference", "quote", "break"]

_NUMERALS = "一二三四五六七八九"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_CARDINALS = {"one": 1, "two": 2, "three": 3, "four": 4}
_DIGITS_END = r"(?![\w%]|[.:]\d)"

_TOKEN = re.compile(
    rf"""
    (?P<han>(?![参照图第])[{HAN_CLASS}])  # first, because most are; the four may begin a reference
    | (?P<flag>(?<!\S)--(?!no\b)[a-z]+(?:[ =][\w:.]+)?|\bf/\d+(?:\.\d+)?)
    | (?P<url>https?://[^\s{HAN_CLASS}]+)
    | (?P<reference>
        @\s?(?:image|img|图片|图)?\s?(?P<at>\d{{1,2}}){_DIGITS_END}
        | [<\[]?\b(?:reference\s|input\s|source\s)?(?:image|img|picture|photo|figure|fig|pic|reference)\.?\s?\#?
          (?:(?P<english>\d{{1,2}}){_DIGITS_END}[>\]]?|(?<=\s)(?P<cardinal>one|two|three|four)\b(?!\s\w))
        | \b(?P<ordinal>first|second|third|fourth|fifth|1st|2nd|3rd|4th)\s(?:reference\s|input\s)?
          (?:image|picture|photo|figure)\b
        | (?:参考图片|参考图|照片|图片|图像|图)\s?
          (?:(?P<digits>\d{{1,2}})(?![\d.:a-z])|(?P<numeral>[{_NUMERALS}])(?![张只个幅种片些条]))
        | 第\s?(?:(?P<nth>\d{{1,2}})|(?P<nth_numeral>[{_NUMERALS}]))\s?[张幅个]\s?(?:参考)?(?:图片|照片|图像|图)
      )
    | (?P<break>[.,;:!?。;…|\n\r(){{}}\[\]•]|(?<=\s)[-–—]+(?=\s)|——)
    | (?P<quote>{QUOTE_MARK})
    | (?P<number>\d+(?:[.:x×]\d+)*[^\W\d_{HAN_CLASS}]*(?![^\W_{HAN_CLASS}]))
    | (?P<word>'s\b|&|[^\W_{HAN_CLASS}]+(?:'(?!s\b)[^\W_{HAN_CLASS}]+)?)
    | (?P<lead>[参照图第])
    """,
    re.VERBOSE,
)
_GAP = " \t-/_"  # may stand between the words of a phrase
# Sizes, focal lengths, ratios, years: they say how to take a photograph, not what to show.
_TECHNICAL = re.compile(r"\d+[.:x×][\d.:x×]+[a-z]*|\d+(?:k|p|px|mm|cm|mp|dpi|fps|bit|s|th|deg|m|c|w)|\d{3,}")
# Single Chinese characters are parts of names as often as words: those of these categories need support (see
# _weigh), but for the glue that does stand between words.
_GLUE = "的了在上里把将请是有被给和与及或、用以为成到不没无别"
_DOUBTFUL_ALONE = frozenset(
    {"subject", "undrawable", "weather", "color", "season", "mood", "place", "time", "strength"}
    | {"verb", "filler", "link", "connector", "role"}
)

_HAS_PLURAL = frozenset({"subject", "undrawable", "weather", "style", "edit", "color", "time", "season", "mood"})


class Item(NamedTuple):
    """One piece of the prompt; `start` and `end` are offsets into it."""

    kind: ItemKind
    category: str  # the entry's category for terms, else the kind
    start: int
    end: int
    entry: Entry | None = None  # terms only
    number: int = 0  # references: 1-based image number


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int
    joined: bool  # nothing but spaces or hyphens since the token before
    number: int = 0


def scan(prepared: Prepared, vocabulary: Vocabulary) -> list[Item]:
    """Split a prompt into items, in order. Linear in its length."""
    tokens = list(_tokens(prepared.folded))
    items: list[Item] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        following, entry = _longest(tokens, index, prepared.folded, vocabulary)
        if entry is not None:
            items.append(Item("term", entry.category, token.start, tokens[following - 1].end, entry))
        else:
            item = _single(token)
            if item is not None:
                items.append(item)
        index = following
    return list(_weigh(items, prepared.folded))


def _tokens(folded: str) -> Iterator[_Token]:
    end_before = 0
    for match in _TOKEN.finditer(folded):
        kind = match.lastgroup or ""
        kind = "han" if kind == "lead" else kind
        start = match.start()
        joined = start == end_before or not folded[end_before:start].strip(_GAP)
        number = _reference_number(match) if kind == "reference" else 0
        end_before = match.end()
        if kind != "flag":
            yield _Token(kind, match.group(), start, end_before, joined, number)


def _reference_number(match: re.Match[str]) -> int:
    for group in ("at", "english", "digits", "nth"):
        if match.group(group):
            return int(match.group(group))
    for group in ("numeral", "nth_numeral"):
        if match.group(group):
            return _NUMERALS.index(match.group(group)) + 1
    if match.group("cardinal"):
        return _CARDINALS[match.group("cardinal")]
    return _ORDINALS[match.group("ordinal")]


def _longest(tokens: Sequence[_Token], index: int, folded: str, vocabulary: Vocabulary) -> tuple[int, Entry | None]:
    """The longest entry that starts at a token, and the index of the token after it."""
    token = tokens[index]
    if token.kind not in ("word", "han", "number"):
        return index + 1, None
    for length in vocabulary.char_lengths.get(token.text[0], ()):
        end = token.start + length
        entry = vocabulary.entries.get(folded[token.start : end])
        if entry is not None and (token.kind == "han" or has_han(folded[token.start : end])):
            following = index + 1
            while following < len(tokens) and tokens[following].start < end:
                following += 1
            return following, entry
    if token.kind == "han":
        return index + 1, None
    lengths = vocabulary.word_lengths.get(token.text, ())
    for length in lengths if 1 in lengths else (*lengths, 1):
        entry = _phrase(tokens[index : index + length], length, vocabulary)
        if entry is not None:
            return index + length, entry
    return index + 1, None


def _phrase(tokens: Sequence[_Token], length: int, vocabulary: Vocabulary) -> Entry | None:
    if len(tokens) < length or not all(token.joined for token in tokens[1:]):
        return None
    words = [token.text for token in tokens]
    exact = vocabulary.entries.get(" ".join(words))
    if exact is not None:
        return exact
    for last in _singulars(words[-1]):
        entry = vocabulary.entries.get(" ".join((*words[:-1], last)))
        if entry is not None and entry.category in _HAS_PLURAL:  # "leaves" are no order to leave
            return entry
    return None


def _singulars(word: str) -> tuple[str, ...]:
    if len(word) < 4 or not word.endswith("s"):
        return ()
    if word.endswith("ies"):
        return (word[:-3] + "y",)
    return (word[:-1], word[:-2]) if word.endswith("es") else (word[:-1],)


def _single(token: _Token) -> Item | None:
    """An item for a token that the lexicon does not know."""
    if token.kind == "number":
        if token.text.isdecimal() and len(token.text) <= 2:
            count = Entry(category="count", name="number", value=float(int(token.text)))
            return Item("term", "count", token.start, token.end, count)
        if _TECHNICAL.fullmatch(token.text):
            return None
    if token.kind == "reference":
        return Item("reference", "reference", token.start, token.end, number=token.number)
    if token.kind == "quote":
        return Item("quote", "quote", token.start, token.end)
    if token.kind == "break":
        return Item("break", "break", token.start, token.end)
    return Item("unknown", "unknown", token.start, token.end)


def _weigh(items: Sequence[Item], folded: str) -> Iterator[Item]:
    """Let single characters beside an unknown one go over to it (李白 is no white), and join unknown runs."""
    run: Item | None = None
    for index, item in enumerate(items):
        unknown = item.kind == "unknown" or _is_doubtful(items, index, folded)
        if not unknown:
            if run is not None:
                yield run
            run = None
            yield item
        elif run is not None and run.end == item.start and has_han(folded[item.start]):
            run = Item("unknown", "unknown", run.start, item.end)
        else:
            if run is not None:
                yield run
            run = Item("unknown", "unknown", item.start, item.end)
    if run is not None:
        yield run


def _is_doubtful(items: Sequence[Item], index: int, folded: str) -> bool:
    item = items[index]
    char = folded[item.start]
    if item.end - item.start != 1 or item.category not in _DOUBTFUL_ALONE or char in _GLUE or not has_han(char):
        return False
    before = items[index - 1] if index else None
    if before is not None and before.kind == "unknown" and before.end == item.start:
        return has_han(folded[item.start - 1])
    after = items[index + 1] if index + 1 < len(items) else None
    if after is not None and after.kind == "unknown" and after.start == item.end:
        return has_han(folded[item.end])
    return False
