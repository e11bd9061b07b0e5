"""Requests: bytes of a submit to plain values, strictly, with the path of whatever is wrong."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from aquatint.domain.errors import InvalidInput
from aquatint.domain.task import Moment
from aquatint.wire import times

MAX_PROMPT = 8000  # characters
MAX_TEXT = 2048  # characters of a user_id
MAX_SEED = 2**63 - 1
MAX_PRIORITY = 10
MAX_SECONDS = 7 * 86400  # until a task is to start or finish
MAX_DEPTH = 64  # lists and objects inside each other, `input` included
_DATA_URL = re.compile(r"data:(?P<type>[a-z0-9.+/-]*)(?:;[a-z0-9=._-]+)*;base64,", re.IGNORECASE)
_IMAGE_FIELDS = ("imageUrls", "images")  # `images` is the spelling of the first version of the API


class InlineImage(msgspec.Struct, frozen=True):
    """A reference image that came as a data URL."""

    data: bytes


class Draft(msgspec.Struct, frozen=True):
    """A submit as sent, types checked; whether the model can do it is not this room's question.

    `echo` is the JSON object that queries give back: what was sent, `model` first, data URLs shortened.
    """

    model: str
    callback_url: str | None
    user_id: str | None
    prompt: str
    references: tuple[str | InlineImage, ...]
    ratio: str | None
    resolution: str | None
    n: int
    seed: int | None
    fallback: bool
    options: dict[str, object]
    echo: bytes
    priority: int | None = None
    batch: bool = False
    start_by: Moment | None = None
    finish_by: Moment | None = None


class _Submit(msgspec.Struct):
    """Only what decides the shape; msgspec names the path of a wrong type."""

    model: str
    input: dict[str, Any]
    callBackUrl: str | None = None  # noqa: N815  # the contract's spelling
    user_id: str | None = None
    priority: int | None = None
    class_: str | None = msgspec.field(default=None, name="class")
    startBy: str | float | None = None  # noqa: N815
    finishBy: str | float | None = None  # noqa: N815


_submit = msgspec.json.Decoder(_Submit)
_anything = msgspec.json.Decoder()
_canonical = msgspec.json.Encoder(order="sorted")
_encoder = msgspec.json.Encoder()
_KNOWN = frozenset({"prompt", "ratio", "resolution", "n", "seed", "fallback", "model", *_IMAGE_FIELDS})


def parse_submit(body: bytes, max_inline: int) -> Draft:
    """Parse the body of a submit; inline images may hold up to `max_inline` bytes each. Raises InvalidInput."""
    try:
        sent = _submit.decode(body)
    except msgspec.ValidationError as error:
        raise _from_msgspec(error) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidInput("", f"the body is not valid JSON ({_reason(error)})") from None
    fields = sent.input
    check_depth("input", fields, MAX_DEPTH)
    prompt = fields.get("prompt")
    if prompt is None:
        raise InvalidInput("input.prompt", "is required")
    if not isinstance(prompt, str):
        raise InvalidInput("input.prompt", "must be a text")
    if not prompt.strip():
        raise InvalidInput("input.prompt", "must not be empty")
    if len(prompt) > MAX_PROMPT:
        raise InvalidInput("input.prompt", f"is longer than {MAX_PROMPT} characters")
    if not sent.model:
        raise InvalidInput("model", "must not be empty")
    if sent.user_id is not None and len(sent.user_id) > MAX_TEXT:
        raise InvalidInput("user_id", f"is longer than {MAX_TEXT} characters")
    if sent.user_id is not None and "\0" in sent.user_id:
        raise InvalidInput("user_id", "may not hold the character U+0000")
    references, echoed = _references(fields, max_inline)
    return Draft(
        model=sent.model,
        callback_url=sent.callBackUrl,
        user_id=sent.user_id,
        prompt=prompt,
        references=references,
        ratio=word(fields, "ratio"),
        resolution=word(fields, "resolution"),
        n=integer(fields, "n", 1, 10_000, 1) or 1,
        seed=integer(fields, "seed", 0, MAX_SEED, None),
        fallback=flag(fields, "fallback"),
        options={name: value for name, value in fields.items() if name not in _KNOWN},
        echo=echo(sent.model, {**fields, **echoed}),
        priority=_priority(sent.priority),
        batch=_is_batch(sent.class_),
        start_by=_moment("startBy", sent.startBy),
        finish_by=_moment("finishBy", sent.finishBy),
    )


def _priority(value: int | None) -> int | None:
    if value is not None and abs(value) > MAX_PRIORITY:
        raise InvalidInput("priority", f"must be between -{MAX_PRIORITY} and {MAX_PRIORITY}")
    return value


def _is_batch(value: str | None) -> bool:
    if value not in (None, "standard", "batch"):
        raise InvalidInput("class", "must be standard or batch")
    return value == "batch"


def _moment(path: str, value: str | float | None) -> Moment | None:
    """A time, or a number of seconds from now."""
    if value is None:
        return None
    if isinstance(value, str):
        return Moment(at=times.parse(path, value))
    if not 0 < value <= MAX_SECONDS:
        raise InvalidInput(path, f"must be a time, or a number of seconds between 0 and {MAX_SECONDS}")
    return Moment(within=float(value))


def canonical(body: bytes) -> bytes:
    """The same bytes for every spelling of the same JSON value. Raises InvalidInput.

    It reads the fields, too, that `parse_submit` skips because nobody needs them.
    """
    try:
        value = _anything.decode(body)
        check_depth("the body", value, MAX_DEPTH + 1)  # `input` is one level down
        return _canonical.encode(value)
    except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError) as error:
        raise InvalidInput("", f"the body is not valid JSON ({_reason(error)})") from None


def check_depth(path: str, value: object, limit: int) -> None:
    """Refuse what is nested so deep that a later reader, with less stack left, could fail on it."""
    level: list[Any] = [[value]]
    for _ in range(limit + 1):
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, dict | list)
        ]
        if not level:
            return
    raise InvalidInput(path, f"is nested deeper than {limit} levels")


def echo(model: str, fields: dict[str, Any]) -> bytes:
    """The JSON object that queries give back. Raises InvalidInput."""
    try:
        return _encoder.encode({"model": model, **{k: v for k, v in fields.items() if k != "model"}})
    except (OverflowError, ValueError, msgspec.EncodeError):
        raise InvalidInput("input", "holds a number that is out of range") from None


def _references(fields: dict[str, Any], max_inline: int) -> tuple[tuple[str | InlineImage, ...], dict[str, Any]]:
    """The references, and the image field as it is echoed."""
    name = next((field for field in _IMAGE_FIELDS if fields.get(field)), None)
    if name is None:
        for field in _IMAGE_FIELDS:
            if fields.get(field) not in (None, []):
                raise InvalidInput(f"input.{field}", "must be a list of URLs")
        return (), {}
    value = fields[name]
    alone = isinstance(value, str | dict)
    items = [value] if alone else value
    if not isinstance(items, list):
        raise InvalidInput(f"input.{name}", "must be a list of URLs")
    references: list[str | InlineImage] = []
    echoed: list[Any] = []
    for index, item in enumerate(items):
        taken, shown = reference(f"input.{name}[{index}]", item, max_inline)
        references.append(taken)
        echoed.append(shown)
    return tuple(references), {name: echoed[0] if alone else echoed}


def reference(path: str, item: object, max_inline: int) -> tuple[str | InlineImage, object]:
    """A reference image, and how it is echoed. Raises InvalidInput."""
    url = item.get("url") if isinstance(item, dict) else item
    if not isinstance(url, str) or not url:
        raise InvalidInput(path, "must be a URL or an object with a url")
    if url[:5].lower() != "data:":
        return url, item
    head = _DATA_URL.match(url)
    if head is None:
        raise InvalidInput(path, "is a data URL, but not one of the form data:image/...;base64,...")
    if (len(url) - head.end()) * 3 // 4 - 2 > max_inline:  # up to two bytes are padding
        raise InvalidInput(path, f"holds more than {max_inline} bytes")
    try:
        data = base64.b64decode(url[head.end() :].encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidInput(path, "is a data URL whose base64 is broken") from None
    if len(data) > max_inline:
        raise InvalidInput(path, f"holds more than {max_inline} bytes")
    marker = f"{head[0]}…({len(data)} bytes)"
    return InlineImage(data), {**item, "url": marker} if isinstance(item, dict) else marker


def word(fields: dict[str, Any], name: str) -> str | None:
    """A text of the input in lower case. Raises InvalidInput."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"input.{name}", "must be a text")
    return value.strip().lower() if value is not None else None


