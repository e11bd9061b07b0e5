"""Forms: a model's JSON Schema as fields, and what was filled in as a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from aquatint.web.desk import Json, Refused
from aquatint.web.shown import shape

MAX_FORM = 256 * 1024  # bytes
SHAPE_SIDE = 26  # pixels of the longer side of a ratio's drawing
FEW = 6  # choices that are shown beside each other; more become a list
KNOWN = ("prompt", "imageUrls", "ratio", "resolution", "n", "seed")  # have a place of their own, in this order
Filled = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    chosen: bool
    width: int = 0  # of its drawing
    height: int = 0
    sizes: str = ""  # resolution=pixels of each, for the line below


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter. `kind` is the sort of control: text, images, ratio, choices, list, number, flag."""

    name: str
    kind: str
    label: str
    help: str
    value: str = ""
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[Choice, ...] = ()
    values: tuple[str, ...] = ()


def fields_of(model: Json, filled: Mapping[str, Sequence[str]]) -> list[Field]:
    """The fields of a model, the well-known ones first, with what is filled in as far as the model takes it."""
    schema = model["parameters"]
    properties: dict[str, Json] = schema["properties"]
    names = [name for name in KNOWN if name in properties]
    names += [name for name in properties if name not in KNOWN]
    required = set(schema.get("required", ()))
    return [_field(name, properties[name], list(filled.get(name, ())), model, name in required) for name in names]


def _field(name: str, schema: Json, given: list[str], model: Json, required: bool) -> Field:
    label = str(schema.get("title") or LABELS.get(name) or name.replace("_", " ").capitalize())
    words = str(HELP.get(name, schema.get("description", "")))
    first = given[0] if given else ""
    options = [str(option) for option in schema.get("enum", ())]
    if name == "prompt":
        return Field(name, "prompt", label, "", first, required, maximum=schema.get("maxLength"))
    if name == "imageUrls" or schema.get("type") == "array":
        bound, values = schema.get("maxItems"), tuple(filter(None, given))  # one that is being sent has no URL yet
        return Field(name, "images", label, words, required=required, maximum=bound, values=values)
    if options:
        chosen = first if first in options else str(schema.get("default", ""))
        if name == "ratio":
            return Field(name, "ratio", label, words, chosen, choices=_ratios(options, chosen, model["sizes"]))
        if not required and not chosen:
            options = ["", *options]
        kind = "choices" if len(options) <= FEW else "list"
        choices = tuple(Choice(option, option or "default", option == chosen) for option in options)
        return Field(name, kind, label, words, chosen, choices=choices)
    match schema.get("type"):
        case "integer" | "number":
            start = first or str(schema.get("default", ""))
            return Field(name, "number", label, words, start, required, schema.get("minimum"), schema.get("maximum"))
        case "boolean":
            return Field(name, "flag", label, words, first or ("true" if schema.get("default") else ""))
        case _:
            return Field(name, "text", label, words, first, required)


def _ratios(options: list[str], chosen: str, sizes: Mapping[str, Mapping[str, list[int]]]) -> tuple[Choice, ...]:
    found = [Choice("", "auto", chosen == "", SHAPE_SIDE, SHAPE_SIDE)]
    for option in options:
        rows = [f"{tier}={row[option][0]} × {row[option][1]}" for tier, row in sizes.items() if option in row]
        found.append(Choice(option, option, option == chosen, *shape(option, SHAPE_SIDE), ";".join(rows)))
    return tuple(found)


def request_of(model: Json, filled: Mapping[str, Sequence[str]]) -> Json:
    """The submit's body. What is wrong in it stays in it: the API has the better words for that."""
    properties: dict[str, Json] = model["parameters"]["properties"]
    fields: Json = {}
    for name, schema in properties.items():
        given = [text for text in filled.get(name, ()) if text != ""]
        if not given:
            continue
        match schema.get("type"):
            case "array":
                fields[name] = given
            case "boolean":
                fields[name] = given[0] == "true"
            case "integer":
                fields[name] = _whole(given[0])
            case "number":
                fields[name] = _real(given[0])
            case _:
                fields[name] = given[0]
    if fields.get("n") == 1:
        del fields["n"]  # the default, and the reader's code is the shorter for it
    if fields.get("fallback") is False:
        del fields["fallback"]
    body: Json = {"model": model["name"], "input": {"prompt": "", **fields}}
    if callback := next(iter(filled.get("callBackUrl", ())), "").strip():
        body["callBackUrl"] = callback
    return body


def _whole(text: str) -> int | str:
    return int(text) if text.strip().lstrip("-").isascii() and text.strip().lstrip("-").isdigit() else text


def _real(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def filled_of(fields: Json) -> Filled:
    """An earlier task's input, as a form would hold it."""
    filled: Filled = {}
    for name, value in fields.items():
        items = value if isinstance(value, list) else [value]
        texts = [item.get("url", "") if isinstance(item, dict) else item for item in items]
        words = [str(text).lower() if isinstance(text, bool) else str(text) for text in texts if text is not None]
        filled[name] = [word for word in words if not word.startswith("data:")]
    return filled


async def read(request: Request) -> Filled:
    """The urlencoded form in the body. Raises Refused."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refused(400, "send a form")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise Refused(413, f"the form is larger than {MAX_FORM} bytes")
    return _parsed(body.decode("utf-8", "replace"))


def asked(request: Request) -> Filled:
    """The same of a request's query."""
    return _parsed(request.url.query)


def _parsed(text: str) -> Filled:
    filled: Filled = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise Refused(400, "the form has too many fields") from None
    for name, value in pairs:
        filled.setdefault(name, []).append(value)
    return filled


def one(filled: Mapping[str, Sequence[str]], name: str) -> str:
    """The first value of a field, empty when there is none."""
    return next(iter(filled.get(name, ())), "")


LABELS = {
    "prompt": "Prompt",
    "imageUrls": "Reference images",
    "ratio": "Ratio",
    "resolution": "Resolution",
    "n": "Pictures",
    "seed": "Seed",
    "output_format": "File format",
}
HELP = {
    "imageUrls": "Drop, paste or choose. With one the picture is painted from it.",
    "ratio": "",
    "seed": "Empty: a new one. The same seed paints the same picture.",
    "output_format": "",
    "fallback": "Let another engine take over when the first one fails.",
}
