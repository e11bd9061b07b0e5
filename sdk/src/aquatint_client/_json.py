"""JSON values, and reading them without trusting what a server sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]


def parse(body: bytes | str) -> JsonValue:
    """Raises ValueError, for text that is no JSON and for nesting that nobody needs."""
    try:
        value: JsonValue = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def as_object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def text(fields: Mapping[str, JsonValue], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None


def number(fields: Mapping[str, JsonValue], name: str) -> float | None:
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole(fields: Mapping[str, JsonValue], name: str) -> int | None:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(fields: Mapping[str, JsonValue], name: str) -> bool:
    return fields.get(name) is True


def objects(fields: Mapping[str, JsonValue], name: str) -> tuple[JsonObject, ...]:
    value = fields.get(name)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def texts(fields: Mapping[str, JsonValue], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def time(fields: Mapping[str, JsonValue], name: str) -> datetime | None:
    value = text(fields, name)
    try:
        return datetime.fromisoformat(value) if value is not None else None
    except ValueError:
        return None


def write(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
