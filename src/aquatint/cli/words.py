"""Text of others, made harmless for a terminal, and times as people read them."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata

import typer


def clean(text: str) -> str:
    """Without the characters that command a terminal or turn a line around; line breaks become spaces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if c in "\n\r\t" else c for c in text if c in "\n\r\t" or unicodedata.category(c) not in _HIDDEN
    )


_COMMANDING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def cut(text: str, width: int) -> str:
    """Clean, and no longer than `width` characters."""
    text = clean(text)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def print_json(value: object, *, indent: bool = False) -> None:
    """One document, or one line of many; what could command a terminal is escaped in it."""
    text = json.dumps(value, ensure_ascii=False, indent=2 if indent else None)
    typer.echo(_COMMANDING.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


def when(at: dt.datetime | None) -> str:
    """In this machine's time zone."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at is not None else "-"


def age(at: dt.datetime | None) -> str:
    """How long ago, such as `5 min`."""
    return duration((dt.datetime.now(dt.UTC) - at).total_seconds()) if at is not None and at.tzinfo else "-"


def clock(at: dt.datetime | None) -> str:
    return (at or dt.datetime.now(dt.UTC)).astimezone().strftime("%H:%M:%S")


def duration(seconds: float) -> str:
    """Such as `8 s`, `2 min` or `3 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 172_800 else f"{round(seconds / 86_400)} days"
