"""SQL of the search in prompts. There is no index of words: it looks at a key's newest tasks."""

from __future__ import annotations

MOST = 10_000  # tasks looked at
_INPUT = "convert_from(input, 'UTF8')"
# PostgreSQL cannot unescape U+0000, which a prompt may hold: a space stands in for it. What looks like its escape
# after an odd backslash is none.
_NUL = r"\u0000"
_WITHOUT_NUL = rf"regexp_replace({_INPUT}, '(?<!\\)((?:\\\\)*)\\u0000', '\1 ', 'g')"
_PROMPT = rf"(CASE WHEN position('{_NUL}' IN {_INPUT}) > 0 THEN {_WITHOUT_NUL} ELSE {_INPUT} END)::json ->> 'prompt'"


def condition(number: int) -> str:
    """A condition on task; parameter 1 is the key, parameter `number` the words."""
    return (
        f"no >= coalesce((SELECT no FROM task WHERE key_id = $1 ORDER BY no DESC LIMIT 1 OFFSET {MOST - 1}), 0)"
        f" AND position(lower(${number}::text) IN lower({_PROMPT})) > 0"
    )
