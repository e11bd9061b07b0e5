"""A prompt made uniform: one spelling per character, quoted text taken out, offsets kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

# Ideographs, kana, hangul: written without spaces, so matched by characters. 、 joins a list.
HAN_CLASS = "\u3001\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
QUOTE_MARK = "\ue000"  # stands where quoted text was; private use, so no prompt means it
# NFKC can grow one character to eighteen; nothing after this point can change the answer's meaning much.
MAX_CHARACTERS = 8000

_HAN = re.compile(f"[{HAN_CLASS}]")
_WORD = re.compile(rf"'s\b|&|\d+(?:[.:]\d+)+|[^\W_{HAN_CLASS}]+(?:'(?!s\b)[^\W_{HAN_CLASS}]+)?|[{HAN_CLASS}]")
_QUOTED = re.compile(
    r'"([^"\n]{1,300})"|“([^”\n]{1,300})”|「([^」\n]{1,300})」|『([^』\n]{1,300})』|《([^》\n]{1,300})》'
    r"|`([^`\n]{1,300})`|‘([^’\n]{1,120})’(?!\w)|(?<!\w)'([^'\n]{1,120})'(?!\w)"
)
# 'in "watercolor" style' names a style; it is no text to set in type.
_NAMES_A_STYLE = re.compile(r"\s*(?:styles?|effects?|looks?|画?风格?|风|效果|画)(?![a-z])")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prompt ready to scan; `written` and `folded` have the same length, so spans fit both."""

    written: str  # NFKC, case kept
    folded: str  # lower case, simplified characters, quotes blanked
    text: tuple[str, ...]  # quoted text, case kept


def prepare(prompt: str, simplified: Mapping[int, int]) -> Prepared:
    """Make a prompt uniform. Never raises; looks at the first 8000 characters after NFKC."""
    written = unicodedata.normalize("NFKC", prompt[:MAX_CHARACTERS])[:MAX_CHARACTERS]
    written = written.replace(QUOTE_MARK, " ").replace("’s ", "'s ")
    folded = fold(written, simplified)
    text: list[str] = []
    pieces: list[str] = []
    position = 0
    for match in _QUOTED.finditer(written):
        quoted = next(group for group in match.groups() if group is not None).strip()
        if not quoted or _NAMES_A_STYLE.match(folded, match.end()):
            continue
        text.append(quoted)
        pieces += (folded[position : match.start()], QUOTE_MARK, " " * (match.end() - match.start() - 1))
        position = match.end()
    pieces.append(folded[position:])
    return Prepared(written=written, folded="".join(pieces), text=tuple(text))


def fold(text: str, simplified: Mapping[int, int]) -> str:
    """Lower case and simplified characters, length unchanged (so never `casefold`: ß would grow)."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    return lowered.translate(simplified)


def has_han(text: str) -> bool:
    """Whether the text holds a character that is matched without spaces."""
    return _HAN.search(text) is not None


def phrase_key(word: str, simplified: Mapping[int, int]) -> str:
    """The lexicon key of a word or phrase: English words joined by one space, Chinese as it is."""
    folded = fold(unicodedata.normalize("NFKC", word).strip(), simplified)
    return folded if has_han(folded) else " ".join(_WORD.findall(folded))