def integer(fields: dict[str, Any], name: str, low: int, high: int, default: int | None) -> int | None:
    """A whole number of the input, also as a text of digits. Raises InvalidInput."""
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput(f"input.{name}", "must be a whole number")
    if not low <= value <= high:
        raise InvalidInput(f"input.{name}", f"must be between {low} and {high}")
    return value


def flag(fields: dict[str, Any], name: str) -> bool:
    """A switch of the input. Raises InvalidInput."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput(f"input.{name}", "must be true or false")
    return bool(value)


_MSGSPEC = re.compile(r"(?P<problem>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)


def _from_msgspec(error: msgspec.ValidationError) -> InvalidInput:
    """`Expected `str`, got `int` - at `$.model`` becomes the path `model` and that problem."""
    match = _MSGSPEC.fullmatch(str(error))
    assert match is not None  # noqa: S101  # the pattern matches every text
    problem = match["problem"].replace("`", "")
    missing = re.fullmatch(r"Object missing required field (\w+)", problem)
    if missing:
        return InvalidInput(missing[1], "is required")
    return InvalidInput((match["path"] or "").lstrip("."), problem[:1].lower() + problem[1:])


def _reason(error: Exception) -> str:
    return "nested too deep" if isinstance(error, RecursionError) else str(error).replace("`", "")[:200]
