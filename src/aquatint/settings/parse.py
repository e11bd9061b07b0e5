"""Readers of single values, as they stand in a file or in the environment."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aquatint.settings.shape import Bytes, Network, PerSecond, Seconds

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+)\s*([kmg]i?b|b)?", re.IGNORECASE)
_MULTIPLES = {"b": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}


def duration(value: object) -> Seconds:
    """Seconds from `5s`, `2m`, `500ms` or a plain number of seconds. Raises ValueError."""
    match = _DURATION.fullmatch(str(value).strip())
    if isinstance(value, bool) or match is None:
        raise ValueError("is not a duration such as 5s, 2m, 6h or 7d")
    return Seconds(float(match[1]) * _UNITS[match[2] or "s"])


def byte_size(value: object) -> Bytes:
    """Bytes from `20MB`, `1GiB` or a plain number. Raises ValueError."""
    match = _SIZE.fullmatch(str(value).strip())
    if isinstance(value, bool) or match is None:
        raise ValueError("is not a size such as 20MB")
    return Bytes(int(match[1]) * _MULTIPLES[(match[2] or "b").lower().removesuffix("b") or "b"])


def _network(value: object) -> Network:
    try:
        return ipaddress.ip_network(str(value).strip())
    except ValueError as error:
        raise ValueError(f"is not a network such as 10.0.0.0/8 ({error})") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a text")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value).strip()):
        raise ValueError("is not a whole number of 0 or more")
    return int(str(value))


def _fraction(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise ValueError("is not a number") from None
    if not 0 <= number <= 10:
        raise ValueError("is outside 0 to 10")
    return number


def _rate(value: object) -> PerSecond:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100_000:
        raise ValueError("is not a number from 0 to 100000")
    return PerSecond(number)


def _flag(value: object) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if str(value).lower() not in words:
        raise ValueError("is neither true nor false")
    return words[str(value).lower()]


def _table(value: object) -> dict[str, str]:
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError("is not a table of texts")
    return value


def _each(parse: Callable[[object], object]) -> Callable[[object], tuple[object, ...]]:
    def parse_all(value: object) -> tuple[object, ...]:
        items = [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        if not isinstance(items, list):
            raise ValueError("is not a list")
        return tuple(parse(item) for item in items)

    return parse_all


PARSERS: dict[Any, Callable[[object], object]] = {
    str: _text,
    int: _whole,
    float: _fraction,
    bool: _flag,
    Path: lambda value: Path(_text(value)),
    Seconds: duration,
    PerSecond: _rate,
    Bytes: byte_size,
    tuple[str, ...]: _each(lambda value: _text(value).strip()),
    tuple[Seconds, ...]: _each(duration),
    tuple[Network, ...]: _each(_network),
    Mapping[str, str]: _table,
}
