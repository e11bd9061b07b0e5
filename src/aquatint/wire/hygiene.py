"""What an error text may not hold: clients in use read meaning into these words (contract decision 46)."""

from __future__ import annotations

import re

FORBIDDEN = (
    "flagged",
    "nsfw",
    "safety",
    "content policy",
    "moderation",
    "inappropriate",
    "sexual",
    "explicit",
    "timeout",
    "timed out",
    "network",
    "socket",
    "econnreset",
)
_FORBIDDEN = re.compile("|".join(FORBIDDEN), re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"\d{3}")
MODERATION = "content rejected by moderation"  # fixed by the contract, the one text that says it


def tidy(message: str) -> str:
    """The message with forbidden words, which can only come from what the caller sent, blotted out."""
    clean = _FORBIDDEN.sub("…", message)
    return f"error: {clean}" if _LEADING_NUMBER.match(clean) else clean
