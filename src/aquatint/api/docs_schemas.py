"""What a JSON Schema of the API says, in few words and by example, for the readable page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from aquatint.api import docs_words as words

Json = dict[str, Any]

_PLURALS = {"string": "strings", "integer": "integers", "image": "images", "task": "tasks", "model": "models"}


def kind(schema: Json) -> str:
    """A schema's type in a few words of HTML."""
    if "$ref" in schema:
        return escape(shown_name(ref_name(schema)))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind(part) for part in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"] if value is not None)
    if schema.get("type") == "array":
        return f"list of {_PLURALS.get(kind(schema['items']), kind(schema['items']))}"
    named_type = schema.get("type", "anything")
    kinds = [named_type] if isinstance(named_type, str) else list(named_type)
    text = " or ".join("list" if one == "array" else str(one) for one in kinds)
    if schema.get("format") in ("binary", "date-time"):
        text = {"binary": "file", "date-time": "time (ISO 8601)"}[schema["format"]]
    return text + _bounds(schema)


def _bounds(schema: Json) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {'2⁶³ − 1' if high == 2**63 - 1 else high}"
    if "maxLength" in schema:
        return f", up to {schema['maxLength']} characters"
    return ""


def ref_name(schema: Json) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def shown_name(schema: str) -> str:
    """`DeliveryAttemptData` as `delivery attempt`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", schema.removesuffix("Data").removeprefix("Full")).lower()


def resolve(document: Json, schema: Json) -> tuple[str, Json]:
    """The schema behind a reference with its name; the schema itself and no name otherwise."""
    if "$ref" not in schema:
        return "", schema
    name = ref_name(schema)
    return name, document["components"]["schemas"][name]


def named(document: Json, schema: Json) -> Iterator[tuple[str, Json]]:
    """Every named schema inside `schema`, outermost first; those of the task object have a section of their own."""
    if "$ref" in schema:
        name, found = resolve(document, schema)
        yield name, found
        if name != "FullTaskData":
            yield from named(document, found)
        return
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    if isinstance(schema.get("items"), dict):
        parts.append(schema["items"])
    for part in parts:
        yield from named(document, part)


def sample(document: Json, schema: Json, owner: str, field: str) -> object:
    """An example value, from the words where they have one for the field."""
    for key in (f"{owner}.{field}", field):
        if key in words.SAMPLES:
            return words.SAMPLES[key]
    name, schema = resolve(document, schema)
    if "anyOf" in schema:
        return sample(document, schema["anyOf"][0], owner, field)
    if "properties" in schema:
        return {key: sample(document, kind, name or owner, key) for key, kind in schema["properties"].items()}
    if schema.get("type") == "array":
        return [sample(document, schema["items"], owner, "")]
    return {}
