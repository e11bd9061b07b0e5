"""Reading a style's options: they come from words of a prompt, so anything odd falls back to the default."""

from __future__ import annotations

from collections.abc import Mapping


def variant(options: Mapping[str, object], allowed: tuple[str, ...]) -> str:
    """The wanted variant if the style knows it, else the empty string."""
    value = options.get("variant", "")
    return value if isinstance(value, str) and value in allowed else ""


def number(options: Mapping[str, object], name: str, default: float, low: float, high: float) -> float:
    """A number option kept within low..high; text that is no number counts as absent."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return default
    try:
        result = float(value)
    except ValueError:
        return default
    return min(high, max(low, result)) if result == result else default


def word(options: Mapping[str, object], name: str, default: str = "") -> str:
    """A word option in lower case."""
    value = options.get(name, default)
    return value.strip().lower() if isinstance(value, str) else default
