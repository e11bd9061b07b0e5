"""SQL of the search in prompts. There is no index of words: it looks at a key's newest tasks."""

from __future__ import annotations

import sqlite3

import msgspec

MOST = 10_000  # tasks looked at
CONDITION = (
    "no >= coalesce((SELECT no FROM task WHERE key_id = ? ORDER BY no DESC LIMIT 1 OFFSET ?), 0)"
    " AND prompt_holds(input, ?)"
)


class _Prompt(msgspec.Struct):
    prompt: str = ""


_decoder = msgspec.json.Decoder(_Prompt)


def prepare(db: sqlite3.Connection, key_id: str, words: str) -> list[object]:
    """The values of the condition; gives the connection the function in it."""
    db.create_function("prompt_holds", 2, _holds, deterministic=True)
    return [key_id, MOST - 1, words.casefold()]


def _holds(data: bytes, words: str) -> bool:
    return words in _decoder.decode(data).prompt.casefold()
