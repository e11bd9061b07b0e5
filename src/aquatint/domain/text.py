"""Text from outside, before it is kept."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text without what no database keeps: U+0000 goes, lone surrogates become question marks."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
